package iam

import (
	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// simulation is one request of the policy simulator: what is asked, and what
// bears on it. Its decisions are the engine's that decides every call; what is
// not given (the time, the network, the resource's tags) is absent.
type simulation struct {
	call      *gateway.Call
	ask       simulationRequest
	principal *aws.Principal
	known     bool // the principal is a user or role that conditions can tell
	tags      map[string]string
	member    bool // of an organisation whose limits are simulated
	owner     string
	together  bool // an action is decided on all resources at once

	identity, boundary []input
	resource           *input // nil: none is given
	policies           policy.Policies
	context            policy.Context
	ownerGiven         bool // aws:ResourceAccount is
	work               int
}

// cases is how many results there are: one an action and resource.
func (m *simulation) cases() int {
	if m.together {
		return len(m.ask.Actions)
	}
	return len(m.ask.Actions) * len(m.ask.Resources)
}

// result is the result of one case, in the order of actions, then resources.
func (m *simulation) result(i int) (*iam.EvaluationResult, error) {
	resources := m.ask.Resources
	var action string
	if m.together {
		action = m.ask.Actions[i]
	} else {
		action = m.ask.Actions[i/len(resources)]
		resources = resources[i%len(resources):][:1]
	}
	verdicts, worst := make([]*simulated, len(resources)), 0
	for i, resource := range resources {
		var err error
		if verdicts[i], err = m.verdict(action, resource); err != nil {
			return nil, err
		}
		if weight(verdicts[i].decision) > weight(verdicts[worst].decision) {
			worst = i
		}
	}
	out := verdicts[worst].overall(action, resources[worst])
	if len(resources) == 1 && resources[0] == "*" {
		return out, nil
	}
	for i, resource := range resources {
		out.ResourceSpecificResults = append(out.ResourceSpecificResults, verdicts[i].specific(resource))
	}
	out.MissingContextValues = []string{} // they stand with the resources
	if out.EvalDecisionDetails == nil {
		out.EvalDecisionDetails = map[string]iam.PolicyEvaluationDecisionType{}
	}
	return out, nil
}

// weight orders decisions: the heaviest is that of several resources together.
func weight(d iam.PolicyEvaluationDecisionType) int {
	switch d {
	case iam.PolicyEvaluationDecisionTypeAllowed:
		return 0
	case iam.PolicyEvaluationDecisionTypeImplicitDeny:
		return 1
	}
	return 2
}

// simulated is a decision on one resource, as answers tell it.
type simulated struct {
	decision     iam.PolicyEvaluationDecisionType
	matched      []iam.Statement
	missing      []string
	organization *iam.OrganizationsDecisionDetail
	boundary     *iam.PermissionsBoundaryDecisionDetail
	details      map[string]iam.PolicyEvaluationDecisionType // of calls across accounts
}

func (v *simulated) overall(action, resource string) *iam.EvaluationResult {
	return &iam.EvaluationResult{
		EvalActionName: action, EvalResourceName: &resource, EvalDecision: v.decision, MatchedStatements: v.matched, MissingContextValues: v.missing,
		OrganizationsDecisionDetail: v.organization, PermissionsBoundaryDecisionDetail: v.boundary, EvalDecisionDetails: v.details,
	}
}

func (v *simulated) specific(resource string) iam.ResourceSpecificResult {
	return iam.ResourceSpecificResult{
		EvalResourceName: resource, EvalResourceDecision: v.decision, MatchedStatements: v.matched, MissingContextValues: v.missing,
		EvalDecisionDetails: v.details, PermissionsBoundaryDecisionDetail: v.boundary,
	}
}

// verdict decides one action on one resource.
func (m *simulation) verdict(action, resource string) (*simulated, error) {
	q := policy.Request{Action: action, Resource: resource, Principal: m.principal, Context: &m.context, ResourceAccount: m.ownerOf(resource)}
	if !m.ownerGiven {
		m.context.Set("aws:ResourceAccount", q.ResourceAccount)
	}
	x := policy.Explain(&q, &m.policies)
	m.work += x.Work
	if x.TooDear {
		return nil, &iam.PolicyEvaluationException{Message: "The policies take too much work to evaluate " + action + "."}
	}
	v := &simulated{decision: decisionType(x.Decision), matched: []iam.Statement{}, missing: []string{}}
	limits := limitsOf(&x)
	if m.member {
		v.organization = &iam.OrganizationsDecisionDetail{AllowedByOrganizations: new(limits.byOrganization)}
	}
	if len(m.boundary) > 0 {
		v.boundary = &iam.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: new(limits.byBoundary)}
	}
	if limits.byOrganization && q.ResourceAccount != m.principal.Account && resource != "*" {
		v.details = map[string]iam.PolicyEvaluationDecisionType{typeIdentity: limits.identity.decision(), typeResource: limits.resource.decision()}
	}
	missing := keySet{list: v.missing}
	m.look(&x, func(from *input, statement int, o *policy.StatementOutcome) {
		if o.Matched() && (x.Explicit && o.Deny || x.Allowed && !o.Deny && from.kind != typeBoundary) { // a boundary grants nothing
			v.matched = append(v.matched, from.reference(statement))
		}
		if bears(from.document, statement, o, &m.context) {
			for key := range from.document.Keys(statement) {
				if !m.context.Has(key) {
					missing.add(key)
				}
			}
		}
	})
	v.missing = missing.sorted()
	return v, nil
}

