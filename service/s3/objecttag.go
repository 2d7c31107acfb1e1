package s3

import (
	"context"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func objectToTag(call *gateway.Call, in *s3.PutObjectTaggingInput) (*onObject, error) {
	o, err := objectOf(func(in *s3.PutObjectTaggingInput) (string, string, *string, *string) {
		return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
	})(call, in)
	if o != nil && in.Tagging != nil {
		given := make([]Tag, 0, len(in.Tagging.TagSet))
		for _, t := range in.Tagging.TagSet {
			given = append(given, Tag{t.Key, t.Value})
		}
		requestTags(call, given)
	}
	return o, err
}

// present is the version that a call is about; a delete marker has no tags.
func (o *onObject) present(call *gateway.Call) (*Version, error) {
	switch v := o.version; {
	case v == nil:
		return nil, o.missing(call)
	case v.Marker:
		return nil, o.deleted(call)
	default:
		return v, nil
	}
}

// change edits a version's row, current or not.
func (o *onObject) change(call *gateway.Call, edit func(*Version)) error {
	b, v := o.bucket, o.version
	current, err := b.current(call.Tx, o.key)
	if err != nil {
		return err
	}
	change := func(v *Version) error {
		edit(v)
		return nil
	}
	if current != nil && current.Sequence == v.Sequence {
		return objects.Update(call.Tx, b.Account, change, b.ID, o.key)
	}
	return versions.Update(call.Tx, b.Account, change, b.ID, o.key, sequencePart(v.Sequence))
}

// versionID is the version's name as answers have it; nil where the bucket never kept versions.
func (o *onObject) versionID() *string {
	if o.bucket.Versioning == "" {
		return nil
	}
	return &o.version.ID
}

func (s *Service) putObjectTagging(_ context.Context, call *gateway.Call, on *onObject, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if _, err := on.present(call); err != nil {
		return nil, err
	}
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	tags, err := tagsOf(in.Tagging.TagSet, maxObjectTags)
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectTaggingOutput{VersionId: on.versionID()}, on.change(call, func(v *Version) { v.Tags = tags })
}

func (s *Service) getObjectTagging(_ context.Context, call *gateway.Call, on *onObject, _ *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	v, err := on.present(call)
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectTaggingOutput{VersionId: on.versionID(), TagSet: apiTags(v.Tags)}, nil
}

func (s *Service) deleteObjectTagging(_ context.Context, call *gateway.Call, on *onObject, _ *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	if _, err := on.present(call); err != nil {
		return nil, err
	}
	return &s3.DeleteObjectTaggingOutput{VersionId: on.versionID()}, on.change(call, func(v *Version) { v.Tags = nil })
}
