package iam

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// keying tells when two tag keys are the same.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating
type keying func(string) string

// anyCase holds for users and roles, asWritten for everything else that has tags.
var (
	anyCase   keying = fold
	asWritten keying = func(key string) string { return key }
)

// tagsOf are an input's tags. Keys that begin with "aws:", in whatever case, are AWS's own.
func (k keying) tagsOf(in []iam.Tag) ([]Tag, error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]Tag, 0, len(in))
	seen := make(map[string]bool, len(in))
	for _, t := range in {
		if strings.HasPrefix(fold(t.Key), "aws:") {
			return nil, invalidInput("Tag keys beginning with aws: are reserved for system use.")
		}
		key := k(t.Key)
		if seen[key] {
			return nil, invalidInput("%s", duplicateKeys(k))
		}
		seen[key] = true
		out = append(out, Tag{t.Key, t.Value})
	}
	return out, nil
}

// duplicateKeys is what AWS says of a key that is there twice.
func duplicateKeys(k keying) string {
	if k("A") == "A" {
		return "Duplicate tag keys found."
	}
	return "Duplicate tag keys found. Please note that Tag keys are case insensitive."
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

// listedTags are tags where an answer has the list even if it is empty.
func listedTags(tags []Tag) []iam.Tag {
	if len(tags) == 0 {
		return []iam.Tag{}
	}
	return apiTags(tags)
}

// byKey are tags in the order of their keys.
func byKey(tags []Tag) []Tag {
	return slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
}

// tagConditions sets aws:RequestTag/… and aws:TagKeys. Of keys that differ in
// case alone the first counts, as in lazyTags.
func tagConditions(call *gateway.Call, tags []Tag) {
	if len(tags) == 0 {
		return
	}
	keys := make([]string, len(tags))
	for i, t := range tags {
		keys[i] = t.Key
		if anyCase.at(tags[:i], t.Key) < 0 {
			call.Condition("aws:RequestTag/"+t.Key, t.Value)
		}
	}
	call.ConditionList("aws:TagKeys", keys...)
}

// set lays tags over those that are there: a key that is there takes the new
// key's case and value.
func (k keying) set(have, set []Tag) ([]Tag, error) {
	for _, t := range set {
		if i := k.at(have, t.Key); i >= 0 {
			have[i] = t
		} else {
			have = append(have, t)
		}
	}
	if len(have) > tagsPerEntity {
		return nil, &iam.LimitExceededException{Message: "The number of tags has reached the maximum limit."}
	}
	return have, nil
}

// remove drops keys; one that is not there is no error.
func (k keying) remove(have []Tag, keys []string) []Tag {
	for _, key := range keys {
		if i := k.at(have, key); i >= 0 {
			have = slices.Delete(have, i, i+1)
		}
	}
	return have
}

func (k keying) at(tags []Tag, key string) int {
	key = k(key)
	return slices.IndexFunc(tags, func(t Tag) bool { return k(t.Key) == key })
}

// tagPage is a page of tags, in the order of their keys.
func (s *Service) tagPage(call *gateway.Call, of string, tags []Tag, marker *string, maxItems *int32) (*store.Pager, []iam.Tag, error) {
	p, err := s.page(call, marker, maxItems, of)
	if err != nil {
		return nil, nil, err
	}
	found, err := slice(p, byKey(tags), func(t Tag) string { return t.Key })
	if err != nil {
		return nil, nil, err
	}
	return p, listedTags(found), nil
}
