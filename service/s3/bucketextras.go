package s3

import (
	"context"
	"net/http"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// extraOperations are on configurations that clients ask for at once: of some a bucket can have none here.
func (s *Service) extraOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketRequestPayment, bucketOf(func(in *s3.PutBucketRequestPaymentInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketRequestPayment),
		gateway.Op(s3.GetBucketRequestPayment, bucketOf(func(in *s3.GetBucketRequestPaymentInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketRequestPayment),
		gateway.Op(s3.PutBucketAccelerateConfiguration, bucketOf(func(in *s3.PutBucketAccelerateConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putBucketAccelerateConfiguration),
		gateway.Op(s3.GetBucketAccelerateConfiguration, bucketOf(func(in *s3.GetBucketAccelerateConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getBucketAccelerateConfiguration),
		gateway.Op(s3.PutBucketLogging, bucketOf(func(in *s3.PutBucketLoggingInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketLogging),
		gateway.Op(s3.GetBucketLogging, bucketOf(func(in *s3.GetBucketLoggingInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketLogging),
		gateway.Op(s3.PutBucketNotificationConfiguration, bucketOf(func(in *s3.PutBucketNotificationConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putBucketNotificationConfiguration),
		gateway.Op(s3.GetBucketNotificationConfiguration, bucketOf(func(in *s3.GetBucketNotificationConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getBucketNotificationConfiguration),
		gateway.Op(s3.GetBucketReplication, bucketOf(func(in *s3.GetBucketReplicationInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketReplication),
		gateway.Op(s3.DeleteBucketReplication, bucketOf(func(in *s3.DeleteBucketReplicationInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deleteBucketReplication),
	}
}

func (s *Service) putBucketAccelerateConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketAccelerateConfigurationInput) (*s3.PutBucketAccelerateConfigurationOutput, error) {
	c := in.AccelerateConfiguration
	switch {
	case c == nil || c.Status == nil:
		return nil, malformedXML()
	case strings.Contains(b.Name, "."):
		return nil, invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
	}
	return nil, accelerated.put(call.Tx, b.Bucket, "", c)
}

func (s *Service) getBucketAccelerateConfiguration(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.GetBucketAccelerateConfigurationInput) (*s3.GetBucketAccelerateConfigurationOutput, error) {
	c, err := accelerated.get(call.Tx, b.Bucket, "")
	if err != nil || c == nil {
		return new(s3.GetBucketAccelerateConfigurationOutput), err
	}
	return &s3.GetBucketAccelerateConfigurationOutput{Status: c.Status}, nil
}

// getBucketReplication says that there is none: PutBucketReplication is not served.
func (s *Service) getBucketReplication(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketReplicationInput) (*s3.GetBucketReplicationOutput, error) {
	return nil, fault(http.StatusNotFound, "ReplicationConfigurationNotFoundError", "The replication configuration was not found", "BucketName", b.Name)
}

func (s *Service) deleteBucketReplication(context.Context, *gateway.Call, *onBucket, *s3.DeleteBucketReplicationInput) (*s3.DeleteBucketReplicationOutput, error) {
	return nil, nil
}
