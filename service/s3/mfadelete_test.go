package s3

import (
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
)

func TestMFADelete(t *testing.T) {
	const bucket = "guarded-bucket"
	e := newEstate(t)
	call(e, e.alice, s3.CreateBucket, &s3.CreateBucketInput{Bucket: bucket})
	good := new("device 123456")
	versioning := func(who *aws.Principal, status s3.BucketVersioningStatus, mfa s3.MFADelete, header *string) string {
		c := &s3.VersioningConfiguration{Status: &status}
		if mfa != "" {
			c.MFADelete = &mfa
		}
		_, got := try(e, who, s3.PutBucketVersioning, &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: c, MFA: header})
		return got
	}
	session, stranger := *e.root, *e.root
	session.Session = &aws.Session{IssuedAt: time.Unix(0, 0)}
	stranger.Account = "444455556666"
	for _, c := range []struct {
		name   string
		who    *aws.Principal
		header *string
		want   string
	}{
		{"without a code", e.root, nil, "AccessDenied"},
		{"by a user", e.alice, good, "AccessDenied"},
		{"in a session", &session, good, "InvalidRequest"},
		{"by another account's root", &stranger, good, "AccessDenied"},
		{"with a wrong code", e.root, new("device 123457"), "AccessDenied"},
		{"with a code alone", e.root, new("123456"), "InvalidArgument"},
		{"with more", e.root, new("device 123456 "), "InvalidArgument"},
		{"with no code behind", e.root, new("device "), "InvalidArgument"},
	} {
		if got := versioning(c.who, "Enabled", "Enabled", c.header); got != c.want {
			t.Errorf("enabled %s: %q, want %q", c.name, got, c.want)
		}
	}
	rules := func() string {
		_, got := try(e, e.alice, s3.PutBucketLifecycleConfiguration, &s3.PutBucketLifecycleConfigurationInput{
			Bucket: bucket, LifecycleConfiguration: &s3.BucketLifecycleConfiguration{Rules: rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) })},
		})
		return got
	}
	if got := rules() + versioning(e.root, "Enabled", "Enabled", good); got != "InvalidBucketState" {
		t.Errorf("beside lifecycle rules: %q", got)
	}
	call(e, e.alice, s3.DeleteBucketLifecycle, &s3.DeleteBucketLifecycleInput{Bucket: bucket})
	if got := versioning(e.root, "Enabled", "Enabled", good); got != "" {
		t.Fatal(got)
	}
	if got := rules(); got != "InvalidBucketState" {
		t.Errorf("lifecycle rules: %q", got)
	}
	if out := call(e, e.alice, s3.GetBucketVersioning, &s3.GetBucketVersioningInput{Bucket: bucket}); *out.MFADelete != "Enabled" {
		t.Errorf("%+v", out)
	}
	// From now on nothing of it goes, and nothing changes, without.
	for _, status := range []s3.BucketVersioningStatus{"Enabled", "Suspended"} {
		if got := versioning(e.root, status, "Disabled", nil) + versioning(e.alice, status, "", nil); got != "AccessDeniedAccessDenied" {
			t.Errorf("%s: %q", status, got)
		}
	}
	one, two, three := e.put(bucket, "k", 1, nil), e.put(bucket, "k", 2, nil), e.put(bucket, "k", 3, nil)
	remove := func(who *aws.Principal, v *Version, header *string) string {
		_, got := try(e, who, s3.DeleteObject, &s3.DeleteObjectInput{Bucket: bucket, Key: "k", VersionId: &v.ID, MFA: header})
		return got
	}
	if got := remove(e.root, one, nil) + remove(e.alice, one, good) + remove(e.root, one, new("device 000000")); got != "AccessDeniedAccessDeniedAccessDenied" {
		t.Errorf("a version is deleted: %q", got)
	}
	call(e, e.alice, s3.DeleteObject, &s3.DeleteObjectInput{Bucket: bucket, Key: "k"}) // a marker is no deletion
	if got := remove(e.root, one, good); got != "" {
		t.Errorf("by MFA: %q", got)
	}
	many := func(header *string, versions ...*Version) string {
		in := &s3.DeleteObjectsInput{Bucket: bucket, MFA: header, Delete: &s3.Delete{Objects: []s3.ObjectIdentifier{{Key: "none"}}}}
		for _, v := range versions {
			in.Delete.Objects = append(in.Delete.Objects, s3.ObjectIdentifier{Key: "k", VersionId: &v.ID})
		}
		out, got := try(e, e.root, s3.DeleteObjects, in)
		if got == "" && len(out.Errors) > 0 {
			t.Errorf("%+v", out.Errors)
		}
		return got
	}
	if got := many(nil, two) + many(new("device 000000")) + many(nil); got != "AccessDeniedAccessDenied" {
		t.Errorf("of many: %q", got)
	}
	if got := many(good, two, three); got != "" {
		t.Errorf("of many by MFA: %q", got)
	}
	if got := versioning(e.root, "Suspended", "Disabled", good) + versioning(e.alice, "Enabled", "", nil); got != "" {
		t.Errorf("taken away: %q", got)
	}
	if out := call(e, e.alice, s3.GetBucketVersioning, &s3.GetBucketVersioningInput{Bucket: bucket}); *out.MFADelete != "Disabled" || *out.Status != "Enabled" {
		t.Errorf("%+v", out)
	}
}