// look visits the statements of all policies that answers speak of.
func (m *simulation) look(x *policy.Explanation, visit func(*input, int, *policy.StatementOutcome)) {
	identity, boundary := 0, 0
	for i := range x.Policies {
		p := &x.Policies[i]
		var from *input
		switch p.Kind {
		case policy.Resource:
			from = m.resource
		case policy.Identity:
			from = &m.identity[identity]
			identity++
		case policy.Boundary:
			from = &m.boundary[boundary]
			boundary++
		}
		if from == nil || p.Unreadable {
			continue
		}
		for k := range p.Statements {
			visit(from, k, &p.Statements[k])
		}
	}
}

// bears tells whether the keys of a statement have a say: its action and its
// principal match, and its resources do, or can't tell for want of a variable's value.
func bears(doc *policy.Document, statement int, o *policy.StatementOutcome, x *policy.Context) bool {
	if !o.Action || !o.Principal || o.Resource {
		return o.Action && o.Principal
	}
	for _, resource := range doc.Statements[statement].Resources {
		if _, ok := doc.Resolve(resource, x); !ok {
			return true
		}
	}
	return false
}

// ownerOf is the account that owns a resource: its ARN's, or the one that is
// given, or the caller's. Without a resource policy the caller's side alone is
// asked, as in the caller's own account.
func (m *simulation) ownerOf(resource string) string {
	arn, err := aws.ParseARN(resource)
	switch {
	case m.resource == nil:
		return m.principal.Account
	case err == nil && aws.IsAccount(arn.Account):
		return arn.Account
	case m.owner != "":
		return m.owner
	}
	return m.principal.Account
}

// describeCaller sets the keys that a caller who is known tells.
func (m *simulation) describeCaller() {
	if !m.known {
		return
	}
	m.context.SetPrincipal(m.principal)
	for key, value := range m.tags {
		m.context.SetTag("aws:PrincipalTag/", key, value)
	}
}

func decisionType(d policy.Decision) iam.PolicyEvaluationDecisionType {
	switch {
	case d.Allowed:
		return iam.PolicyEvaluationDecisionTypeAllowed
	case d.Explicit:
		return iam.PolicyEvaluationDecisionTypeExplicitDeny
	}
	return iam.PolicyEvaluationDecisionTypeImplicitDeny
}

// side is what the policies of one kind say.
type side struct{ allows, denies bool }

func (s side) decision() iam.PolicyEvaluationDecisionType {
	return decisionType(policy.Decision{Allowed: s.allows && !s.denies, Explicit: s.denies})
}

// limits is what each kind of policy says of a request.
type limits struct {
	identity, resource         side
	byOrganization, byBoundary bool
}

func limitsOf(x *policy.Explanation) (l limits) {
	var boundary side
	var levels []side
	for i := range x.Policies {
		p := &x.Policies[i]
		if !p.Applies {
			continue
		}
		var s *side
		switch p.Kind {
		case policy.Identity:
			s = &l.identity
		case policy.Resource:
			s = &l.resource
		case policy.Boundary:
			s = &boundary
		case policy.SCP:
			for len(levels) <= p.Level {
				levels = append(levels, side{})
			}
			s = &levels[p.Level]
		default:
			continue
		}
		s.denies = s.denies || p.Unreadable
		for k := range p.Statements {
			if o := &p.Statements[k]; o.Matched() {
				s.allows, s.denies = s.allows || !o.Deny, s.denies || o.Deny
			}
		}
	}
	l.byOrganization, l.byBoundary = true, boundary.allows && !boundary.denies
	for _, level := range levels {
		l.byOrganization = l.byOrganization && level.allows && !level.denies
	}
	return l
}
