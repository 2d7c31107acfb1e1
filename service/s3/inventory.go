package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) inventoryOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketInventoryConfiguration, bucketOf(func(in *s3.PutBucketInventoryConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putInventoryConfiguration),
		gateway.Op(s3.GetBucketInventoryConfiguration, bucketOf(func(in *s3.GetBucketInventoryConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getInventoryConfiguration),
		gateway.Op(s3.DeleteBucketInventoryConfiguration, bucketOf(func(in *s3.DeleteBucketInventoryConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.deleteInventoryConfiguration),
		gateway.Op(s3.ListBucketInventoryConfigurations, bucketOf(func(in *s3.ListBucketInventoryConfigurationsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.listInventoryConfigurations),
	}
}

func (s *Service) putInventoryConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketInventoryConfigurationInput) (*s3.PutBucketInventoryConfigurationOutput, error) {
	c := in.InventoryConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	return nil, inventories.putNamed(call, b, in.Id, c.Id, c)
}

func (s *Service) getInventoryConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.GetBucketInventoryConfigurationInput) (*s3.GetBucketInventoryConfigurationOutput, error) {
	c, err := inventories.getNamed(call, b, in.Id)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketInventoryConfigurationOutput{InventoryConfiguration: c}, nil
}

func (s *Service) deleteInventoryConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.DeleteBucketInventoryConfigurationInput) (*s3.DeleteBucketInventoryConfigurationOutput, error) {
	return nil, inventories.deleteNamed(call, b, in.Id)
}

func (s *Service) listInventoryConfigurations(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListBucketInventoryConfigurationsInput) (*s3.ListBucketInventoryConfigurationsOutput, error) {
	page, next, err := inventories.list(s, call, b, in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	return &s3.ListBucketInventoryConfigurationsOutput{
		InventoryConfigurationList: page, IsTruncated: new(next != nil), ContinuationToken: in.ContinuationToken, NextContinuationToken: next,
	}, nil
}
