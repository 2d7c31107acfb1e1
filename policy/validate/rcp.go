package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy"
)

// checkRCP looks at a statement of a resource control policy.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func (c *checker) checkRCP(s *statement) {
	if s.action != nil && s.action.not {
		c.at(rcpSyntaxErrorNotAction, s.action.at)
	}
	if s.allows() {
		everything := s.resource != nil && !s.resource.not && len(s.resource.items) == 1 && s.resource.items[0].value == "*"
		everyone := s.principal != nil && !s.principal.not && s.principal.everyone()
		if !everything || !everyone || s.condition != nil {
			c.at(rcpSyntaxErrorAllow, s.at)
		}
	} else if s.action != nil && !s.action.not {
		for _, a := range s.action.items {
			prefix, _, _ := strings.Cut(a.value, ":")
			if !policy.RCPReaches(prefix) {
				c.at(rcpSyntaxErrorAction, a.at)
			}
		}
	}
	service := s.has("aws:PrincipalIsAWSService")
	checked := slices.ContainsFunc(s.conditions, func(x condition) bool {
		return x.operator.Type == "Null" && (x.is("aws:SourceAccount") || x.is("aws:SourceArn"))
	})
	for _, x := range s.conditions {
		if x.operator.Type == "Null" {
			continue
		}
		switch {
		case slices.ContainsFunc(principalKeys, x.is) || x.under("aws:PrincipalTag/"):
			if !service {
				c.at(rcpMissingRelatedPrincipalConditionKey, x.at, "conditionKeyName", x.key)
			}
		case slices.ContainsFunc(sourceKeys, x.is):
			if !service {
				c.at(rcpMissingRelatedServicePrincipalConditionKey, x.at, "conditionKeyName", x.key)
			}
			if !checked && (x.is("aws:SourceOrgID") || x.is("aws:SourceOrgPaths")) {
				c.at(rcpMissingServiceConditionKeyNullCheck, x.at, "conditionKeyName", x.key)
			}
		}
	}
}
