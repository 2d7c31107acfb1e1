package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// tagsOf are an input's tags. Keys are told apart by case; those that begin
// with "aws:" are AWS's own.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
func tagsOf(in []kms.Tag) ([]Tag, error) {
	var out []Tag
	seen := make(map[string]bool, len(in))
	for _, t := range in {
		if len(t.TagKey) >= 4 && strings.EqualFold(t.TagKey[:4], "aws:") {
			return nil, tagError("Tags beginning with aws: are reserved")
		}
		if seen[t.TagKey] {
			return nil, tagError("Duplicate tag keys")
		}
		seen[t.TagKey] = true
		out = append(out, Tag{t.TagKey, t.TagValue})
	}
	if len(out) > tagsPerKey {
		return nil, tagError("Too many tags")
	}
	return out, nil
}

// tagConditions sets aws:RequestTag/… and aws:TagKeys.
func tagConditions(call *gateway.Call, tags []Tag) {
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.Key
		call.Condition("aws:RequestTag/"+t.Key, t.Value)
	}
	call.ConditionList("aws:TagKeys", names...)
}

// untouchedKey is a key that a call is to make, where a decision is about keys: any of the account's.
func untouchedKey(call *gateway.Call) *named {
	n := &named{account: call.Account}
	n.absent("", keyARN(call, call.Account, "*"))
	return n
}

func (s *Service) keyToTag(call *gateway.Call, in *kms.TagResourceInput) (*named, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	tagConditions(call, tags)
	return s.own(call, in.KeyId)
}

func (s *Service) tagResource(_ context.Context, call *gateway.Call, n *named, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	if err := n.taggable(call); err != nil {
		return nil, err
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	return nil, change(call.Tx, n.Key, func(k *Key) error {
		for _, t := range tags {
			if i := k.tagAt(t.Key); i >= 0 {
				k.Tags[i] = t
			} else {
				k.Tags = append(k.Tags, t)
			}
		}
		if len(k.Tags) > tagsPerKey {
			return tagError("Too many tags")
		}
		return nil
	})
}

// taggable refuses keys whose tags can't change.
func (n *named) taggable(call *gateway.Call) error {
	if err := n.customers(call); err != nil {
		return err
	}
	return n.notPendingDeletion()
}

func (k *Key) tagAt(key string) int {
	return slices.IndexFunc(k.Tags, func(t Tag) bool { return t.Key == key })
}

func (s *Service) keyToUntag(call *gateway.Call, in *kms.UntagResourceInput) (*named, error) {
	call.ConditionList("aws:TagKeys", in.TagKeys...)
	return s.own(call, in.KeyId)
}

func (s *Service) untagResource(_ context.Context, call *gateway.Call, n *named, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	if err := n.taggable(call); err != nil {
		return nil, err
	}
	return nil, change(call.Tx, n.Key, func(k *Key) error {
		k.Tags = slices.DeleteFunc(k.Tags, func(t Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
}

func (s *Service) listResourceTags(_ context.Context, call *gateway.Call, n *named, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	p, err := s.page(call, in.Marker, in.Limit, 50, 50, n.Arn)
	if err != nil {
		return nil, err
	}
	found, err := slice(p, n.Tags)
	if err != nil {
		return nil, err
	}
	return &kms.ListResourceTagsOutput{Tags: shownTags(found), NextMarker: p.Next, Truncated: p.More()}, nil
}

func shownTags(tags []Tag) []kms.Tag {
	out := make([]kms.Tag, len(tags))
	for i, t := range tags {
		out[i] = kms.Tag{TagKey: t.Key, TagValue: t.Value}
	}
	return out
}
