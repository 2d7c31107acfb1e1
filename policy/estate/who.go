package estate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// Question is what Who is asked.
type Question struct {
	Action, Resource string
	// Account owns the resource, where neither its ARN nor the estate tells.
	Account string
	// Context are condition keys that hold for every caller; one that is not here, and that caller, resource
	// and organisation do not tell, is absent.
	Context []scenario.Key
}

// Access is one who may do what was asked, and how.
type Access struct {
	Principal string `json:"principal"`
	// Through are the roles that it assumes for it, in turn; the last one is who may. Empty: it may itself.
	Through []string `json:"through,omitempty"`
	// DecidedBy, Policy and Statement are what lets the last one in, as in scenario.Verdict.
	DecidedBy string `json:"decidedBy"`
	Policy    string `json:"policy,omitempty"`
	Statement *int   `json:"statement,omitempty"`
	// IfItsAccountAllows: it is of an account that the estate does not hold, whose own policies are taken to allow it.
	IfItsAccountAllows bool `json:"ifItsAccountAllows,omitempty"`
}

// Who finds everyone who may perform an action on a resource, each by its
// shortest chain of roles: users, roles and roots of the estate, and whoever
// else the policies of the resource and of roles name. Nothing is skipped: a
// policy that can't be read is an error.
func (e *Estate) Who(q *Question) ([]Access, error) {
	if err := e.owned(q); err != nil {
		return nil, err
	}
	found := map[string]*Access{}
	roles, err := e.reach(q, nil, found)
	if err != nil {
		return nil, err
	}
	for len(roles) > 0 { // a further link of the chain each time
		var next []*principal
		for _, role := range roles {
			through := found[role.arn]
			for _, action := range [...]string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"} {
				more, err := e.reach(&Question{Action: action, Resource: role.arn, Account: role.account, Context: q.Context}, &step{role.arn, through}, found)
				if err != nil {
					return nil, err
				}
				next = append(next, more...)
			}
		}
		roles = next
	}
	list := make([]Access, 0, len(found))
	for _, a := range found {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b Access) int { return strings.Compare(a.Principal, b.Principal) })
	return list, nil
}

// owned finds who owns the resource.
func (e *Estate) owned(q *Question) error {
	if q.Resource == "*" {
		return nil
	}
	arn, err := aws.ParseARN(q.Resource)
	switch {
	case err != nil:
		return fmt.Errorf("%q is neither an ARN nor *", q.Resource)
	case q.Account != "" && !aws.IsAccount(q.Account):
		return fmt.Errorf("%q is no account", q.Account)
	case q.Account != "":
	case aws.IsAccount(arn.Account):
		q.Account = arn.Account
	case e.resourceOf(q.Resource) != nil:
		q.Account = e.resourceOf(q.Resource).account
	default:
		return errors.New("neither the ARN nor resources/ tells whose " + q.Resource + " is")
	}
	switch { // whose policies alone can let anyone in
	case e.resourceOf(q.Resource) == nil && arn.Service == "kms" && strings.HasPrefix(arn.Resource, "key/"):
		return errors.New("resources/ has no policy of " + q.Resource)
	case e.byARN[q.Resource] == nil && assumes(q):
		return errors.New("accounts/ has no " + q.Resource)
	}
	return nil
}

// assumes tells the questions that a role's trust policy decides.
func assumes(q *Question) bool {
	return (&policy.Request{Action: q.Action, Resource: q.Resource}).AssumesRole()
}

// resourceOf is the resource, or the bucket of an object, that has a policy.
func (e *Estate) resourceOf(arn string) *resource {
	if r := e.resources[arn]; r != nil {
		return r
	}
	if a, err := aws.ParseARN(arn); err == nil && a.Service == "s3" {
		bucket, _, _ := strings.Cut(arn, "/")
		return e.resources[bucket]
	}
	return nil
}

// step is a role on the way to what was asked.
type step struct {
	role string
	then *Access
}

// reach asks everyone who was not found before, and answers the roles among those who may.
func (e *Estate) reach(q *Question, s *step, found map[string]*Access) (roles []*principal, err error) {
	resource, kind := e.policyOf(q)
	ask := func(p *principal, outside bool) error {
		if found[p.arn] != nil || !outside && kind == policy.Trust && !p.assumes(q.Action) {
			return nil
		}
		v, err := e.decide(q, p, resource)
		if err != nil || v.Decision != scenario.Allowed {
			return err
		}
		a := &Access{Principal: p.shown(), DecidedBy: v.DecidedBy, Policy: v.Policy, Statement: v.Statement, IfItsAccountAllows: outside && p.account != ""}
		if a.IfItsAccountAllows { // not that account's policies are known, but the resource's
			a.DecidedBy, a.Policy, a.Statement = kind.String(), resource.Name, nil
		}
		if s != nil {
			a.Through = append([]string{s.role}, s.then.Through...)
			a.DecidedBy, a.Policy, a.Statement = s.then.DecidedBy, s.then.Policy, s.then.Statement
		}
		found[p.arn] = a
		if p.role {
			roles = append(roles, p)
		}
		return nil
	}
	for _, p := range e.principals {
		if err := ask(p, false); err != nil {
			return nil, err
		}
	}
	outside, err := e.outsiders(resource, kind)
	if err != nil {
		return nil, err
	}
	for _, p := range outside {
		if err := ask(p, true); err != nil {
			return nil, err
		}
	}
	return roles, nil
}

