// Package s3 is Amazon S3: buckets, and objects in versions. Metadata lies in
// the store, content of up to 16 KiB with it, larger content in blobs that are
// sealed under a key of their own and named by the row that is committed last.
//
// A bucket's rows stand in its owner's scope, under the bucket's own id, so that
// one that is made again under an old name finds nothing of the old one.
package s3

import (
	"log/slog"
	"slices"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Options are what a Service is made of.
type Options struct {
	Engine  store.Engine // for the sweeper
	Blobs   blob.Store
	Held    func(store.Tx) (bool, error) // whether a backup holds what was given up; nil: none ever does
	Regions []string                     // those served: where buckets can be made
	Tokens  store.Tokens
	Keys    Keys             // of KMS; nil: none but S3's own
	MFA     MFA              // of IAM; nil: MFA delete is not served
	Clock   func() time.Time // nil is time.Now
	Log     *slog.Logger
}

// Service is S3. It is safe for concurrent use.
type Service struct{ Options }

// New makes the service.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Service{o}
}

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	all := slices.Concat(
		s.bucketOperations(),
		s.aclOperations(),
		s.abacOperations(),
		s.websiteOperations(),
		s.extraOperations(),
		s.namedOperations(),
		s.corsOperations(),
		s.objectOperations(),
		s.lockOperations(),
		s.lifecycleOperations(),
		s.uploadOperations(),
		s.listOperations(),
	)
	for i, o := range all {
		if name := o.Row().Name; name != "CreateBucket" && name != "ListBuckets" {
			all[i] = gateway.Anyone(o)
		}
	}
	return all
}

