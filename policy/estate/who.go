package estate

import (
	"errors"
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
	k := asker{estate: e, given: q.Context}
	roles := k.reach(q, nil, found)
	for len(roles) > 0 { // a further link of the chain each time
		var next []*principal
		for _, role := range roles {
			through := found[role.arn]
			for _, action := range [...]string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"} {
				link := Question{Action: action, Resource: role.arn, Account: role.account, Context: q.Context}
				next = append(next, k.reach(&link, &step{role.arn, through}, found)...)
			}
			if k.tired() {
				return nil, errTooLong
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

// errTooLong is what a question ends with that took more decisions than the bound.
var errTooLong = errors.New("there are too many roles that might lead there")

// owned finds who owns the resource.
func (e *Estate) owned(q *Question) error {
	r := scenario.Request{Action: q.Action, Resource: q.Resource, ResourceAccount: q.Account, Context: q.Context}
	if err := r.Check(); err != nil {
		return err
	}
	if q.Resource == "*" {
		return nil
	}
	arn, err := aws.ParseARN(q.Resource)
	switch {
	case err != nil:
		return err
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
func (k *asker) reach(q *Question, s *step, found map[string]*Access) (roles []*principal) {
	e := k.estate
	resource, kind := e.policyOf(q)
	a := act{action: q.Action, resource: q.Resource, account: q.Account}
	ask := func(p *principal, outside bool) {
		if found[p.arn] != nil || !outside && kind == policy.Trust && !p.assumes(q.Action) {
			return
		}
		d := k.decide(p, &a)
		if !d.Allowed {
			return
		}
		v := scenario.VerdictOn(&k.request, d)
		access := &Access{Principal: p.shown(), DecidedBy: v.DecidedBy, Policy: v.Policy, Statement: v.Statement, IfItsAccountAllows: outside && p.account != "" && !e.holds(p.account)}
		if access.IfItsAccountAllows { // not that account's policies are known, but the resource's
			access.DecidedBy, access.Policy, access.Statement = kind.String(), resource.Name, nil
		}
		if s != nil {
			access.Through = append([]string{s.role}, s.then.Through...)
			access.DecidedBy, access.Policy, access.Statement = s.then.DecidedBy, s.then.Policy, s.then.Statement
		}
		found[p.arn] = access
		if p.role {
			roles = append(roles, p)
		}
	}
	for _, p := range e.askable(resource, kind, q.Action) {
		ask(p, false)
	}
	for _, p := range e.outsiders(resource, kind) {
		ask(p, true)
	}
	return roles
}

// assumes tells whether a principal of the estate may ask for a role's session
// at all: identity providers alone assume with their tokens, and a root assumes no role.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (p *principal) assumes(action string) bool {
	return strings.EqualFold(action, "sts:AssumeRole") && !strings.HasSuffix(p.arn, ":root")
}

// policyOf is the resource's own policy: of a role that is assumed its trust policy.
func (e *Estate) policyOf(q *Question) (*held, policy.Kind) {
	if assumes(q) {
		return e.byARN[q.Resource].trust, policy.Trust
	}
	if r := e.resourceOf(q.Resource); r != nil {
		return r.policy, policy.Resource
	}
	return nil, policy.Resource
}

// anyAccount stands for every account that the estate does not hold. AWS gives out no such id.
const anyAccount = "arn:aws:iam::000000000000:root"

// outsider is somebody whom the estate does not hold. What an account's own
// policies allow is not known: they are taken to allow everything.
func outsider(name string) (*principal, error) {
	p := &principal{arn: name}
	var err error
	if p.caller, p.provider, err = scenario.Caller(name); err != nil {
		return nil, err
	}
	if p.caller != nil && p.caller.Account != "" {
		p.account = p.caller.Account
		p.identity = []*held{everything}
	}
	return p, nil
}

// everything is a policy that allows everything.
var everything = func() *held {
	h, err := compile(scenario.Document{Name: "everything", Text: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)}, policy.Identity)
	if err != nil {
		panic(err) // it is no policy: every test sees it
	}
	return h
}()

// shown is the principal as answers name it.
func (p *principal) shown() string {
	if p.arn == anyAccount {
		return "any AWS account"
	}
	return p.arn
}

// outsiders are those whom a policy might let in beside the estate's users and
// roles: whoever its Allow statements name. A unique id is of no one who is
// there: exports, as AWS itself, show those by their ARNs.
func (e *Estate) outsiders(h *held, kind policy.Kind) (list []*principal) {
	if h == nil {
		return nil
	}
	add := func(name string) {
		if e.byARN[name] == nil && !slices.ContainsFunc(list, func(have *principal) bool { return have.arn == name }) {
			if p, err := outsider(name); err == nil { // what can't be a caller lets nobody in
				list = append(list, p)
			}
		}
	}
	doc := h.document
	for i := range doc.Statements {
		names := doc.Statements[i].Principal
		if names == nil || doc.Statements[i].Deny {
			continue
		}
		if names.Any || doc.Statements[i].NotPrincipal {
			add(anyAccount)
			if kind != policy.Trust {
				add("anonymous")
			}
		}
		for _, name := range append(slices.Clone(names.Service), names.Federated...) {
			add(name)
		}
		for _, id := range names.Canonical {
			stranger, err := outsider(anyAccount)
			if err == nil {
				stranger.arn, stranger.canonical = "canonical user "+id, id
				list = append(list, stranger)
			}
		}
		for _, name := range names.AWS {
			if aws.IsAccount(name) {
				name = "arn:aws:iam::" + name + ":root"
			}
			if arn, err := aws.ParseARN(name); err == nil && (!e.holds(arn.Account) || strings.HasPrefix(arn.Resource, "federated-user/")) {
				add(name)
			}
		}
	}
	return list
}

// askable are those of the estate whom a question may be answered yes: of a
// role that is assumed, whoever its trust policy may mean.
func (e *Estate) askable(resource *held, kind policy.Kind, action string) []*principal {
	if kind != policy.Trust {
		return e.principals
	}
	if !strings.EqualFold(action, "sts:AssumeRole") {
		return nil // identity providers alone
	}
	if e.assumers == nil {
		e.assumers = map[string][]*principal{}
		for _, p := range e.principals {
			if p.allowsSome("sts:AssumeRole") {
				e.assumers[p.account] = append(e.assumers[p.account], p)
			}
		}
	}
	var list []*principal
	for _, t := range resource.document.Statements {
		switch {
		case t.Deny || t.Principal == nil:
			continue
		case t.Principal.Any || t.NotPrincipal:
			return e.principals
		}
		for _, name := range t.Principal.AWS {
			if account := accountNamed(name); account != "" {
				list = append(list, e.assumers[account]...)
			} else if p := e.named(name); p != nil {
				list = append(list, p)
			}
		}
	}
	return unique(list)
}

// named is the user or role of an ARN, of a session's ARN, or of a unique id.
func (e *Estate) named(name string) *principal {
	if p := e.byARN[name]; p != nil {
		return p
	}
	if role := roleOf(name); role != "" {
		name = role
	}
	return e.byName[name]
}

// holds tells whether the estate holds an account's users and roles.
func (e *Estate) holds(account string) bool { return e.accounts[account] }
