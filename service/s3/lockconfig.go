package s3

import (
	"context"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// The longest default retention.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
const (
	maxRetentionDays  = 36500
	maxRetentionYears = 100
)

// putObjectLockConfiguration locks a bucket for good, and sets its default retention or takes it away.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
func (s *Service) putObjectLockConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutObjectLockConfigurationInput) (*s3.PutObjectLockConfigurationOutput, error) {
	c := in.ObjectLockConfiguration
	if c == nil || c.ObjectLockEnabled == nil {
		return nil, malformedXML()
	}
	if in.Token != nil { // with which AWS's support once locked buckets
		return nil, gateway.NotImplemented(call.Operation, "Token")
	}
	lock := new(ObjectLock)
	if c.Rule != nil {
		var err error
		if lock.Default, err = defaultRetention(c.Rule.DefaultRetention); err != nil {
			return nil, err
		}
	}
	if !b.versioned() {
		return nil, invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Lock = lock
		return nil
	})
}

func defaultRetention(d *s3.DefaultRetention) (*DefaultRetention, error) {
	if d == nil || d.Mode == nil || (d.Days == nil) == (d.Years == nil) {
		return nil, malformedXML()
	}
	out := &DefaultRetention{Mode: *d.Mode}
	if d.Days != nil {
		out.Days = *d.Days
	} else {
		out.Years = *d.Years
	}
	switch {
	case out.Days <= 0 && out.Years <= 0:
		return nil, fault(http.StatusBadRequest, "InvalidRetentionPeriod", "Default retention period must be a positive integer value.")
	case out.Days > maxRetentionDays, out.Years > maxRetentionYears:
		return nil, fault(http.StatusBadRequest, "InvalidRetentionPeriod", "Default retention period must be at most 36500 days or 100 years.")
	}
	return out, nil
}

func invalidBucketState(message string) error {
	return fault(http.StatusConflict, "InvalidBucketState", message)
}

func (s *Service) getObjectLockConfiguration(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
	if b.Lock == nil {
		return nil, fault(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", "BucketName", b.Name)
	}
	c := &s3.ObjectLockConfiguration{ObjectLockEnabled: new(s3.ObjectLockEnabledEnabled)}
	if d := b.Lock.Default; d != nil {
		shown := &s3.DefaultRetention{Mode: &d.Mode}
		if d.Years > 0 {
			shown.Years = &d.Years
		} else {
			shown.Days = &d.Days
		}
		c.Rule = &s3.ObjectLockRule{DefaultRetention: shown}
	}
	return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: c}, nil
}
