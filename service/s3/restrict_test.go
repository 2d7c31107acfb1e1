package s3

import (
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

// A public policy that is restricted lets nobody in from elsewhere. What it
// denies it denies all the same: an ACL's grant must not find it gone.
func TestARestrictedPublicPolicyStillDenies(t *testing.T) {
	const text = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/secret"}]}`
	bucket := &Bucket{Name: "b", Account: "111122223333", Policy: []byte(text)}
	elsewhere := &aws.Principal{Kind: aws.User, Partition: "aws", Account: "444455556666", ARN: "arn:aws:iam::444455556666:user/x", ID: "AIDAX"}
	everything := &policy.Policies{Identity: []*policy.Policy{policy.Compile(must(policy.Read([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), policy.Identity)), "")}}
	for _, c := range []struct {
		name, key         string
		restrict, granted bool
		allowed, explicit bool
	}{
		{"public", "k", false, false, true, false},
		{"public, denied", "secret", false, true, false, true},
		{"restricted", "k", true, false, false, false},
		{"restricted, granted by an ACL", "k", true, true, true, false},
		{"restricted, denied, granted by an ACL", "secret", true, true, false, true},
	} {
		on := &onBucket{Bucket: bucket, partition: "aws", caller: elsewhere, block: PublicAccessBlock{RestrictBuckets: c.restrict}}
		p := *everything
		p.Resource, p.Granted = on.ResourcePolicy(), c.granted
		d := policy.Decide(&policy.Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::b/" + c.key, ResourceAccount: bucket.Account, Principal: elsewhere,
		}, &p)
		if d.Allowed != c.allowed || d.Explicit != c.explicit {
			t.Errorf("%s: allowed %t, explicitly denied %t", c.name, d.Allowed, d.Explicit)
		}
	}
}
