package estate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// act is what somebody does: an action on a resource.
type act struct {
	action, resource string
	account          string // that owns the resource; empty: its ARN's, or who acts
	region           string // that the call goes to; empty: not told
	keys             []scenario.Key
	trust            *held // of the role that is assumed, instead of the role's own
	creates          bool  // the call makes or picks what it acts on
	unguarded        bool  // the organisation's guardrails are not asked
}

// asker asks what principals of an estate may do. It is made to be used again.
type asker struct {
	estate    *Estate
	given     []scenario.Key // stand in for whatever else is known
	decisions int
	lost      string          // an action for which
	left      map[*held]*held // these policies lack statements

	context  policy.Context
	request  policy.Request
	policies policy.Policies
}

// tired tells that the bound on decisions is passed.
func (k *asker) tired() bool { return k.decisions > k.estate.most }

// decide asks whether a principal may act.
func (k *asker) decide(p *principal, a *act) policy.Decision {
	k.prepare(p, a)
	d := policy.Decide(&k.request, &k.policies)
	if d.Allowed && scenario.Protected(a.action, a.resource) {
		return policy.Decision{Statement: -1}
	}
	return d
}

// prepare gathers what bears on an act.
func (k *asker) prepare(p *principal, a *act) {
	k.decisions++
	k.request = policy.Request{
		Action: a.action, Resource: a.resource, ResourceAccount: a.account,
		Principal: p.caller, Provider: p.provider, CanonicalUser: p.canonical, Context: &k.context,
	}
	if k.request.ResourceAccount == "" {
		k.request.ResourceAccount = accountIn(a.resource)
	}
	owner := k.request.ResourceAccount
	if owner == "" {
		owner = p.account
	}
	on := k.policyOf(a)
	if p.role && on != nil {
		k.session(p, on)
	}
	k.describe(p, a, owner)
	e := k.estate
	to := &k.policies
	*to = policy.Policies{Identity: to.Identity[:0], Boundary: to.Boundary[:0]}
	if !a.unguarded {
		to.SCPs, to.RCPs = e.org.limits(p.account).scps, e.org.limits(owner).rcps
	}
	for _, h := range p.identity {
		to.Identity = append(to.Identity, k.leftOf(h, a).compiled)
	}
	for _, h := range p.boundary {
		to.Boundary = append(to.Boundary, h.compiled)
	}
	if on != nil {
		to.Resource = k.leftOf(on, a).compiled
	}
}

// session makes a role's caller the session that the policy of what is acted on names, if it does.
func (k *asker) session(p *principal, on *held) {
	i := slices.IndexFunc(on.sessions, func(arn string) bool { return roleOf(arn) == p.sessions() })
	if i < 0 {
		return
	}
	caller := *p.caller
	caller.ARN = on.sessions[i]
	if p.id != "" {
		caller.ID = p.id + ":" + lastName(caller.ARN)
	}
	k.request.Principal = &caller
}

// leftOf is what is left of a policy for an action.
func (k *asker) leftOf(h *held, a *act) *held {
	if left := k.left[h]; left != nil && a.action == k.lost {
		return left
	}
	return h
}

// policyOf is the policy of what is acted on: of a role that is assumed its trust policy.
func (k *asker) policyOf(a *act) *held {
	if a.trust != nil {
		return a.trust
	}
	if k.request.AssumesRole() {
		if role := k.estate.byARN[a.resource]; role != nil {
			return role.trust
		}
		return nil
	}
	if r := k.estate.resourceOf(a.resource); r != nil {
		return r.policy
	}
	return nil
}

// describe sets the condition keys.
func (k *asker) describe(p *principal, a *act, owner string) {
	x, e := &k.context, k.estate
	x.Reset()
	x.SetCaller(&k.request)
	for _, t := range p.tags {
		x.SetTag("aws:PrincipalTag/", t.Key, t.Value)
	}
	if e.org.has(p.account) && e.org.id != "" {
		x.Set("aws:PrincipalOrgID", e.org.id)
	}
	if path := e.org.accounts[p.account].path; path != "" {
		x.SetList("aws:PrincipalOrgPaths", path)
	}
	if owner != "" {
		x.Set("aws:ResourceAccount", owner)
	}
	if e.org.has(owner) && e.org.id != "" {
		x.Set("aws:ResourceOrgID", e.org.id)
	}
	if path := e.org.accounts[owner].path; path != "" {
		x.SetList("aws:ResourceOrgPaths", path)
	}
	if on := e.byARN[a.resource]; on != nil {
		for _, t := range on.tags {
			x.SetTag("aws:ResourceTag/", t.Key, t.Value)
			x.SetTag("iam:ResourceTag/", t.Key, t.Value)
		}
	}
	if a.region != "" {
		x.Set("aws:RequestedRegion", a.region)
	}
	setKeys(x, a.keys)
	setKeys(x, k.given)
}

func setKeys(x *policy.Context, keys []scenario.Key) {
	for i := range keys {
		if key := &keys[i]; key.List {
			x.SetList(key.Name, key.Values...)
		} else {
			x.Set(key.Name, key.Values[0])
		}
	}
}

// accountIn is the account in an ARN, "" if it has none.
func accountIn(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && aws.IsAccount(parts[4]) {
		return parts[4]
	}
	return ""
}
