package validate

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// passing are the checks of an action whose resource is a role that is to be
// named: to be passed to a service, or to be made for one.
type passing struct {
	action string
	within string // the condition key that confines it as well
	path   string // where the roles lie
	notResource, starNotResource, notActionNotResource,
	starResource, starStar, notActionStar *Check
}

var passings = [...]passing{
	{"iam:PassRole", "iam:PassedToService", "role/", passRoleWithNotResource, passRoleWithStarInActionAndNotResource, passRoleWithNotActionAndNotResource,
		passRoleWithStarInResource, passRoleWithStarInActionAndResource, passRoleWithStarInResourceAndNotAction},
	{"iam:CreateServiceLinkedRole", "iam:AWSServiceName", "role/aws-service-role/", createSLRWithNotResource, createSLRWithStarInActionAndNotResource,
		createSLRWithNotActionAndNotResource, createSLRWithStarInResource, createSLRWithStarInActionAndResource, createSLRWithStarInResourceAndNotAction},
}

// checkPass looks at what an identity-based policy lets its owner pass.
func (c *checker) checkPass(s *statement) {
	if c.kind != Identity || !s.allows() || s.action == nil || s.resource == nil {
		return
	}
	for i := range passings {
		c.pass(s, &passings[i])
	}
}

func (c *checker) pass(s *statement, p *passing) {
	var named *text // the action that reaches it; one without wildcards if there is such
	for i := range s.action.items {
		a := &s.action.items[i]
		if c.covers(a.value, p.action, true) && (named == nil || wild(named.value)) {
			named = a
		}
	}
	if (named != nil) == s.action.not {
		return
	}
	at := s.action.at
	if named != nil {
		at = named.at
	}
	pick := func(exact, star, not *Check) *Check {
		switch {
		case s.action.not:
			return not
		case wild(named.value):
			return star
		}
		return exact
	}
	if s.resource.not {
		c.say(pick(p.notResource, p.starNotResource, p.notActionNotResource), []place{at, s.resource.at})
		return
	}
	if s.has(p.within) {
		return
	}
	for _, r := range s.resource.items {
		if c.anyRole(r.value, p.path) {
			c.say(pick(p.starResource, p.starStar, p.notActionStar), []place{at, r.at})
			return
		}
	}
}

// anyRole tells whether a resource takes in a role of whatever name.
func (c *checker) anyRole(resource, path string) bool {
	if !wild(resource) {
		return false
	}
	account, partition := "111122223333", "aws"
	if arn, err := aws.ParseARN(resource); err == nil {
		if accountID(arn.Account) {
			account = arn.Account
		}
		if !wild(arn.Partition) {
			partition = arn.Partition
		}
	}
	return c.covers(strings.ReplaceAll(resource, "?", "*"), "arn:"+partition+":iam::"+account+":"+path+"\x00/\x00", false)
}
