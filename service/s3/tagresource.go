package s3

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/garrison-security/garrison/api/s3control"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

func (c Control) tagOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3control.ListTagsForResource, func(call *gateway.Call, in *s3control.ListTagsForResourceInput) (*onBucket, error) {
			return bucketOfARN(call, in.AccountId, in.ResourceArn)
		}, c.listTagsForResource),
		gateway.Op(s3control.TagResource, func(call *gateway.Call, in *s3control.TagResourceInput) (*onBucket, error) {
			var keys []string
			for _, t := range in.Tags {
				call.Condition("aws:RequestTag/"+t.Key, t.Value)
				keys = append(keys, t.Key)
			}
			call.ConditionList("aws:TagKeys", keys...)
			return bucketOfARN(call, in.AccountId, in.ResourceArn)
		}, c.tagResource),
		gateway.Op(s3control.UntagResource, func(call *gateway.Call, in *s3control.UntagResourceInput) (*onBucket, error) {
			call.ConditionList("aws:TagKeys", in.TagKeys...)
			return bucketOfARN(call, in.AccountId, in.ResourceArn)
		}, c.untagResource),
	}
}

// bucketOfARN is the bucket of an account that an ARN names. Nothing else has
// tags here that S3 Control knows.
func bucketOfARN(call *gateway.Call, account, arn string) (*onBucket, error) {
	missing := fault(http.StatusNotFound, "NoSuchResource", "The specified resource doesn't exist.")
	name, ok := strings.CutPrefix(arn, "arn:"+call.Partition+":s3:::")
	if !ok || strings.Contains(name, "/") {
		return nil, missing
	}
	b, err := findBucket(call, name, nil)
	if e, ok := errors.AsType[*aws.Error](err); ok && e.Code == "NoSuchBucket" {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	if account != b.Account {
		return nil, accessDenied()
	}
	return b, nil
}

func (Control) listTagsForResource(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3control.ListTagsForResourceInput) (*s3control.ListTagsForResourceOutput, error) {
	out := &s3control.ListTagsForResourceOutput{Tags: make([]s3control.Tag, 0, len(b.Tags))}
	for _, t := range b.Tags {
		out.Tags = append(out.Tags, s3control.Tag{Key: t.Key, Value: t.Value})
	}
	return out, nil
}

// tagResource adds tags to a bucket's, or gives those that it has other values.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
func (Control) tagResource(_ context.Context, call *gateway.Call, b *onBucket, in *s3control.TagResourceInput) (*s3control.TagResourceOutput, error) {
	tags := slices.Clone(b.Tags)
	seen := map[string]bool{}
	for _, t := range in.Tags {
		if err := checkTag(t.Key, t.Value); err != nil {
			return nil, err
		}
		if seen[t.Key] {
			return nil, invalidTag("There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.")
		}
		seen[t.Key] = true
		if i := slices.IndexFunc(tags, func(have Tag) bool { return have.Key == t.Key }); i >= 0 {
			tags[i].Value = t.Value
		} else {
			tags = append(tags, Tag{t.Key, t.Value})
		}
	}
	if len(tags) > maxBucketTags {
		return nil, fault(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than 50")
	}
	return nil, b.change(call, func(b *Bucket) error {
		b.Tags = tags
		return nil
	})
}

func (Control) untagResource(_ context.Context, call *gateway.Call, b *onBucket, in *s3control.UntagResourceInput) (*s3control.UntagResourceOutput, error) {
	return nil, b.change(call, func(b *Bucket) error {
		b.Tags = slices.DeleteFunc(slices.Clone(b.Tags), func(t Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
}

// checkTag is worded as recorded answers of TagResource are.
func checkTag(key, value string) error {
	switch {
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return invalidTag(`User-defined tag keys can't start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.`)
	case key == "" || utf8.RuneCountInString(key) > 128 || !tagText(key), utf8.RuneCountInString(value) > 256 || !tagText(value):
		return invalidTag("This request contains a tag key or value that isn't valid. Valid characters include the following: [a-zA-Z+-=._:/]. " +
			"Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters.")
	}
	return nil
}

func invalidTag(message string) error { return fault(http.StatusBadRequest, "InvalidTag", message) }
