package policy

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Decide answers a request. It does not allocate.
//
// Any matching Deny ends it. Then every limit must leave the action open
// (service control policies at each level, the VPC endpoint's policy), and an
// Allow must grant it: in the caller's own account one of the resource's policy
// or of the identity policies, across accounts both. A permissions boundary and
// session policies limit what identity policies grant, and what a resource's
// policy grants to the role or user behind a session. Two calls of STS that are
// about the caller alone need no grant.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func Decide(r *Request, p *Policies) Decision {
	e := evaluation{who: newCaller(r), resource: cutResource(r.Resource), context: r.Context, work: maxWork}
	e.bounded = e.who.attached && p.bounded()
	return e.answer(r, p)
}

// answer decides, whatever the policies.
func (e *evaluation) answer(r *Request, p *Policies) Decision {
	if !e.action.set(r.Action) {
		return implicit(Identity)
	}
	if e.who.identity && e.action.is("sts:getcalleridentity") { // not even a Deny stops it
		return Decision{Allowed: true, Statement: -1}
	}
	if e.barred(r.Principal) {
		return Decision{Barred: true, Statement: -1}
	}
	d := e.decide(r, p)
	if e.work < 0 && !d.Explicit {
		return Decision{TooDear: true, Statement: -1}
	}
	return d
}

// decide goes through the policies, in AWS's order.
func (e *evaluation) decide(r *Request, p *Policies) Decision {
	if d, denied := e.explicitDeny(p); denied {
		return d
	}
	if e.who.identity && e.action.is("sts:getsessiontoken") { // asks for no permission
		return Decision{Allowed: true, Statement: -1}
	}
	if d, limited := e.limit(p); limited {
		return d
	}
	if !e.who.identity {
		return e.decideByResource(p)
	}
	return e.decideBySides(r, p)
}

func implicit(by Kind) Decision { return Decision{By: by, Statement: -1} }

// allowed is what a statement of p grants; a grant of the resource that is no policy's has no p.
func (p *Policy) allowed(statement int) Decision {
	if p == nil {
		return Decision{Allowed: true, By: Resource, Statement: -1}
	}
	return Decision{Allowed: true, By: p.Kind, PolicyID: p.ID, Statement: statement}
}

func (p *Policies) bounded() bool   { return p.HasBoundary || len(p.Boundary) > 0 }
func (p *Policies) inSession() bool { return p.HasSession || len(p.Session) > 0 }

// barred tells what temporary credentials may not do whatever their policies:
// a federated user calls neither IAM nor STS; a session of GetSessionToken
// calls IAM only with MFA, and of STS only AssumeRole; a role's session gets no
// further tokens. What a session of AssumeRoot may do its task's policy says.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
func (e *evaluation) barred(p *aws.Principal) bool {
	if p == nil || !e.who.identity {
		return false
	}
	switch {
	case p.Kind == aws.FederatedUser:
		return e.action.of("iam") || e.action.of("sts")
	case p.Kind == aws.AssumedRole:
		return e.action.is("sts:getsessiontoken") || e.action.is("sts:getfederationtoken")
	case p.Session == nil || p.Session.TaskPolicy != "":
		return false
	case e.action.of("iam"):
		return p.Session.MFAAt.IsZero()
	}
	return e.action.of("sts") && !e.action.is("sts:assumerole")
}

// explicitDeny looks for a Deny in every policy that applies.
func (e *evaluation) explicitDeny(p *Policies) (Decision, bool) {
	if e.boundBySCP() {
		for _, level := range p.SCPs {
			if d, denied := e.denyIn(level, SCP); denied {
				return d, true
			}
		}
	}
	if len(p.RCPs) > 0 && e.boundByRCP() {
		for _, level := range p.RCPs {
			if d, denied := e.denyIn(level, RCP); denied {
				return d, true
			}
		}
	}
	if r := p.Resource; r != nil && r.hasDeny {
		if i := e.firstMatch(r, &r.denies); i >= 0 {
			return Decision{Explicit: true, By: r.Kind, PolicyID: r.ID, Statement: i}, true
		}
	}
	if d, denied := e.denyIn(p.Endpoint, Endpoint); denied || !e.who.identity {
		return d, denied
	}
	if e.who.attached {
		if d, denied := e.denyIn(p.Identity, Identity); denied {
			return d, true
		}
		if d, denied := e.denyIn(p.Boundary, Boundary); denied {
			return d, true
		}
	}
	return e.denyIn(p.Session, Session)
}

// denyIn looks for a Deny in policies of one kind. One that could not be read denies.
func (e *evaluation) denyIn(policies []*Policy, kind Kind) (Decision, bool) {
	for _, p := range policies {
		if p == nil {
			return implicit(kind), true
		}
		if !p.hasDeny {
			continue
		}
		if i := e.firstMatch(p, &p.denies); i >= 0 {
			return Decision{Explicit: true, By: kind, PolicyID: p.ID, Statement: i}, true
		}
	}
	return Decision{}, false
}

