package validate

import (
	"slices"
	"strings"
)

// sourceKeys bind a service's call to whom it is made for.
var sourceKeys = []string{"aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"}

// principalKeys tell of the principal of a request. A service that calls with
// its own principal has none of them.
var principalKeys = []string{"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalAccount", "aws:PrincipalArn"}

// checkServicePrincipals looks at what a resource's policy lets services do.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (c *checker) checkServicePrincipals(s *statement) {
	if s.principal == nil || s.principal.not {
		return
	}
	services := 0
	for _, p := range s.principal.items {
		if p.kind != "Service" {
			continue
		}
		services++
		if !s.allows() || s.has(sourceKeys...) {
			continue
		}
		if i := slices.IndexFunc(s.conditions, func(x condition) bool { return x.is("aws:Referer") }); i >= 0 {
			prefix, _, _ := strings.Cut(p.value, ".")
			c.say(recommendedConditionKeyForServicePrincipal, []place{p.at, s.conditions[i].at}, "servicePrincipalPrefix", prefix, "key", s.conditions[i].key)
			continue
		}
		c.at(restrictAccessToServicePrincipal, p.at)
	}
	if services == 0 || services < len(s.principal.items) {
		return
	}
	var at []place
	var keys []string
	for _, x := range s.conditions {
		if slices.ContainsFunc(principalKeys, x.is) || x.under("aws:PrincipalTag/") {
			at, keys = append(at, x.at), append(keys, x.key)
		}
	}
	if keys != nil {
		c.say(unsupportedConditionKeyForServicePrincipal, at, "conditionKeys", strings.Join(keys, ", "))
	}
}
