package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// putBucketLogging takes that a bucket logs nothing. A log that nobody delivers
// is refused, after what AWS itself refuses of one.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
func (s *Service) putBucketLogging(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketLoggingInput) (*s3.PutBucketLoggingOutput, error) {
	switch {
	case in.BucketLoggingStatus == nil:
		return nil, malformedXML()
	case in.BucketLoggingStatus.LoggingEnabled == nil:
		return nil, nil
	}
	if err := b.mayLogTo(call.Tx, in.BucketLoggingStatus.LoggingEnabled.TargetBucket); err != nil {
		return nil, err
	}
	return nil, gateway.NotImplemented(call.Operation, "LoggingEnabled")
}

// mayLogTo refuses a bucket for another's log that is not there, is another
// account's, or lies elsewhere.
func (b *Bucket) mayLogTo(tx store.Tx, name string) error {
	owned, err := names.Get(tx, "", name)
	if errors.Is(err, store.ErrNotFound) {
		return fault(http.StatusBadRequest, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist", "TargetBucket", name)
	}
	if err != nil {
		return err
	}
	if owned.Account != b.Account {
		return fault(http.StatusBadRequest, "InvalidTargetBucketForLogging",
			"The owner for the bucket to be logged and the target bucket must be the same.", "TargetBucket", name)
	}
	target, err := buckets.Get(tx, owned.Account, name)
	if err != nil || target.Region == b.Region {
		return err
	}
	fields := []string{"TargetBucketLocation", target.Region}
	if b.Region != "us-east-1" {
		fields = append([]string{"SourceBucketLocation", b.Region}, fields...)
	}
	return fault(http.StatusForbidden, "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ", fields...)
}

// getBucketLogging says that the bucket logs nothing.
func (s *Service) getBucketLogging(context.Context, *gateway.Call, *onBucket, *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
	return nil, nil
}
