package s3

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// maxPolicy is a bucket policy's greatest size, in bytes.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
const maxPolicy = 20 << 10

// nobody is what stands for a policy that was stored and can't be read.
var nobody = must(policy.Read([]byte(`{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`), policy.Resource))

func must(doc *policy.Document, err error) *policy.Document {
	if err != nil {
		panic(err)
	}
	return doc
}

// judged is a bucket's policy, ready to decide.
type judged struct {
	whole, denials *policy.Policy
	public         bool
}

// judge compiles a stored policy. One that can't be read lets nobody in.
func judge(text []byte) *judged {
	doc, err := policy.Read(text, policy.Resource)
	if err != nil {
		doc = nobody
	}
	only := *doc
	only.Statements = slices.DeleteFunc(slices.Clone(doc.Statements), func(st policy.Statement) bool { return !st.Deny })
	return &judged{policy.Compile(doc, ""), policy.Compile(&only, ""), public(text)}
}

// judged is the bucket's policy, judged once a row; nil: it has none.
func (b *Bucket) judged() *judged {
	if b.Policy == nil {
		return nil
	}
	if j := b.judgement.Load(); j != nil {
		return j
	}
	j := judge(b.Policy)
	b.judgement.Store(j)
	return j
}

// denials is what of the bucket's policy denies; nil: it has none.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
func (b *Bucket) denials() *policy.Policy {
	if j := b.judged(); j != nil {
		return j.denials
	}
	return nil
}

// pastPolicy has a target let the root of the bucket's account past the bucket's
// policy, which might lock everybody out.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
func pastPolicy[In any](target gateway.Target[In, *onBucket]) gateway.Target[In, *onBucket] {
	return func(call *gateway.Call, in *In) (*onBucket, error) {
		b, err := target(call, in)
		if b != nil {
			b.pastPolicy = call.Principal.Kind == aws.Root && call.Principal.Account == b.Account
		}
		return b, err
	}
}

// ownersAlone refuses the bucket's policy to other accounts, whatever it says itself.
func ownersAlone(call *gateway.Call, b *onBucket) error {
	if call.Principal.Account != b.Account {
		return fault(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	return nil
}

func (s *Service) putBucketPolicy(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	if err := ownersAlone(call, b); err != nil {
		return nil, err
	}
	text := []byte(in.Policy)
	if len(text) > maxPolicy {
		return nil, fault(http.StatusBadRequest, "PolicyTooLarge", "Your policy document exceeds the maximum allowed size of 20480 bytes.")
	}
	doc, err := policy.Parse(text, policy.Resource)
	if err != nil {
		return nil, malformedPolicy(err)
	}
	if err := checkPolicy(b, doc); err != nil {
		return nil, err
	}
	if b.block.BlockPolicy && public(text) {
		return nil, &blocked
	}
	if in.ConfirmRemoveSelfBucketAccess == nil || !*in.ConfirmRemoveSelfBucketAccess {
		if err := stillManages(call, b, text); err != nil {
			return nil, err
		}
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Policy = text
		return nil
	})
}

func malformedPolicy(err error) error {
	message := "Policies must be valid JSON and the first byte must be '{'"
	if m, ok := errors.AsType[*policy.Malformed](err); ok && !strings.Contains(m.Error(), "Json") {
		message = m.Error()
	}
	return fault(http.StatusBadRequest, "MalformedPolicy", message)
}

// checkPolicy refuses a policy that could never bear on the bucket.
func checkPolicy(b *onBucket, doc *policy.Document) error {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		for _, action := range st.Actions {
			if prefix, _, ok := strings.Cut(action, ":"); action != "*" && (!ok || !strings.EqualFold(prefix, "s3")) {
				return fault(http.StatusBadRequest, "MalformedPolicy", "Policy has invalid action")
			}
		}
		for _, resource := range st.Resources {
			name, ok := strings.CutPrefix(resource, "arn:"+b.partition+":s3:::")
			if bucket, _, _ := strings.Cut(name, "/"); !ok || !covers(bucket, b.Name) {
				return fault(http.StatusBadRequest, "MalformedPolicy", "Policy has invalid resource")
			}
		}
	}
	return nil
}

// covers tells whether a pattern of a Resource's bucket can mean the bucket.
func covers(pattern, name string) bool {
	return pattern == name || strings.ContainsAny(pattern, "*?$") // a pattern may mean others besides
}

// stillManages refuses a policy by which its own author could not mend it again.
func stillManages(call *gateway.Call, b *onBucket, text []byte) error {
	if call.Principal.Kind == "Root" && call.Principal.Account == b.Account {
		return nil
	}
	after := &Bucket{Name: b.Name, Region: b.Region, Account: b.Account, Policy: text, Block: b.Block}
	if err := call.Authorize("s3:PutBucketPolicy", &onBucket{Bucket: after, partition: b.partition, caller: b.caller, block: b.block}); err != nil {
		return fault(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return nil
}

func (s *Service) getBucketPolicy(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	if err := ownersAlone(call, b); err != nil {
		return nil, err
	}
	if b.Policy == nil {
		return nil, noSuchPolicy(b.Name)
	}
	return &s3.GetBucketPolicyOutput{Policy: new(string(b.Policy))}, nil
}

func noSuchPolicy(bucket string) error {
	return fault(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist", "BucketName", bucket)
}

func (s *Service) deleteBucketPolicy(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error) {
	if err := ownersAlone(call, b); err != nil {
		return nil, err
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Policy = nil
		return nil
	})
}
