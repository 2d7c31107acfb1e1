package estate

import (
	"strings"

	"github.com/garrison-security/garrison/policy/scenario"
)

// administers tells whether a principal is an administrator of its account:
// its identity policies, under its boundary, allow an action that no service
// has, on no resource, so every action; and the engine allows it, under the
// organisation's guardrails too, to change users, roles and policies that
// nobody ever named. Guardrails alone bind every principal of the account
// alike, so those that leave out other services or Regions make nobody less of
// an administrator; those that keep someone's hands off IAM do.
func (s *search) administers(p *principal) bool {
	if !s.decide(p, &act{action: "any:Action", resource: "*", unguarded: true}).Allowed {
		return false
	}
	iam := "arn:" + p.partition() + ":iam::" + p.account + ":"
	for _, a := range [...]act{
		{action: "iam:CreateUser", resource: iam + "user/" + nobody},
		{action: "iam:AttachUserPolicy", resource: iam + "user/" + nobody, keys: []scenario.Key{key("iam:PolicyARN", administratorAccess(p))}},
		{action: "iam:CreateAccessKey", resource: iam + "user/" + nobody},
		{action: "iam:PutRolePolicy", resource: iam + "role/" + nobody},
		{action: "iam:UpdateAssumeRolePolicy", resource: iam + "role/" + nobody},
		{action: "iam:PassRole", resource: iam + "role/" + nobody},
		{action: "iam:CreatePolicyVersion", resource: iam + "policy/" + nobody},
	} {
		a.region = globalRegion(p)
		if !s.decide(p, &a).Allowed {
			return false
		}
	}
	return true
}

// nobody is a name that no policy has.
const nobody = "no-one-has-this-name-c1a7"

func key(name, value string) scenario.Key { return scenario.Key{Name: name, Values: []string{value}} }

func (p *principal) partition() string {
	_, rest, _ := strings.Cut(p.arn, ":")
	name, _, _ := strings.Cut(rest, ":")
	return name
}

// administratorAccess is AWS's managed policy that allows everything; every account has it.
func administratorAccess(p *principal) string {
	return "arn:" + p.partition() + ":iam::aws:policy/AdministratorAccess"
}

// globalRegion is the Region in which IAM is called.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
func globalRegion(p *principal) string {
	switch p.partition() {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// with is the principal with a further policy of its own.
func (p *principal) with(more ...*held) *principal {
	q := *p
	q.identity = append(append([]*held{}, p.identity...), more...)
	return &q
}

// replacing is the principal with another text of a managed policy, wherever it has it.
func (p *principal) replacing(arn string, by *held) *principal {
	q := *p
	swap := func(list []*held) []*held {
		to := append([]*held{}, list...)
		for i := range to {
			if to[i].arn == arn {
				to[i] = by
			}
		}
		return to
	}
	q.identity, q.boundary = swap(p.identity), swap(p.boundary)
	return &q
}
