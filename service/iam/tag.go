package iam

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// tagsOf are an input's tags. Keys are unique whatever their case, and those
// that begin with "aws:" are AWS's own.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
func tagsOf(in []iam.Tag) ([]Tag, error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]Tag, 0, len(in))
	seen := make(map[string]bool, len(in))
	for _, t := range in {
		key := fold(t.Key)
		if strings.HasPrefix(key, "aws:") {
			return nil, invalidInput("Tag keys beginning with aws: are reserved for system use")
		}
		if seen[key] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[key] = true
		out = append(out, Tag{t.Key, t.Value})
	}
	return out, nil
}

func apiTags(tags []Tag) []iam.Tag {
	if len(tags) == 0 {
		return nil
	}
	out := make([]iam.Tag, len(tags))
	for i, t := range tags {
		out[i] = iam.Tag{Key: t.Key, Value: t.Value}
	}
	return out
}

// tagConditions sets aws:RequestTag/… and aws:TagKeys.
func tagConditions(call *gateway.Call, tags []Tag) {
	if len(tags) == 0 {
		return
	}
	keys := make([]string, len(tags))
	for i, t := range tags {
		keys[i] = t.Key
		call.Condition("aws:RequestTag/"+t.Key, t.Value)
	}
	call.ConditionList("aws:TagKeys", keys...)
}

// setTags lays tags over those of an entity: a key that is there, in whatever
// case, takes the new key's case and value.
func setTags(have, set []Tag) ([]Tag, error) {
	for _, t := range set {
		if i := tagAt(have, t.Key); i >= 0 {
			have[i] = t
		} else {
			have = append(have, t)
		}
	}
	if len(have) > tagsPerEntity {
		return nil, limitExceeded("TagsPerEntity", tagsPerEntity)
	}
	return have, nil
}

// removeTags drops keys; one that is not there is no error.
func removeTags(have []Tag, keys []string) []Tag {
	for _, key := range keys {
		if i := tagAt(have, key); i >= 0 {
			have = slices.Delete(have, i, i+1)
		}
	}
	return have
}

func tagAt(tags []Tag, key string) int {
	return slices.IndexFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Key, key) })
}

// tagPage is a page of tags, in the order of their keys.
func (s *Service) tagPage(call *gateway.Call, of string, tags []Tag, marker *string, maxItems *int32) (*page, []iam.Tag, error) {
	p, err := s.page(call, marker, maxItems, of)
	if err != nil {
		return nil, nil, err
	}
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	found, err := slice(p, sorted, func(t Tag) string { return t.Key })
	if err != nil {
		return nil, nil, err
	}
	out := apiTags(found)
	if out == nil {
		out = []iam.Tag{}
	}
	return p, out, nil
}
