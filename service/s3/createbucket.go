package s3

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// creation is a bucket to be: nobody's yet, so that its account is the caller's.
type creation struct {
	name, arn, account string
	further            []gateway.Authorization
	acl                *ACL
}

// ResourceAccount implements gateway.Owned.
func (c *creation) ResourceAccount() string { return c.account }

// ARN implements gateway.Resource.
func (c *creation) ARN() string { return c.arn }

// Further implements gateway.Compound.
func (c *creation) Further() []gateway.Authorization { return c.further }

// usualRegion is the Region that has no location constraint.
const usualRegion = "us-east-1"

func (s *Service) bucketToCreate(call *gateway.Call, in *s3.CreateBucketInput) (*creation, error) {
	if err := checkBucketName(in.Bucket); err != nil {
		return nil, err
	}
	if in.BucketNamespace != nil && *in.BucketNamespace != s3.BucketNamespaceGlobal {
		return nil, gateway.NotImplemented(call.Operation, "BucketNamespace")
	}
	location := ""
	on := &creation{name: in.Bucket, account: call.Account, arn: "arn:" + call.Partition + ":s3:::" + in.Bucket}
	if err := on.share(call, in); err != nil {
		return nil, err
	}
	if flag(in.ObjectLockEnabledForBucket) {
		on.further = append(on.further, gateway.Authorization{Action: "s3:PutBucketObjectLockConfiguration", On: on},
			gateway.Authorization{Action: "s3:PutBucketVersioning", On: on})
	}
	if c := in.CreateBucketConfiguration; c != nil {
		if c.Location != nil || c.Bucket != nil {
			return nil, invalidRequest("A general purpose bucket can't be created with a Location or Bucket configuration.")
		}
		if c.LocationConstraint != nil {
			location = string(*c.LocationConstraint)
		}
		if len(c.Tags) > 0 {
			keys := make([]string, 0, len(c.Tags))
			for _, t := range c.Tags {
				call.Condition("aws:RequestTag/"+t.Key, t.Value)
				keys = append(keys, t.Key)
			}
			call.ConditionList("aws:TagKeys", keys...)
			on.further = append(on.further, gateway.Authorization{Action: "s3:TagResource", On: on})
		}
	}
	if location != "" {
		call.Condition("s3:locationconstraint", location)
	}
	return on, s.checkLocation(call, location)
}

// europe is the location constraint that eu-west-1 had first.
const europe = "EU"

// regionAt is the Region of a location constraint.
func regionAt(location string) string {
	if location == europe {
		return "eu-west-1"
	}
	return location
}

// checkLocation refuses a location constraint ("": none) that the endpoint does
// not make buckets at. That of us-east-1 makes them everywhere.
func (s *Service) checkLocation(call *gateway.Call, location string) error {
	switch {
	case call.Region == usualRegion && location == "":
		return nil
	case call.Region == usualRegion:
		if location == usualRegion || !slices.Contains(s.Regions, regionAt(location)) {
			return fault(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid", "LocationConstraint", location)
		}
	case regionAt(location) != call.Region:
		return fault(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The "+cmp.Or(location, "unspecified")+" location constraint is incompatible for the region specific endpoint this request was sent to.")
	}
	return nil
}

func (s *Service) createBucket(_ context.Context, call *gateway.Call, on *creation, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	b := &Bucket{
		Name: on.name, Region: call.Region, Account: call.Account, ID: newID(), Created: second(call.Time),
		Ownership: s3.ObjectOwnershipBucketOwnerEnforced, Block: &PublicAccessBlock{true, true, true, true}, ACL: on.acl,
		Encryption: BucketEncryption{BlocksSSEC: true},
	}
	if in.ObjectOwnership != nil {
		b.Ownership = *in.ObjectOwnership
	}
	if flag(in.ObjectLockEnabledForBucket) {
		b.Lock, b.Versioning = new(ObjectLock), s3.BucketVersioningStatusEnabled
	}
	location := "/" + b.Name
	if c := in.CreateBucketConfiguration; c != nil {
		var err error
		if b.Tags, err = tagsOf(c.Tags, maxBucketTags); err != nil {
			return nil, err
		}
		if c.LocationConstraint != nil && *c.LocationConstraint != "" {
			b.Region = regionAt(string(*c.LocationConstraint))
			if *c.LocationConstraint == europe {
				b.Location = europe
			}
		}
	}
	owned, err := names.Get(call.Tx, "", b.Name)
	switch {
	case err == nil && owned.Account != call.Account:
		return nil, fault(http.StatusConflict, "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.", "BucketName", b.Name)
	case err == nil:
		have, err := buckets.Get(call.Tx, owned.Account, b.Name)
		if err == nil && have.Region == usualRegion && b.Region == usualRegion && (b.Lock == nil || have.Lock != nil) {
			return &s3.CreateBucketOutput{Location: &location, BucketArn: new(on.arn)}, nil // as there since 2006
		}
		if err != nil {
			return nil, err
		}
		return nil, fault(http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.", "BucketName", b.Name)
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	if err := errors.Join(names.Insert(call.Tx, "", &ownedName{call.Account}, b.Name), buckets.Insert(call.Tx, call.Account, b, b.Name)); err != nil {
		return nil, err
	}
	return &s3.CreateBucketOutput{Location: &location, BucketArn: new(on.arn)}, nil
}

// checkBucketName refuses what is no name of a general purpose bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func checkBucketName(name string) error {
	if !validBucketName(name) {
		return fault(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.", "BucketName", name)
	}
	return nil
}

func validBucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") {
		return false
	}
	for i, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && ((c != '-' && c != '.') || i == 0 || i == len(name)-1) {
			return false
		}
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return true
}
