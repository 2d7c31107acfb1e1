package s3

import (
	"slices"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// ACL is an access control list of a bucket or an object.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
type ACL struct{ Grants []Grant }

// Grant gives a permission to an account, by its canonical user id, or to a group.
type Grant struct {
	ID, Group  string // one of them
	Permission s3.Permission
}

// The groups that an ACL may name.
const (
	allUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	logDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

// maxGrants is how many grants an ACL may have.
const maxGrants = 100

// ownACL is the list of what has none of its own: its owner may do all.
func ownACL(account string) *ACL {
	return &ACL{[]Grant{{ID: CanonicalID(account), Permission: s3.PermissionFullControl}}}
}

// public tells whether a list lets in whoever comes, or whoever has an account anywhere.
func (l *ACL) public() bool {
	return l != nil && slices.ContainsFunc(l.Grants, func(g Grant) bool { return g.Group == allUsers || g.Group == authenticatedUsers })
}

// ofOwner tells whether a list gives the account all, and nobody else anything.
func (l *ACL) ofOwner(account string) bool {
	return l == nil || slices.Equal(l.Grants, ownACL(account).Grants)
}

// grants tells whether a list lets the caller of another account than owner, or
// a group that it is in, have a permission. What an account may do with its own
// its identities' policies say.
func (l *ACL) grants(caller *aws.Principal, owner string, ignorePublic bool, want s3.Permission) bool {
	if l == nil {
		return false
	}
	for _, g := range l.Grants {
		if g.Permission != want && g.Permission != s3.PermissionFullControl {
			continue
		}
		identified := caller.Kind != aws.Anonymous && caller.Account != ""
		switch {
		case g.Group == allUsers && !ignorePublic, g.Group == authenticatedUsers && !ignorePublic && identified:
			return true
		case g.ID != "" && identified && caller.Account != owner && g.ID == CanonicalID(caller.Account):
			return true
		}
	}
	return false
}

// enforced tells whether the bucket's owner owns all that lies in it, and ACLs mean nothing.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func (b *Bucket) enforced() bool { return b.Ownership == s3.ObjectOwnershipBucketOwnerEnforced }

// ownerOf is whose object a version is.
func (b *Bucket) ownerOf(v *Version) string {
	if b.enforced() {
		return b.Account
	}
	return v.Account
}

// bucketGrants are the actions on a bucket that a permission in its ACL allows.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping
var bucketGrants = map[string]s3.Permission{
	"s3:ListBucket": s3.PermissionRead, "s3:ListBucketVersions": s3.PermissionRead, "s3:ListBucketMultipartUploads": s3.PermissionRead,
	"s3:PutObject":    s3.PermissionWrite,
	"s3:GetBucketAcl": s3.PermissionReadAcp, "s3:PutBucketAcl": s3.PermissionWriteAcp,
}

// objectGrants are those on an object.
var objectGrants = map[string]s3.Permission{
	"s3:GetObject": s3.PermissionRead, "s3:GetObjectVersion": s3.PermissionRead,
	"s3:GetObjectAcl": s3.PermissionReadAcp, "s3:GetObjectVersionAcl": s3.PermissionReadAcp,
	"s3:PutObjectAcl": s3.PermissionWriteAcp, "s3:PutObjectVersionAcl": s3.PermissionWriteAcp,
}

// Granted implements gateway.Granting: what the bucket's ACL allows.
func (b *onBucket) Granted(call *gateway.Call, action string) (bool, error) {
	want, ok := bucketGrants[action]
	return ok && !b.enforced() && b.ACL.grants(call.Principal, b.Account, b.block.IgnoreACLs, want), nil
}

// Granted implements gateway.Granting: what the object's ACL allows; where there
// is no object, or it is being written, what its bucket's does. Who may list the
// bucket is told that an object is not there.
func (o *onObject) Granted(call *gateway.Call, action string) (bool, error) {
	want, ok := objectGrants[action]
	switch {
	case action == "s3:PutObject", o.acl != nil && action == "s3:PutObjectAcl":
		return o.bucket.Granted(call, "s3:PutObject")
	case !ok || o.bucket.enforced():
		return false, nil
	case want == s3.PermissionRead && (o.version == nil || o.version.Marker):
		return o.bucket.Granted(call, "s3:ListBucket")
	case o.version == nil:
		return false, nil
	}
	return o.version.ACL.grants(call.Principal, o.version.Account, o.bucket.block.IgnoreACLs, want), nil
}

// foreign tells whether the object that a call acts on is another account's than
// the bucket's: of the bucket's policy what denies bears on it, and nothing else.
func (o *onObject) foreign() bool {
	return o.version != nil && !o.version.Marker && o.bucket.ownerOf(o.version) != o.bucket.Account
}
