package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy/reference"
)

// checkKeys looks at which condition keys stand together, and with which actions.
func (c *checker) checkKeys(s *statement) {
	for i := range s.conditions {
		x := &s.conditions[i]
		switch {
		case x.is("aws:VpcSourceIp") && !s.has("aws:SourceVpc", "aws:SourceVpce"):
			c.at(missingPairedConditionKeys, x.at, "conditionKeyName", x.key, "recommendedKeys", "aws:SourceVpc")
		case x.is("aws:Referer"), x.is("aws:UserAgent"):
			c.at(untrustworthyConditionKey, x.at, "key", x.key)
		case x.is("dynamodb:Attributes") && s.allows() && !s.has("dynamodb:Select"):
			c.at(dynamoDBAttributesWithoutSelect, x.at)
		case x.is("s3:prefix") && x.operator.Type == "String" && x.operator.Negated == s.allows():
			c.at(s3PrefixInNegativeContext, x.at)
		case x.is("aws:VpceAccount"), x.is("aws:VpceOrgID"), x.is("aws:VpceOrgPaths"):
			if s.action != nil && (s.action.not || slices.ContainsFunc(s.action.items, func(a text) bool { return strings.HasPrefix(a.value, "*") })) {
				c.at(useConditionKeyOnlyWithSupportedServices, x.at, "key", x.key)
			}
		case x.is("s3:ResourceAccount") && c.kind == Resource && (c.of == Bucket || c.of == AccessPoint):
			c.at(irrelevantConditionKeyInPolicy, x.at, "condition-key", x.key, "resource-type", c.of)
		}
		c.unsupportedActions(s, x)
	}
}

// unsupportedActions tells of the actions, but patterns, that never have a key.
func (c *checker) unsupportedActions(s *statement, x *condition) {
	if s.action == nil || s.action.not || !c.spend(20*len(s.action.items)) {
		return
	}
	prefix, _, _ := strings.Cut(x.key, ":")
	if _, global := reference.Global(x.key); global || strings.EqualFold(prefix, "aws") || !c.keyKnown(prefix, x.key) {
		return
	}
	var at []place
	var names []string
	for _, a := range s.action.items {
		of, name, _ := strings.Cut(a.value, ":")
		service := reference.Find(of)
		if service == nil || wild(name) {
			continue
		}
		if action := service.Action(name); action != nil && !c.takes(service, action, x.key) {
			at, names = append(at, a.at), append(names, a.value)
		}
	}
	if names != nil {
		c.say(unsupportedActionForConditionKey, append(at, x.at), "actions", strings.Join(names, ", "), "key", x.key)
	}
}

// keyKnown tells whether a service's table has a key. Those of identity providers are in that of STS.
func (c *checker) keyKnown(prefix, key string) bool {
	service := reference.Find(strings.ToLower(prefix))
	if service == nil {
		service = reference.Find("sts")
	}
	_, known := service.Key(key)
	return known
}

// takes tells whether a condition key is in the context of an action.
func (c *checker) takes(s *reference.Service, a *reference.Action, key string) bool {
	const cost = 500 // as much as that many steps of comparing
	return !c.spend(cost) || s.Takes(a, key)
}
