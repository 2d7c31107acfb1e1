package s3

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Bucket is a bucket, as stored under its name in its owner's scope.
type Bucket struct {
	Name, Region string
	Location     string // the location constraint that it was made with, if that is not its Region's name
	Account      string // its owner
	ID           string // of its rows: never used again
	Created      time.Time
	Ownership    s3.ObjectOwnership // "": none is set, which is ObjectWriter
	Block        *PublicAccessBlock // nil: none is set
	ACL          *ACL               // nil: the owner's alone
	Versioning   s3.BucketVersioningStatus
	MFADelete    s3.MFADeleteStatus // "": it never was enabled
	Encryption   BucketEncryption
	Policy       []byte // JSON, as it was put; nil: none
	Tags         []Tag
	ABAC         bool        // its tags decide on access
	Lock         *ObjectLock // nil: object lock is not enabled
	Expires      bool        // it has a lifecycle configuration

	judgement atomic.Pointer[judged]
}

// Tag is a tag of a bucket or an object.
type Tag struct{ Key, Value string }

// PublicAccessBlock says what of public access is kept off.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
type PublicAccessBlock struct {
	BlockACLs, IgnoreACLs, BlockPolicy, RestrictBuckets bool
}

// ownedName is whose bucket a name is: names are one space for all accounts.
type ownedName struct{ Account string }

var (
	buckets = store.NewTable[Bucket]("s3/bucket")
	names   = store.NewTable[ownedName]("s3/name")
)

// newID is 128 random bits.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// onBucket is a bucket as what a call acts on.
type onBucket struct {
	*Bucket
	partition  string
	caller     *aws.Principal
	block      PublicAccessBlock // the bucket's and its account's
	pastPolicy bool              // its policy does not count
}

// ARN implements gateway.Resource.
func (b *onBucket) ARN() string { return "arn:" + b.partition + ":s3:::" + b.Name }

// ResourceAccount implements gateway.Owned.
func (b *onBucket) ResourceAccount() string { return b.Account }

// ResourcePolicy implements gateway.Governed: a public policy whose bucket
// restricts it lets in nobody from elsewhere, and denies whom it denies.
func (b *onBucket) ResourcePolicy() *policy.Policy {
	j := b.judged()
	switch {
	case j == nil || b.pastPolicy:
		return nil
	case b.block.RestrictBuckets && j.public && b.caller.Account != b.Account && b.caller.Kind != aws.ServiceCaller:
		return j.denials
	}
	return j.whole
}

// lookUp is the bucket of that name, in whatever Region. That there is none
// everybody is told, as on AWS.
func lookUp(call *gateway.Call, name string, expectedOwner *string) (*onBucket, error) {
	owned, err := names.Get(call.Tx, "", name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchBucket(name)
	}
	if err != nil {
		return nil, err
	}
	b, err := buckets.Get(call.Tx, owned.Account, name)
	if err != nil {
		return nil, err
	}
	call.Shared(b.Account)
	if err := b.expected(expectedOwner); err != nil {
		return nil, err
	}
	if err := b.paid(call); err != nil {
		return nil, err
	}
	block, err := blockOf(call.Tx, b)
	return &onBucket{Bucket: b, partition: call.Partition, caller: call.Principal, block: block}, err
}

// expected refuses a request that takes the bucket for another account's.
func (b *Bucket) expected(owner *string) error {
	switch {
	case owner == nil || *owner == b.Account:
		return nil
	case len(*owner) != 12 || strings.Trim(*owner, "0123456789") != "":
		return fault(http.StatusBadRequest, "InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS Account ID... ["+*owner+"]")
	}
	return accessDenied()
}

// findBucket is the bucket of that name, for a call in its Region.
func findBucket(call *gateway.Call, name string, expectedOwner *string) (*onBucket, error) {
	b, err := lookUp(call, name, expectedOwner)
	if err != nil {
		return nil, err
	}
	switch call.Region {
	case b.Region:
	case "": // nobody signed, so that no Region was named
		call.Condition("aws:RequestedRegion", b.Region)
	default:
		if call.Operation.Name != "GetBucketLocation" {
			return nil, elsewhere(call, b.Region)
		}
	}
	return b, nil
}

// elsewhere is the refusal of a call to a bucket of another Region. An answer to
// HEAD can say no more than its header.
func elsewhere(call *gateway.Call, region string) error {
	err := call.OtherRegion(region)
	if e, ok := errors.AsType[*aws.Error](err); ok {
		e.Header = append(e.Header, aws.Field{Name: "X-Amz-Bucket-Region", Value: region})
	}
	return err
}

// bucketOf finds the bucket that the input names.
func bucketOf[In any](of func(*In) (name string, expectedOwner *string)) gateway.Target[In, *onBucket] {
	return func(call *gateway.Call, in *In) (*onBucket, error) {
		name, owner := of(in)
		return findBucket(call, name, owner)
	}
}

// change edits the bucket's row.
func (b *onBucket) change(call *gateway.Call, edit func(*Bucket) error) error {
	return buckets.Update(call.Tx, b.Account, edit, b.Name)
}
