package validate

import (
	"slices"
	"strings"
)

const gitHub = "token.actions.githubusercontent.com"

// checkTrust looks at a statement of a role's trust policy.
func (c *checker) checkTrust(s *statement) {
	if s.resource != nil {
		c.at(roleTrustPolicySyntaxErrorResource, s.resource.at)
	}
	if p := s.principal; p != nil {
		switch {
		case p.not:
			c.at(roleTrustPolicySyntaxErrorNotPrincipal, p.at)
		case p.anyone && s.allows():
			c.at(roleTrustPolicyUnsupportedWildcardInPrincipal, p.at)
		}
		c.assumedRoles(p)
		if s.allows() && !p.not {
			c.mismatched(s)
			c.federated(s)
			c.rolesAnywhere(s)
		}
	}
	c.missingActions(s)
}

// assumedRoles tells of sessions that stand beside their role.
func (c *checker) assumedRoles(p *principals) {
	for _, session := range p.items {
		head, rest, ok := strings.Cut(session.value, ":assumed-role/")
		role, _, _ := strings.Cut(rest, "/")
		if !ok {
			continue
		}
		parent := strings.Replace(head, ":sts:", ":iam:", 1) + ":role/" + role
		if i := slices.IndexFunc(p.items, func(x principal) bool { return x.value == parent }); i >= 0 {
			c.at(redundantPrincipalInRoleTrustPolicy, session.at, "redundant_principal", session.value, "parent_role", parent)
		}
	}
}

// mismatched tells of actions that the statement's principals can't take.
func (c *checker) mismatched(s *statement) {
	if s.action == nil || s.action.not {
		return
	}
	for _, a := range s.action.items {
		var fits func(*principal) bool
		switch strings.ToLower(a.value) {
		case "sts:assumerole":
			fits = func(p *principal) bool { return p.kind != "Federated" }
		case "sts:assumerolewithsaml":
			fits = func(p *principal) bool { return p.kind == "Federated" && provider(p.value) == "saml-provider" }
		case "sts:assumerolewithwebidentity":
			fits = func(p *principal) bool { return p.issuer() != "" }
		default:
			continue
		}
		at, names := []place{a.at}, []string(nil)
		for i := range s.principal.items {
			if p := &s.principal.items[i]; !fits(p) && !wild(p.value) {
				at, names = append(at, p.at), append(names, p.value)
			}
		}
		if names != nil {
			c.say(mismatchedActionForPrincipal, at, "actionName", a.value, "principalNames", strings.Join(names, ", "))
		}
	}
}

// federated looks at the conditions that OpenID Connect principals need.
func (c *checker) federated(s *statement) {
	for i := range s.principal.items {
		p := &s.principal.items[i]
		issuer := p.issuer()
		switch {
		case issuer == "":
		case strings.HasPrefix(issuer, gitHub):
			if !s.has(gitHub+":sub", issuer+":sub") {
				c.at(missingGitHubRepoConditionKey, p.at)
			}
		case !slices.ContainsFunc(s.conditions, func(x condition) bool { return x.under(issuer + ":") }):
			c.at(missingConditionKeyForOIDCPrincipal, p.at)
		}
	}
	if s.has(gitHub + ":ref") {
		return
	}
	for _, x := range s.conditions {
		for _, v := range x.values {
			if x.is(gitHub+":sub") && strings.Contains(v.value, "*") {
				c.at(specificGitHubRepoAndBranchRecommended, v.at)
			}
		}
	}
}

// rolesAnywhere: IAM Roles Anywhere needs three actions.
func (c *checker) rolesAnywhere(s *statement) {
	for _, p := range s.principal.items {
		if p.value != "rolesanywhere.amazonaws.com" {
			continue
		}
		for _, action := range []string{"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"} {
			if !s.names(c, action) {
				c.at(missingActionForRolesAnywhereTrustPolicy, p.at)
				break
			}
		}
	}
}

// missingActions tells of condition keys that only another action sets.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (c *checker) missingActions(s *statement) {
	if s.action == nil || s.action.not {
		return
	}
	for _, x := range s.conditions {
		action := ""
		switch {
		case x.is("sts:SourceIdentity"):
			action = "sts:SetSourceIdentity"
		case x.is("sts:TransitiveTagKeys"), x.is("aws:TagKeys"), x.under("aws:RequestTag/"):
			action = "sts:TagSession"
		}
		if action != "" && !s.names(c, action) {
			c.say(missingActionForConditionKey, []place{s.action.at, x.at}, "actionName", action, "keyName", x.key)
		}
	}
}
