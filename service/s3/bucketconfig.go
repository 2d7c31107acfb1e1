package s3

import (
	"context"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) putBucketVersioning(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	c := in.VersioningConfiguration
	if c == nil || c.Status == nil {
		return nil, fault(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	enables := c.MFADelete != nil && *c.MFADelete == s3.MFADeleteEnabled
	if err := s.verifyMFA(call, b, in.MFA, enables || b.deletesByMFA()); err != nil {
		return nil, err
	}
	if enables && b.Expires {
		return nil, invalidBucketState("Mfa Authentication is not supported on a bucket with lifecycle configuration. Delete lifecycle configuration before enabling Mfa Authentication.")
	}
	if b.Lock != nil && *c.Status != s3.BucketVersioningStatusEnabled {
		return nil, invalidBucketState("An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Versioning = *c.Status
		if c.MFADelete != nil && (enables || b.MFADelete != "") {
			b.MFADelete = s3.MFADeleteStatus(*c.MFADelete)
		}
		return nil
	})
}

func (s *Service) getBucketVersioning(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	out := new(s3.GetBucketVersioningOutput)
	if b.Versioning != "" {
		out.Status = &b.Versioning
	}
	if b.MFADelete != "" {
		out.MFADelete = &b.MFADelete
	}
	return out, nil
}

// versioned tells whether the bucket keeps versions from now on.
func (b *Bucket) versioned() bool { return b.Versioning == s3.BucketVersioningStatusEnabled }

func (s *Service) putPublicAccessBlock(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error) {
	c := in.PublicAccessBlockConfiguration
	if c == nil || c.BlockPublicAcls == nil && c.IgnorePublicAcls == nil && c.BlockPublicPolicy == nil && c.RestrictPublicBuckets == nil {
		return nil, invalidRequest("Must specify at least one configuration.")
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Block = &PublicAccessBlock{flag(c.BlockPublicAcls), flag(c.IgnorePublicAcls), flag(c.BlockPublicPolicy), flag(c.RestrictPublicBuckets)}
		return nil
	})
}

func flag(b *bool) bool { return b != nil && *b }

func (s *Service) getPublicAccessBlock(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
	if b.Block == nil {
		return nil, fault(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", "BucketName", b.Name)
	}
	c := *b.Block
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &s3.PublicAccessBlockConfiguration{
		BlockPublicAcls: &c.BlockACLs, IgnorePublicAcls: &c.IgnoreACLs, BlockPublicPolicy: &c.BlockPolicy, RestrictPublicBuckets: &c.RestrictBuckets,
	}}, nil
}

func (s *Service) deletePublicAccessBlock(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error) {
	return nil, b.change(call, func(b *Bucket) error {
		b.Block = nil
		return nil
	})
}

func (s *Service) putBucketOwnershipControls(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketOwnershipControlsInput) (*s3.PutBucketOwnershipControlsOutput, error) {
	c := in.OwnershipControls
	if c == nil || len(c.Rules) != 1 {
		return nil, malformedXML()
	}
	if c.Rules[0].ObjectOwnership == s3.ObjectOwnershipBucketOwnerEnforced && !b.ACL.ofOwner(b.Account) {
		return nil, aclAgainstOwnership()
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Ownership = c.Rules[0].ObjectOwnership
		return nil
	})
}

func (s *Service) getBucketOwnershipControls(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketOwnershipControlsInput) (*s3.GetBucketOwnershipControlsOutput, error) {
	if b.Ownership == "" {
		return nil, fault(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found", "BucketName", b.Name)
	}
	return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &s3.OwnershipControls{
		Rules: []s3.OwnershipControlsRule{{ObjectOwnership: b.Ownership}},
	}}, nil
}

func (s *Service) deleteBucketOwnershipControls(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketOwnershipControlsInput) (*s3.DeleteBucketOwnershipControlsOutput, error) {
	return nil, b.change(call, func(b *Bucket) error {
		b.Ownership = ""
		return nil
	})
}
