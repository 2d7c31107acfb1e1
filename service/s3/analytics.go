package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) analyticsOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketAnalyticsConfiguration, bucketOf(func(in *s3.PutBucketAnalyticsConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putAnalyticsConfiguration),
		gateway.Op(s3.GetBucketAnalyticsConfiguration, bucketOf(func(in *s3.GetBucketAnalyticsConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getAnalyticsConfiguration),
		gateway.Op(s3.DeleteBucketAnalyticsConfiguration, bucketOf(func(in *s3.DeleteBucketAnalyticsConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.deleteAnalyticsConfiguration),
		gateway.Op(s3.ListBucketAnalyticsConfigurations, bucketOf(func(in *s3.ListBucketAnalyticsConfigurationsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.listAnalyticsConfigurations),
	}
}

func (s *Service) putAnalyticsConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketAnalyticsConfigurationInput) (*s3.PutBucketAnalyticsConfigurationOutput, error) {
	c := in.AnalyticsConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	if f := c.Filter; f != nil && !oneOf(f.Prefix != nil, f.Tag != nil, f.And != nil) {
		return nil, malformedXML()
	}
	return nil, analytics.putNamed(call, b, in.Id, c.Id, c)
}

func (s *Service) getAnalyticsConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.GetBucketAnalyticsConfigurationInput) (*s3.GetBucketAnalyticsConfigurationOutput, error) {
	c, err := analytics.getNamed(call, b, in.Id)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketAnalyticsConfigurationOutput{AnalyticsConfiguration: c}, nil
}

func (s *Service) deleteAnalyticsConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.DeleteBucketAnalyticsConfigurationInput) (*s3.DeleteBucketAnalyticsConfigurationOutput, error) {
	return nil, analytics.deleteNamed(call, b, in.Id)
}

func (s *Service) listAnalyticsConfigurations(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListBucketAnalyticsConfigurationsInput) (*s3.ListBucketAnalyticsConfigurationsOutput, error) {
	page, next, err := analytics.list(s, call, b, in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	return &s3.ListBucketAnalyticsConfigurationsOutput{
		AnalyticsConfigurationList: page, IsTruncated: new(next != nil), ContinuationToken: in.ContinuationToken, NextContinuationToken: next,
	}, nil
}
