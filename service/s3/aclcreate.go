package s3

import (
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// aclAgainstOwnership is the refusal of grants where the bucket's owner is, or is to be, enforced.
func aclAgainstOwnership() error {
	return fault(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
}

// share notes the ACL that a bucket is made with, and asks for what it needs. A
// new bucket blocks public ACLs, and unless it says otherwise all of them.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (c *creation) share(call *gateway.Call, in *s3.CreateBucketInput) error {
	r := &aclRequest{canned(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantWrite, in.GrantReadACP, in.GrantWriteACP, nil}
	r.conditions(call)
	ownership := s3.ObjectOwnershipBucketOwnerEnforced
	if in.ObjectOwnership != nil {
		ownership = *in.ObjectOwnership
		call.Condition("s3:x-amz-object-ownership", string(ownership))
		c.further = append(c.further, gateway.Authorization{Action: "s3:PutBucketOwnershipControls", On: c})
	}
	var err error
	if c.acl, err = r.list(call, call.Account, call.Account, false); err != nil || c.acl.ofOwner(call.Account) {
		return err
	}
	c.further = append(c.further, gateway.Authorization{Action: "s3:PutBucketAcl", On: c})
	switch {
	case ownership == s3.ObjectOwnershipBucketOwnerEnforced:
		return aclAgainstOwnership()
	case c.acl.public():
		return fault(http.StatusBadRequest, "InvalidBucketAclWithBlockPublicAccessError", "Bucket cannot have public ACLs set with BlockPublicAccess enabled")
	}
	return nil
}
