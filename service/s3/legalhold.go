package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func objectToHold(call *gateway.Call, in *s3.PutObjectLegalHoldInput) (*onObject, error) {
	o, err := objectOf(func(in *s3.PutObjectLegalHoldInput) (string, string, *string, *string) {
		return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
	})(call, in)
	if in.LegalHold != nil && in.LegalHold.Status != nil {
		call.Condition("s3:object-lock-legal-hold", string(*in.LegalHold.Status))
	}
	return o, err
}

// putObjectLegalHold puts a version under a legal hold, or lifts it. Retention stays as it is.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
func (s *Service) putObjectLegalHold(_ context.Context, call *gateway.Call, on *onObject, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	v, err := on.lockable(call)
	if err != nil {
		return nil, err
	}
	if in.LegalHold == nil || in.LegalHold.Status == nil {
		return nil, malformedXML()
	}
	next := Lock{}
	if v.Lock != nil {
		next = *v.Lock
	}
	next.Hold = *in.LegalHold.Status
	return nil, on.change(call, func(v *Version) { v.Lock = &next })
}

func (s *Service) getObjectLegalHold(_ context.Context, call *gateway.Call, on *onObject, _ *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	v, err := on.lockable(call)
	if err != nil {
		return nil, err
	}
	if v.Lock == nil || v.Lock.Hold == "" {
		return nil, noLock()
	}
	return &s3.GetObjectLegalHoldOutput{LegalHold: &s3.ObjectLockLegalHold{Status: &v.Lock.Hold}}, nil
}
