package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy/reference"
)

// checkTags looks at conditions on a resource's tags, which not every action has.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
func (c *checker) checkTags(s *statement) {
	if s.action == nil {
		return
	}
	for i := range s.conditions {
		x := &s.conditions[i]
		if !x.under("aws:ResourceTag/") {
			continue
		}
		switch {
		case s.action.not && s.effect == "Deny":
			c.say(denyNotActionWithUnsupportedTagConditionKeyForService, []place{s.action.at, x.at}, "conditionKeyName", x.key)
		case s.action.not && s.allows():
			c.say(allowNotActionWithUnsupportedTagConditionKeyForService, []place{s.action.at, x.at}, "conditionKeyName", x.key)
		case !s.action.not:
			c.untagged(s, x)
		}
	}
}

// untagged tells of the services whose actions in the statement never have the key.
func (c *checker) untagged(s *statement, x *condition) {
	if !c.spend(20 * len(s.action.items)) {
		return
	}
	var names []string
	var at []place
	for _, a := range s.action.items {
		prefix, name, _ := strings.Cut(a.value, ":")
		service := reference.Find(prefix)
		if service == nil || c.taggable(service, name, x.key) {
			continue
		}
		at = append(at, a.at)
		if !slices.Contains(names, prefix) {
			names = append(names, prefix)
		}
	}
	k := allowWithUnsupportedTagConditionKeyForService
	if s.effect == "Deny" {
		k = denyWithUnsupportedTagConditionKeyForService
	}
	if names != nil {
		c.say(k, append(at, x.at), "conditionKeyName", x.key, "serviceNames", strings.Join(names, ", "))
	}
}

// taggable tells whether an action, or one that its pattern matches, has a tag's key; one that is unknown may.
func (c *checker) taggable(service *reference.Service, name, key string) bool {
	if !wild(name) {
		a := service.Action(name)
		return a == nil || c.takes(service, a, key)
	}
	matched := false
	for i := range service.Actions {
		if a := &service.Actions[i]; c.covers(name, a.Name, true) {
			matched = true
			if c.takes(service, a, key) {
				return true
			}
		}
	}
	return !matched
}
