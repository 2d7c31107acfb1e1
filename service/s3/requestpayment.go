package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) putBucketRequestPayment(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketRequestPaymentInput) (*s3.PutBucketRequestPaymentOutput, error) {
	if in.RequestPaymentConfiguration == nil {
		return nil, malformedXML()
	}
	return nil, payments.put(call.Tx, b.Bucket, "", in.RequestPaymentConfiguration)
}

func (s *Service) getBucketRequestPayment(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.GetBucketRequestPaymentInput) (*s3.GetBucketRequestPaymentOutput, error) {
	c, err := payments.get(call.Tx, b.Bucket, "")
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketRequestPaymentOutput{Payer: new(s3.PayerBucketOwner)}
	if c != nil {
		out.Payer = &c.Payer
	}
	return out, nil
}

// paid refuses a call of another account to a bucket whose requesters pay, unless
// it says that it does. Nobody pays Garrison; what holds is that nobody but
// those who say so is let in, and nobody unnamed.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html
func (b *Bucket) paid(call *gateway.Call) error {
	if call.Principal.Account == b.Account || call.Principal.Kind == aws.ServiceCaller {
		return nil
	}
	c, err := payments.get(call.Tx, b, "")
	if err != nil || c == nil || c.Payer != s3.PayerRequester {
		return err
	}
	if call.Principal.Kind == aws.Anonymous || !call.Pays() {
		return accessDenied()
	}
	return nil
}
