package s3

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/s3control"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// accountBlocks is what of public access an account keeps off all its buckets.
var accountBlocks = store.NewTable[PublicAccessBlock]("s3/account-block")

// blockOf is what a bucket and its account keep off: whatever either does.
func blockOf(tx store.Tx, b *Bucket) (PublicAccessBlock, error) {
	var all PublicAccessBlock
	if b.Block != nil {
		all = *b.Block
	}
	of, err := accountBlocks.Get(tx, b.Account)
	if errors.Is(err, store.ErrNotFound) {
		return all, nil
	}
	if err != nil {
		return PublicAccessBlock{true, true, true, true}, err
	}
	return PublicAccessBlock{
		all.BlockACLs || of.BlockACLs, all.IgnoreACLs || of.IgnoreACLs, all.BlockPolicy || of.BlockPolicy, all.RestrictBuckets || of.RestrictBuckets,
	}, nil
}

// Control is Amazon S3 Control: what holds for an account's buckets as a whole.
type Control struct{}

// Operations implements gateway.Service.
func (c Control) Operations() []gateway.Operation {
	return append(c.tagOperations(),
		gateway.Op(s3control.PutPublicAccessBlock, accountOf(func(in *s3control.PutPublicAccessBlockInput) string { return in.AccountId }), c.putPublicAccessBlock),
		gateway.Op(s3control.GetPublicAccessBlock, accountOf(func(in *s3control.GetPublicAccessBlockInput) string { return in.AccountId }), c.getPublicAccessBlock),
		gateway.Op(s3control.DeletePublicAccessBlock, accountOf(func(in *s3control.DeletePublicAccessBlockInput) string { return in.AccountId }), c.deletePublicAccessBlock))
}

// accountOf is the caller's account, which the input must name.
func accountOf[In any](of func(*In) string) gateway.Target[In, gateway.Anything] {
	return func(call *gateway.Call, in *In) (gateway.Anything, error) {
		if of(in) != call.Account {
			return "", &aws.Error{Kind: aws.AccessDenied, Message: "Access Denied"}
		}
		return gateway.Account(call, in)
	}
}

func (Control) putPublicAccessBlock(_ context.Context, call *gateway.Call, _ gateway.Anything, in *s3control.PutPublicAccessBlockInput) (*s3control.PutPublicAccessBlockOutput, error) {
	c := in.PublicAccessBlockConfiguration
	if c == nil || c.BlockPublicAcls == nil && c.IgnorePublicAcls == nil && c.BlockPublicPolicy == nil && c.RestrictPublicBuckets == nil {
		return nil, invalidRequest("Must specify at least one configuration.")
	}
	return nil, accountBlocks.Put(call.Tx, call.Account, &PublicAccessBlock{
		flag(c.BlockPublicAcls), flag(c.IgnorePublicAcls), flag(c.BlockPublicPolicy), flag(c.RestrictPublicBuckets),
	})
}

func (Control) getPublicAccessBlock(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *s3control.GetPublicAccessBlockInput) (*s3control.GetPublicAccessBlockOutput, error) {
	b, err := accountBlocks.Get(call.Tx, call.Account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &s3control.NoSuchPublicAccessBlockConfiguration{Message: "The public access block configuration was not found"}
	}
	if err != nil {
		return nil, err
	}
	c := *b
	return &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &s3control.PublicAccessBlockConfiguration{
		BlockPublicAcls: &c.BlockACLs, IgnorePublicAcls: &c.IgnoreACLs, BlockPublicPolicy: &c.BlockPolicy, RestrictPublicBuckets: &c.RestrictBuckets,
	}}, nil
}

func (Control) deletePublicAccessBlock(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *s3control.DeletePublicAccessBlockInput) (*s3control.DeletePublicAccessBlockOutput, error) {
	err := accountBlocks.Delete(call.Tx, call.Account)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return nil, err
}