// allowIn looks for an Allow in policies of one kind.
func (e *evaluation) allowIn(policies []*Policy) (*Policy, int) {
	for _, p := range policies {
		if i := e.firstMatch(p, &p.allows); i >= 0 {
			return p, i
		}
	}
	return nil, -1
}

// limit asks the policies that limit every grant. Resource control policies
// are no such: the one that allows everything can't be detached, so they only
// deny.
func (e *evaluation) limit(p *Policies) (Decision, bool) {
	if e.boundBySCP() {
		for _, level := range p.SCPs {
			if by, _ := e.allowIn(level); by == nil {
				return implicit(SCP), true
			}
		}
	}
	if p.HasEndpoint || len(p.Endpoint) > 0 {
		if by, _ := e.allowIn(p.Endpoint); by == nil {
			return implicit(Endpoint), true
		}
	}
	return Decision{}, false
}

// decideByResource decides for callers without identity policies: anonymous
// ones, AWS services and identity providers.
func (e *evaluation) decideByResource(p *Policies) Decision {
	if g, by, i := e.resourceGrants(p); g == directGrant {
		return by.allowed(i)
	}
	return implicit(e.resourceKind(p))
}

// decideBySides decides for users, sessions and root.
func (e *evaluation) decideBySides(r *Request, p *Policies) Decision {
	same := e.sameAccount(r)
	granted, resource, statement := e.resourceGrants(p)
	if same && granted == directGrant {
		return resource.allowed(statement)
	}
	var d Decision
	if same && granted == entityGrant {
		d = resource.allowed(statement)
	} else {
		if d = e.identityGrants(p); !d.Allowed {
			return d
		}
		if granted == noGrant && (!same || e.needsResourcePolicy(p)) {
			return implicit(e.resourceKind(p))
		}
	}
	if e.bounded {
		if by, _ := e.allowIn(p.Boundary); by == nil {
			return implicit(Boundary)
		}
	}
	if p.inSession() || r.Principal.Kind == aws.FederatedUser {
		if by, _ := e.allowIn(p.Session); by == nil {
			return implicit(Session)
		}
	}
	return d
}

// identityGrants is what the caller's own side grants: root has every right,
// and neither identity policies nor a boundary.
func (e *evaluation) identityGrants(p *Policies) Decision {
	if e.who.attached {
		if by, i := e.allowIn(p.Identity); by != nil {
			return by.allowed(i)
		}
	}
	if e.who.root {
		return Decision{Allowed: true, Statement: -1}
	}
	return implicit(Identity)
}

// resourceGrants is the strongest way in which the resource lets the caller in,
// and the policy and statement that do so, or no policy for a grant.
func (e *evaluation) resourceGrants(p *Policies) (grant, *Policy, int) {
	if p.Granted {
		return directGrant, nil, -1
	}
	if p.Resource == nil {
		return noGrant, nil, -1
	}
	g, i := e.strongestGrant(p.Resource)
	return g, p.Resource, i
}

// sameAccount tells whether the caller's account owns the resource. What
// belongs to AWS itself (its managed policies) counts as everyone's own; what
// has no known owner is another's.
func (e *evaluation) sameAccount(r *Request) bool {
	owner := r.ResourceAccount
	if owner == "" {
		owner = e.resource.account()
	}
	return owner == e.who.account || owner == "aws" || owner == "" && e.resource.any
}

// needsResourcePolicy tells the resources whose own policy must let the caller
// in, or the caller's account, even in that account: roles and KMS keys.
func (e *evaluation) needsResourcePolicy(p *Policies) bool {
	if p.Resource != nil && p.Resource.Kind == Trust {
		return true
	}
	return e.action.of("kms") && strings.HasPrefix(e.resource.rest, "key/") || e.assumesRole()
}

// assumesRole tells the STS actions on a role.
func (e *evaluation) assumesRole() bool {
	return e.action.of("sts") && e.resource.parts[2] == "iam" && strings.HasPrefix(e.resource.rest, "role/")
}

// AssumesRole tells the requests that a role's trust policy decides: the STS
// actions on a role.
func (r *Request) AssumesRole() bool {
	e := evaluation{resource: cutResource(r.Resource)}
	return e.action.set(r.Action) && e.assumesRole()
}

// resourceKind is the kind of the resource's policy, if only it had one.
func (e *evaluation) resourceKind(p *Policies) Kind {
	if p.Resource != nil {
		return p.Resource.Kind
	}
	if e.assumesRole() {
		return Trust
	}
	return Resource
}