// assumes tells whether a principal of the estate may ask for a role's session
// at all: identity providers alone assume with their tokens, and a root assumes no role.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (p *principal) assumes(action string) bool {
	return strings.EqualFold(action, "sts:AssumeRole") && !strings.HasSuffix(p.arn, ":root")
}

// policyOf is the resource's own policy: of a role that is assumed its trust policy.
func (e *Estate) policyOf(q *Question) (*scenario.Document, policy.Kind) {
	if assumes(q) {
		return e.byARN[q.Resource].trust, policy.Trust
	}
	if r := e.resourceOf(q.Resource); r != nil {
		return &r.policy, policy.Resource
	}
	return nil, policy.Resource
}

// decide asks whether one principal may.
func (e *Estate) decide(q *Question, p *principal, resource *scenario.Document) (*scenario.Verdict, error) {
	s := scenario.Scenario{
		Request:  scenario.Request{Principal: p.arn, Action: q.Action, Resource: q.Resource, ResourceAccount: q.Account},
		Policies: scenario.Policies{Identity: p.identity, Boundaries: p.boundary, Resource: resource, SCPs: e.org.limits(p.account).scps},
	}
	owner := q.Account
	if owner == "" {
		owner = p.account
	}
	s.RCPs = e.org.limits(owner).rcps
	s.Request.Context = slices.Clone(q.Context)
	set := func(key, value string) {
		if value != "" && !slices.ContainsFunc(q.Context, func(k scenario.Key) bool { return strings.EqualFold(k.Name, key) }) {
			s.Request.Context = append(s.Request.Context, scenario.Key{Name: key, Values: []string{value}})
		}
	}
	if p.role && p.id != "" {
		set("aws:userid", p.id+":session")
	} else {
		set("aws:userid", p.id)
	}
	for _, t := range p.tags {
		set("aws:PrincipalTag/"+t.Key, t.Value)
	}
	if e.org.has(p.account) {
		set("aws:PrincipalOrgID", e.org.id)
	}
	if e.org.has(owner) {
		set("aws:ResourceOrgID", e.org.id)
	}
	return e.judge.Decide(&s)
}

// everything is what an account that the estate does not hold is taken to allow its own.
var everything = []scenario.Document{{Name: "the account's own policies", Text: []byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)}}

// anyAccount stands for every account that the estate does not hold. AWS gives out no such id.
var anyAccount = principal{arn: "arn:aws:iam::000000000000:root", account: "000000000000", identity: everything}

// shown is the principal as answers name it.
func (p *principal) shown() string {
	if p.arn == anyAccount.arn {
		return "any AWS account"
	}
	return p.arn
}

// outsiders are those whom a policy might let in beside the estate's users and
// roles: whoever its Allow statements name. A unique id is of no one who is
// there: exports, as AWS itself, show those by their ARNs.
func (e *Estate) outsiders(d *scenario.Document, kind policy.Kind) ([]*principal, error) {
	if d == nil {
		return nil, nil
	}
	doc, err := policy.Read(d.Text, kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	var list []*principal
	add := func(p *principal) {
		if e.byARN[p.arn] == nil && !slices.ContainsFunc(list, func(have *principal) bool { return have.arn == p.arn }) {
			list = append(list, p)
		}
	}
	for i := range doc.Statements {
		names := doc.Statements[i].Principal
		if names == nil || doc.Statements[i].Deny {
			continue
		}
		if names.Any || doc.Statements[i].NotPrincipal {
			add(&anyAccount)
			if kind != policy.Trust {
				add(&principal{arn: "anonymous"})
			}
		}
		for _, name := range append(slices.Clone(names.Service), names.Federated...) {
			add(&principal{arn: name})
		}
		for _, name := range names.AWS {
			if aws.IsAccount(name) {
				name = "arn:aws:iam::" + name + ":root"
			}
			if arn, err := aws.ParseARN(name); err == nil && !e.holds(arn.Account) {
				add(&principal{arn: name, account: arn.Account, identity: everything})
			}
		}
	}
	return list, nil
}

// holds tells whether the estate holds an account's users and roles.
func (e *Estate) holds(account string) bool {
	return slices.ContainsFunc(e.principals, func(p *principal) bool { return p.account == account })
}
