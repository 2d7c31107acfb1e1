package s3

import (
	"context"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func objectToRetain(call *gateway.Call, in *s3.PutObjectRetentionInput) (*onObject, error) {
	o, err := objectOf(func(in *s3.PutObjectRetentionInput) (string, string, *string, *string) {
		return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
	})(call, in)
	if r := in.Retention; r != nil && r.Mode != nil && r.RetainUntilDate != nil {
		retentionConditions(call, string(*r.Mode), *r.RetainUntilDate)
	}
	return o, err
}

// lockable is the version whose lock a call is about.
func (o *onObject) lockable(call *gateway.Call) (*Version, error) {
	if o.bucket.Lock == nil {
		return nil, noObjectLock()
	}
	return o.present(call)
}

// putObjectRetention retains a version, longer than before; or otherwise, where
// governance is bypassed. Nobody shortens or lifts compliance.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
func (s *Service) putObjectRetention(_ context.Context, call *gateway.Call, on *onObject, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	v, err := on.lockable(call)
	if err != nil {
		return nil, err
	}
	r := in.Retention
	if r == nil || (r.Mode == nil) != (r.RetainUntilDate == nil) {
		return nil, malformedXML()
	}
	next := Lock{}
	if v.Lock != nil {
		next.Hold = v.Lock.Hold
	}
	if r.Mode != nil {
		if !r.RetainUntilDate.After(call.Time) {
			return nil, pastRetention("RetainUntilDate", *r.RetainUntilDate)
		}
		next.Mode, next.Until = *r.Mode, shownDate(*r.RetainUntilDate)
	}
	now := v.Lock.retained(call.Time)
	if now != "" && (next.Mode != now || next.Until.Before(v.Lock.Until)) {
		if now == s3.ObjectLockRetentionModeCompliance {
			return nil, locked()
		}
		if err := on.bypass(call, in.BypassGovernanceRetention); err != nil {
			return nil, err
		}
	}
	return nil, on.change(call, func(v *Version) { v.Lock = &next })
}

// bypass tells whether the call may do what governance keeps from being done:
// it says that it means to, and is permitted.
func (o *onObject) bypass(call *gateway.Call, said *bool) error {
	if !flag(said) {
		return locked()
	}
	return call.Authorize("s3:BypassGovernanceRetention", o)
}

func noLock() error {
	return fault(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

func (s *Service) getObjectRetention(_ context.Context, call *gateway.Call, on *onObject, _ *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	v, err := on.lockable(call)
	if err != nil {
		return nil, err
	}
	if v.Lock == nil || v.Lock.Mode == "" {
		return nil, noLock()
	}
	return &s3.GetObjectRetentionOutput{Retention: &s3.ObjectLockRetention{Mode: &v.Lock.Mode, RetainUntilDate: &v.Lock.Until}}, nil
}
