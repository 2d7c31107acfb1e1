package organizations

import (
	"context"
	"slices"
	"strings"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
)

// Tag is a tag of a root, unit, account, policy or delegation policy. Keys are
// unique in a list, in the case in which they are written.
type Tag struct{ Key, Value string }

func tagsOf(in []api.Tag) []Tag {
	var out []Tag
	for _, t := range in {
		out = append(out, Tag{t.Key, t.Value})
	}
	return out
}

func tagMap(tags []Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// requestTags checks the tags of a request and sets their condition keys.
func requestTags(call *gateway.Call, in []api.Tag) ([]Tag, error) {
	if len(in) == 0 {
		return nil, nil
	}
	var keys []string
	for _, t := range in {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalid(api.InvalidInputExceptionReasonInvalidSystemTagsParameter,
				"You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys because they're reserved for AWS use.")
		case slices.Contains(keys, t.Key):
			return nil, invalid(api.InvalidInputExceptionReasonDuplicateTagKey,
				"Tag keys must be unique among the tags attached to the same entity.")
		case len(keys) == maxTags:
			return nil, tooManyTags()
		}
		keys = append(keys, t.Key)
		call.Condition("aws:RequestTag/"+t.Key, t.Value)
	}
	call.ConditionList("aws:TagKeys", keys...)
	return tagsOf(in), nil
}

func tooManyTags() error {
	return constraint(api.ConstraintViolationExceptionReasonMaxTagLimitExceeded, "You have exceeded the number of tags allowed on this resource.")
}

// findTagged finds the root, unit, account, policy or delegation policy that an id names.
func (s *Service) findTagged(call *gateway.Call, id string, who access) (*subject, error) {
	t, err := s.subject(call, who)
	if err != nil {
		return t, err
	}
	t.target = id
	switch {
	case strings.HasPrefix(id, "rt-"):
		return t, errTargetNotFound
	case strings.HasPrefix(id, "rp-"):
		t.name = t.org.arn("resourcepolicy", id)
		if t.org.Resource == nil || t.org.Resource.ID != id {
			return t, errTargetNotFound
		}
		t.tags = t.org.Resource.Tags
		return t, nil
	case strings.HasPrefix(id, "p-"):
		if err = t.findPolicy(call, id); err == nil && t.policy.managed() {
			err = errTargetNotFound
		}
	case strings.HasPrefix(id, "r-"), strings.HasPrefix(id, "ou-"):
		t.name, t.tags, err = t.org.parentOf(call.Tx, id)
	default:
		err = t.findMember(call, id)
	}
	if err == errAccountNotFound || err == errPolicyNotFound {
		err = errTargetNotFound
	}
	return t, absent(err, errTargetNotFound)
}

func (s *Service) resourceToTag(call *gateway.Call, in *api.TagResourceInput) (*subject, error) {
	if _, err := requestTags(call, in.Tags); err != nil {
		return nil, err
	}
	return s.findTagged(call, in.ResourceId, delegated)
}

func (s *Service) resourceToUntag(call *gateway.Call, in *api.UntagResourceInput) (*subject, error) {
	call.ConditionList("aws:TagKeys", in.TagKeys...)
	return s.findTagged(call, in.ResourceId, delegated)
}

func (s *Service) taggedResource(call *gateway.Call, in *api.ListTagsForResourceInput) (*subject, error) {
	return s.findTagged(call, in.ResourceId, reading)
}

// retag edits the tags of what findTagged found.
func (t *subject) retag(call *gateway.Call, edit func([]Tag) []Tag) error {
	o := t.org
	change := func(tags *[]Tag) error {
		if *tags = edit(*tags); len(*tags) > maxTags {
			return tooManyTags()
		}
		return nil
	}
	switch {
	case t.policy != nil:
		return policies.Update(call.Tx, o.Management, func(p *Policy) error { return change(&p.Tags) }, t.policy.ID)
	case t.member != nil:
		return members.Update(call.Tx, o.Management, func(m *Member) error { return change(&m.Tags) }, t.member.Account)
	case strings.HasPrefix(t.target, "ou-"):
		return units.Update(call.Tx, o.Management, func(u *Unit) error { return change(&u.Tags) }, t.target)
	case strings.HasPrefix(t.target, "rp-"):
		return o.change(call, func(o *Organization) error { return change(&o.Resource.Tags) })
	}
	return o.change(call, func(o *Organization) error { return change(&o.RootTags) })
}

func (s *Service) tagResource(_ context.Context, call *gateway.Call, on *subject, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return nil, on.retag(call, func(tags []Tag) []Tag {
		for _, t := range tagsOf(in.Tags) {
			if i := slices.IndexFunc(tags, func(have Tag) bool { return have.Key == t.Key }); i >= 0 {
				tags[i] = t
			} else {
				tags = append(tags, t)
			}
		}
		return tags
	})
}

func (s *Service) untagResource(_ context.Context, call *gateway.Call, on *subject, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return nil, on.retag(call, func(tags []Tag) []Tag {
		return slices.DeleteFunc(tags, func(t Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	})
}

func (s *Service) listTagsForResource(_ context.Context, call *gateway.Call, on *subject, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	if _, err := s.page(call, in.NextToken, nil, in.ResourceId); err != nil {
		return nil, err
	}
	out := &api.ListTagsForResourceOutput{Tags: []api.Tag{}} // at most fifty: one page
	for _, t := range on.tags {
		out.Tags = append(out.Tags, api.Tag{Key: t.Key, Value: t.Value})
	}
	return out, nil
}
