package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) metricsOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketMetricsConfiguration, bucketOf(func(in *s3.PutBucketMetricsConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putMetricsConfiguration),
		gateway.Op(s3.GetBucketMetricsConfiguration, bucketOf(func(in *s3.GetBucketMetricsConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getMetricsConfiguration),
		gateway.Op(s3.DeleteBucketMetricsConfiguration, bucketOf(func(in *s3.DeleteBucketMetricsConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.deleteMetricsConfiguration),
		gateway.Op(s3.ListBucketMetricsConfigurations, bucketOf(func(in *s3.ListBucketMetricsConfigurationsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.listMetricsConfigurations),
	}
}

func (s *Service) putMetricsConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketMetricsConfigurationInput) (*s3.PutBucketMetricsConfigurationOutput, error) {
	c := in.MetricsConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	if f := c.Filter; f != nil && f.AccessPointArn != nil {
		return nil, gateway.NotImplemented(call.Operation, "AccessPointArn")
	}
	if f := c.Filter; f != nil && !oneOf(f.Prefix != nil, f.Tag != nil, f.And != nil) {
		return nil, malformedXML()
	}
	return nil, metrics.putNamed(call, b, in.Id, c.Id, c)
}

func (s *Service) getMetricsConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.GetBucketMetricsConfigurationInput) (*s3.GetBucketMetricsConfigurationOutput, error) {
	c, err := metrics.getNamed(call, b, in.Id)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketMetricsConfigurationOutput{MetricsConfiguration: c}, nil
}

func (s *Service) deleteMetricsConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.DeleteBucketMetricsConfigurationInput) (*s3.DeleteBucketMetricsConfigurationOutput, error) {
	return nil, metrics.deleteNamed(call, b, in.Id)
}

func (s *Service) listMetricsConfigurations(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListBucketMetricsConfigurationsInput) (*s3.ListBucketMetricsConfigurationsOutput, error) {
	page, next, err := metrics.list(s, call, b, in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	return &s3.ListBucketMetricsConfigurationsOutput{
		MetricsConfigurationList: page, IsTruncated: new(next != nil), ContinuationToken: in.ContinuationToken, NextContinuationToken: next,
	}, nil
}
