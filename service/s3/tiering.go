package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) tieringOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketIntelligentTieringConfiguration, bucketOf(func(in *s3.PutBucketIntelligentTieringConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putIntelligentTieringConfiguration),
		gateway.Op(s3.GetBucketIntelligentTieringConfiguration, bucketOf(func(in *s3.GetBucketIntelligentTieringConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getIntelligentTieringConfiguration),
		gateway.Op(s3.DeleteBucketIntelligentTieringConfiguration, bucketOf(func(in *s3.DeleteBucketIntelligentTieringConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.deleteIntelligentTieringConfiguration),
		gateway.Op(s3.ListBucketIntelligentTieringConfigurations, bucketOf(func(in *s3.ListBucketIntelligentTieringConfigurationsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.listIntelligentTieringConfigurations),
	}
}

func (s *Service) putIntelligentTieringConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketIntelligentTieringConfigurationInput) (*s3.PutBucketIntelligentTieringConfigurationOutput, error) {
	c := in.IntelligentTieringConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	if f := c.Filter; f != nil && !oneOf(f.Prefix != nil, f.Tag != nil, f.And != nil) {
		return nil, malformedXML()
	}
	return nil, tiering.putNamed(call, b, in.Id, c.Id, c)
}

func (s *Service) getIntelligentTieringConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.GetBucketIntelligentTieringConfigurationInput) (*s3.GetBucketIntelligentTieringConfigurationOutput, error) {
	c, err := tiering.getNamed(call, b, in.Id)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketIntelligentTieringConfigurationOutput{IntelligentTieringConfiguration: c}, nil
}

func (s *Service) deleteIntelligentTieringConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.DeleteBucketIntelligentTieringConfigurationInput) (*s3.DeleteBucketIntelligentTieringConfigurationOutput, error) {
	return nil, tiering.deleteNamed(call, b, in.Id)
}

func (s *Service) listIntelligentTieringConfigurations(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListBucketIntelligentTieringConfigurationsInput) (*s3.ListBucketIntelligentTieringConfigurationsOutput, error) {
	page, next, err := tiering.list(s, call, b, in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	return &s3.ListBucketIntelligentTieringConfigurationsOutput{
		IntelligentTieringConfigurationList: page, IsTruncated: new(next != nil), ContinuationToken: in.ContinuationToken, NextContinuationToken: next,
	}, nil
}
