package s3

import (
	"context"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// BucketEncryption is a bucket's default encryption, and what it blocks. The zero
// value is SSE-S3, and blocks nothing.
type BucketEncryption struct {
	Algorithm  s3.ServerSideEncryption // "": AES256
	KeyID      string
	BucketKey  bool
	BlocksSSEC bool
	Explicit   bool // a request set it
}

func (c *BucketEncryption) algorithm() s3.ServerSideEncryption {
	if c.Algorithm == "" {
		return s3.ServerSideEncryptionAes256
	}
	return c.Algorithm
}

// putBucketEncryption sets both, or one: what is blocked stays so where the
// request does not speak of it. No KMS key is looked for, as on AWS.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
func (s *Service) putBucketEncryption(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error) {
	if len(in.ServerSideEncryptionConfiguration.Rules) != 1 {
		return nil, malformedXML()
	}
	rule := &in.ServerSideEncryptionConfiguration.Rules[0]
	apply, blocks := rule.ApplyServerSideEncryptionByDefault, rule.BlockedEncryptionTypes
	if apply == nil && blocks == nil {
		return nil, malformedXML()
	}
	c := BucketEncryption{BucketKey: flag(rule.BucketKeyEnabled), BlocksSSEC: b.Encryption.BlocksSSEC, Explicit: apply != nil}
	if apply != nil {
		c.Algorithm, c.KeyID = apply.SSEAlgorithm, text(apply.KMSMasterKeyID)
		switch c.Algorithm {
		case s3.ServerSideEncryptionAes256:
			if apply.KMSMasterKeyID != nil {
				return nil, fault(http.StatusBadRequest, "InvalidArgument",
					"a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse", "ArgumentName", "ApplyServerSideEncryptionByDefault")
			}
		case s3.ServerSideEncryptionAwsKms, s3.ServerSideEncryptionAwsKmsDsse:
		default:
			return nil, malformedXML()
		}
	}
	if blocks != nil {
		if len(blocks.EncryptionType) != 1 {
			return nil, malformedXML()
		}
		switch blocks.EncryptionType[0] {
		case s3.EncryptionTypeSseC:
			c.BlocksSSEC = true
		case s3.EncryptionTypeNone:
			c.BlocksSSEC = false
		default:
			return nil, malformedXML()
		}
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Encryption = c
		return nil
	})
}

func (s *Service) getBucketEncryption(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
	c := b.Encryption
	blocks := s3.EncryptionTypeNone
	if c.BlocksSSEC {
		blocks = s3.EncryptionTypeSseC
	}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &s3.ServerSideEncryptionConfiguration{Rules: []s3.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &s3.ServerSideEncryptionByDefault{SSEAlgorithm: c.algorithm(), KMSMasterKeyID: some(c.KeyID)},
		BucketKeyEnabled:                   &c.BucketKey,
		BlockedEncryptionTypes:             &s3.BlockedEncryptionTypes{EncryptionType: []s3.EncryptionType{blocks}},
	}}}}, nil
}

func (s *Service) deleteBucketEncryption(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error) {
	return nil, b.change(call, func(b *Bucket) error {
		b.Encryption = BucketEncryption{BlocksSSEC: b.Encryption.BlocksSSEC}
		return nil
	})
}