func (s *Service) bucketOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.CreateBucket, s.bucketToCreate, s.createBucket),
		gateway.Op(s3.HeadBucket, bucketOf(func(in *s3.HeadBucketInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.headBucket),
		gateway.Op(s3.DeleteBucket, bucketOf(func(in *s3.DeleteBucketInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deleteBucket),
		gateway.Op(s3.ListBuckets, gateway.Account[s3.ListBucketsInput], s.listBuckets),
		gateway.Op(s3.GetBucketLocation, bucketOf(func(in *s3.GetBucketLocationInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketLocation),
		gateway.Op(s3.PutBucketVersioning, bucketOf(func(in *s3.PutBucketVersioningInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketVersioning),
		gateway.Op(s3.GetBucketVersioning, bucketOf(func(in *s3.GetBucketVersioningInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketVersioning),
		gateway.Op(s3.PutBucketEncryption, bucketOf(func(in *s3.PutBucketEncryptionInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketEncryption),
		gateway.Op(s3.GetBucketEncryption, bucketOf(func(in *s3.GetBucketEncryptionInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketEncryption),
		gateway.Op(s3.DeleteBucketEncryption, bucketOf(func(in *s3.DeleteBucketEncryptionInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deleteBucketEncryption),
		gateway.Op(s3.PutBucketPolicy, pastPolicy(bucketOf(func(in *s3.PutBucketPolicyInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner })), s.putBucketPolicy),
		gateway.Op(s3.GetBucketPolicy, pastPolicy(bucketOf(func(in *s3.GetBucketPolicyInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner })), s.getBucketPolicy),
		gateway.Op(s3.DeleteBucketPolicy, pastPolicy(bucketOf(func(in *s3.DeleteBucketPolicyInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner })), s.deleteBucketPolicy),
		gateway.Op(s3.PutBucketTagging, bucketOf(func(in *s3.PutBucketTaggingInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketTagging),
		gateway.Op(s3.GetBucketTagging, bucketOf(func(in *s3.GetBucketTaggingInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketTagging),
		gateway.Op(s3.DeleteBucketTagging, bucketOf(func(in *s3.DeleteBucketTaggingInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deleteBucketTagging),
		gateway.Op(s3.PutPublicAccessBlock, bucketOf(func(in *s3.PutPublicAccessBlockInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putPublicAccessBlock),
		gateway.Op(s3.GetPublicAccessBlock, bucketOf(func(in *s3.GetPublicAccessBlockInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getPublicAccessBlock),
		gateway.Op(s3.DeletePublicAccessBlock, bucketOf(func(in *s3.DeletePublicAccessBlockInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deletePublicAccessBlock),
		gateway.Op(s3.PutBucketOwnershipControls, bucketOf(func(in *s3.PutBucketOwnershipControlsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putBucketOwnershipControls),
		gateway.Op(s3.GetBucketOwnershipControls, bucketOf(func(in *s3.GetBucketOwnershipControlsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getBucketOwnershipControls),
		gateway.Op(s3.DeleteBucketOwnershipControls, bucketOf(func(in *s3.DeleteBucketOwnershipControlsInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.deleteBucketOwnershipControls),
	}
}

func (s *Service) objectOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Stream(s3.PutObject, objectToPut, s.receiveObject, s.putObject),
		gateway.Op(s3.GetObject, objectOf(func(in *s3.GetObjectInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.getObject),
		gateway.Op(s3.HeadObject, objectOf(func(in *s3.HeadObjectInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.headObject),
		gateway.Stream(s3.CopyObject, objectToCopy, s.receiveCopy, s.copyObject),
		gateway.Op(s3.GetObjectAttributes, attributesOf, s.getObjectAttributes),
		gateway.Op(s3.PutObjectTagging, objectToTag, s.putObjectTagging),
		gateway.Op(s3.GetObjectTagging, objectOf(func(in *s3.GetObjectTaggingInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.getObjectTagging),
		gateway.Op(s3.DeleteObjectTagging, objectOf(func(in *s3.DeleteObjectTaggingInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.deleteObjectTagging),
		gateway.Op(s3.DeleteObject, objectToDelete, s.deleteObject),
		gateway.Op(s3.DeleteObjects, bucketToDeleteFrom, s.deleteObjects),
		gateway.Op(s3.UpdateObjectEncryption, objectToEncrypt, s.updateObjectEncryption),
		gateway.Op(s3.RestoreObject, objectOf(func(in *s3.RestoreObjectInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.restoreObject),
	}
}

func (s *Service) uploadOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.CreateMultipartUpload, uploadToCreate, s.createMultipartUpload),
		gateway.Stream(s3.UploadPart, partToUpload, s.receivePart, s.uploadPart),
		gateway.Stream(s3.UploadPartCopy, partToCopy, s.receivePartCopy, s.uploadPartCopy),
		gateway.Op(s3.CompleteMultipartUpload, uploadToComplete, s.completeMultipartUpload),
		gateway.Op(s3.AbortMultipartUpload, uploadOf("s3:AbortMultipartUpload", func(in *s3.AbortMultipartUploadInput) (string, string, *string) {
			return in.Bucket, in.Key, in.ExpectedBucketOwner
		}), s.abortMultipartUpload),
		gateway.Op(s3.ListParts, uploadOf("s3:ListMultipartUploadParts", func(in *s3.ListPartsInput) (string, string, *string) {
			return in.Bucket, in.Key, in.ExpectedBucketOwner
		}), s.listParts),
		gateway.Op(s3.ListMultipartUploads, listingOf(func(in *s3.ListMultipartUploadsInput) listing {
			return listing{bucket: in.Bucket, owner: in.ExpectedBucketOwner, prefix: in.Prefix, delimiter: in.Delimiter}
		}), s.listMultipartUploads),
	}
}

func (s *Service) listOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.ListObjects, listingOf(func(in *s3.ListObjectsInput) listing {
			return listing{bucket: in.Bucket, owner: in.ExpectedBucketOwner, prefix: in.Prefix, delimiter: in.Delimiter, maxKeys: in.MaxKeys}
		}), s.listObjects),
		gateway.Op(s3.ListObjectsV2, listingOf(func(in *s3.ListObjectsV2Input) listing {
			return listing{bucket: in.Bucket, owner: in.ExpectedBucketOwner, prefix: in.Prefix, delimiter: in.Delimiter, maxKeys: in.MaxKeys}
		}), s.listObjectsV2),
		gateway.Op(s3.ListObjectVersions, listingOf(func(in *s3.ListObjectVersionsInput) listing {
			return listing{bucket: in.Bucket, owner: in.ExpectedBucketOwner, prefix: in.Prefix, delimiter: in.Delimiter, maxKeys: in.MaxKeys}
		}), s.listObjectVersions),
	}
}
