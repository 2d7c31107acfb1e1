package s3

import (
	"context"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) aclOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketAcl, bucketToShare, s.putBucketACL),
		gateway.Op(s3.GetBucketAcl, bucketOf(func(in *s3.GetBucketAclInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketACL),
		gateway.Op(s3.PutObjectAcl, objectToShare, s.putObjectACL),
		gateway.Op(s3.GetObjectAcl, objectOf(func(in *s3.GetObjectAclInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.getObjectACL),
		gateway.Op(s3.GetBucketPolicyStatus, bucketOf(func(in *s3.GetBucketPolicyStatusInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketPolicyStatus),
	}
}

// noACLs is the refusal of a bucket whose owner is enforced.
func noACLs() error {
	return fault(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

// missingACL is the refusal of a request that says no ACL.
func missingACL() error {
	return fault(http.StatusBadRequest, "MissingSecurityHeader", "Your request was missing a required header", "MissingHeaderName", "x-amz-acl")
}

func bucketACLRequest(in *s3.PutBucketAclInput) *aclRequest {
	return &aclRequest{canned(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantWrite, in.GrantReadACP, in.GrantWriteACP, in.AccessControlPolicy}
}

func bucketToShare(call *gateway.Call, in *s3.PutBucketAclInput) (*onBucket, error) {
	bucketACLRequest(in).conditions(call)
	return findBucket(call, in.Bucket, in.ExpectedBucketOwner)
}

func (s *Service) putBucketACL(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	r := bucketACLRequest(in)
	list, err := r.list(call, b.Account, b.Account, false)
	switch {
	case err != nil:
		return nil, err
	case list == nil:
		return nil, missingACL()
	case b.enforced() && (r.document == nil || !list.ofOwner(b.Account)):
		return nil, noACLs()
	case list.public() && b.block.BlockACLs:
		return nil, accessDenied()
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.ACL = list
		return nil
	})
}

func (s *Service) getBucketACL(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
	return &s3.GetBucketAclOutput{Owner: owner(b.Account), Grants: b.ACL.answered(b.Account, b.enforced())}, nil
}

// answered are a list's grants as answers have them.
func (l *ACL) answered(account string, enforced bool) []s3.Grant {
	if l == nil || enforced {
		l = ownACL(account)
	}
	out := make([]s3.Grant, 0, len(l.Grants))
	for i := range l.Grants {
		g := l.Grants[i]
		to := &s3.Grantee{Type: s3.TypeCanonicalUser, ID: &g.ID}
		if g.Group != "" {
			to = &s3.Grantee{Type: s3.TypeGroup, URI: &g.Group}
		}
		out = append(out, s3.Grant{Grantee: to, Permission: &g.Permission})
	}
	return out
}

func objectACLRequest(in *s3.PutObjectAclInput) *aclRequest {
	return &aclRequest{canned(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantWrite, in.GrantReadACP, in.GrantWriteACP, in.AccessControlPolicy}
}

func objectToShare(call *gateway.Call, in *s3.PutObjectAclInput) (*onObject, error) {
	objectACLRequest(in).conditions(call)
	return objectOf(func(in *s3.PutObjectAclInput) (string, string, *string, *string) {
		return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
	})(call, in)
}

func (s *Service) putObjectACL(_ context.Context, call *gateway.Call, on *onObject, in *s3.PutObjectAclInput) (*s3.PutObjectAclOutput, error) {
	if on.version != nil && on.version.Marker {
		return nil, on.notOnMarker(call)
	}
	v, err := on.present(call)
	if err != nil {
		return nil, err
	}
	b, r := on.bucket, objectACLRequest(in)
	list, err := r.list(call, b.ownerOf(v), b.Account, true)
	switch {
	case err != nil:
		return nil, err
	case list == nil:
		return nil, missingACL()
	case b.enforced() && !r.bucketOwners(list, b.Account):
		return nil, noACLs()
	case list.public() && b.block.BlockACLs:
		return nil, accessDenied()
	}
	return &s3.PutObjectAclOutput{}, on.change(call, func(v *Version) { v.ACL = list })
}

// bucketOwners tells whether the request gives the bucket's owner all, and nobody
// else anything, in the words that a bucket takes whose owner is enforced.
func (r *aclRequest) bucketOwners(list *ACL, account string) bool {
	if r.canned != "" {
		return r.canned == string(s3.ObjectCannedACLBucketOwnerFullControl)
	}
	return list.ofOwner(account)
}

func (s *Service) getObjectACL(_ context.Context, call *gateway.Call, on *onObject, _ *s3.GetObjectAclInput) (*s3.GetObjectAclOutput, error) {
	v, err := on.present(call)
	if err != nil {
		return nil, err
	}
	account := on.bucket.ownerOf(v)
	return &s3.GetObjectAclOutput{Owner: owner(account), Grants: v.ACL.answered(account, on.bucket.enforced())}, nil
}

// share notes the ACL with which an object is written, and whose it will be:
// the writer's, if the bucket leaves it to writers, else the bucket's owner's.
func (o *onObject) share(call *gateway.Call, r *aclRequest) error {
	b := o.bucket
	o.owner = b.Account
	r.conditions(call)
	if r.given() {
		o.acl = new(ACL) // so that the right to write it is the right to say its ACL
		o.ask("s3:PutObjectAcl")
	}
	if caller := call.Principal; !b.enforced() && caller.Account != "" && caller.Kind != aws.Anonymous && caller.Account != b.Account {
		if b.Ownership != s3.ObjectOwnershipBucketOwnerPreferred || r.canned != string(s3.ObjectCannedACLBucketOwnerFullControl) {
			o.owner = caller.Account
		}
	}
	list, err := r.list(call, o.owner, b.Account, true)
	switch {
	case err != nil:
		return err
	case list == nil:
		return nil
	case b.enforced() && !r.bucketOwners(list, b.Account):
		return noACLs()
	case list.public() && b.block.BlockACLs:
		return accessDenied()
	}
	o.acl = list
	return nil
}

func (s *Service) getBucketPolicyStatus(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketPolicyStatusInput) (*s3.GetBucketPolicyStatusOutput, error) {
	if b.Policy == nil {
		return nil, noSuchPolicy(b.Name)
	}
	return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &s3.PolicyStatus{IsPublic: new(b.judged().public)}}, nil
}
