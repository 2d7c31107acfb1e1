package s3

import (
	"context"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// How many tags there may be.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
const (
	maxBucketTags = 50
	maxObjectTags = 10
)

// tagsOf checks tags and answers them as they are stored, in the order given.
func tagsOf(given []s3.Tag, most int) ([]Tag, error) {
	if len(given) > most {
		if most == maxObjectTags {
			return nil, fault(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than 10")
		}
		return nil, fault(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than 50")
	}
	seen := map[string]bool{}
	tags := make([]Tag, 0, len(given))
	for _, t := range given {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || !tagText(t.Key):
			return nil, fault(http.StatusBadRequest, "InvalidTag", "The TagKey you have provided is invalid", "TagKey", t.Key)
		case utf8.RuneCountInString(t.Value) > 256 || !tagText(t.Value):
			return nil, fault(http.StatusBadRequest, "InvalidTag", "The TagValue you have provided is invalid", "TagKey", t.Key, "TagValue", t.Value)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, fault(http.StatusBadRequest, "InvalidTag", "System tags cannot be added/updated by requester", "TagKey", t.Key)
		case seen[t.Key]:
			return nil, fault(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key", "TagKey", t.Key)
		}
		seen[t.Key] = true
		tags = append(tags, Tag{t.Key, t.Value})
	}
	return tags, nil
}

// tagText tells whether s holds what tags may: letters, digits, spaces and _ . : / = + - @.
func tagText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Zs, r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

func apiTags(tags []Tag) []s3.Tag {
	out := make([]s3.Tag, 0, len(tags))
	for _, t := range tags {
		out = append(out, s3.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

func (s *Service) putBucketTagging(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	if err := b.tagsElsewhere(); err != nil {
		return nil, err
	}
	tags, err := tagsOf(in.Tagging.TagSet, maxBucketTags)
	if err != nil {
		return nil, err
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Tags = tags
		return nil
	})
}

func (s *Service) getBucketTagging(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
	if len(b.Tags) == 0 {
		return nil, fault(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist", "BucketName", b.Name)
	}
	return &s3.GetBucketTaggingOutput{TagSet: apiTags(b.Tags)}, nil
}

func (s *Service) deleteBucketTagging(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketTaggingInput) (*s3.DeleteBucketTaggingOutput, error) {
	if err := b.tagsElsewhere(); err != nil {
		return nil, err
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Tags = nil
		return nil
	})
}
