package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// ResourceTags implements gateway.Tagged: a bucket's tags decide on access to it,
// and to its objects, where it says so.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
func (b *onBucket) ResourceTags() map[string]string {
	if !b.ABAC {
		return nil
	}
	tags := make(map[string]string, len(b.Tags))
	for _, t := range b.Tags {
		tags[t.Key] = t.Value
	}
	return tags
}

// Describe implements gateway.Described.
func (b *onBucket) Describe(x *policy.Context) {
	for key, value := range b.ResourceTags() {
		x.SetTag("s3:BucketTag/", key, value)
	}
}

// ResourceTags implements gateway.Tagged.
func (o *onObject) ResourceTags() map[string]string { return o.bucket.ResourceTags() }

// Describe implements gateway.Described.
func (o *onObject) Describe(x *policy.Context) { o.bucket.Describe(x) }

func (s *Service) abacOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketAbac, bucketOf(func(in *s3.PutBucketAbacInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketAbac),
		gateway.Op(s3.GetBucketAbac, bucketOf(func(in *s3.GetBucketAbacInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketAbac),
	}
}

func (s *Service) putBucketAbac(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketAbacInput) (*s3.PutBucketAbacOutput, error) {
	if in.AbacStatus == nil || in.AbacStatus.Status == nil {
		return nil, malformedXML()
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.ABAC = *in.AbacStatus.Status == s3.BucketAbacStatusEnabled
		return nil
	})
}

func (s *Service) getBucketAbac(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketAbacInput) (*s3.GetBucketAbacOutput, error) {
	status := s3.BucketAbacStatusDisabled
	if b.ABAC {
		status = s3.BucketAbacStatusEnabled
	}
	return &s3.GetBucketAbacOutput{AbacStatus: &s3.AbacStatus{Status: &status}}, nil
}

// tagsElsewhere refuses to set the tags of a bucket as a whole where they decide on
// access: TagResource and UntagResource, which see each tag, do.
func (b *Bucket) tagsElsewhere() error {
	if !b.ABAC {
		return nil
	}
	return invalidRequest("The bucket's tags are used for access control (ABAC). Use TagResource and UntagResource to manage them.")
}
