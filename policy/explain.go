package policy

// Explanation is a decision, and what each statement had to say to it.
type Explanation struct {
	Decision
	// Policies are all policies that were given, in the order in which kinds
	// are asked. A kind that a decision never came to is there too.
	Policies []PolicyOutcome
	// Work is what deciding and explaining took, in steps of comparing.
	Work int
}

// PolicyOutcome is what came of one policy.
type PolicyOutcome struct {
	Kind  Kind
	Level int    // of SCPs and RCPs: 0 is the root's
	ID    string // that the policy was compiled with
	// Applies: policies of this kind bear on this request. A service has no
	// identity policies, SCPs do not bind service-linked roles …
	Applies bool
	// Unreadable: the policy could not be read, which denies.
	Unreadable bool
	Statements []StatementOutcome
}

// StatementOutcome is what came of one statement, element by element.
type StatementOutcome struct {
	Deny                        bool
	Action, Principal, Resource bool   // the element matches; one that is absent does
	Conditions                  []bool // in the order of Statement.Conditions
	// ByAccount: the Principal element names the caller only by the account,
	// which in its own account grants nothing itself.
	ByAccount bool
}

// Matched tells whether the statement applies to the request.
func (s *StatementOutcome) Matched() bool { return s.Misses() == 0 }

// Misses counts the elements and conditions that do not match.
func (s *StatementOutcome) Misses() int {
	n := 0
	for _, held := range [...]bool{s.Action, s.Principal, s.Resource} {
		if !held {
			n++
		}
	}
	for _, held := range s.Conditions {
		if !held {
			n++
		}
	}
	return n
}

// explainWork is the work an explanation may take beyond the decision's own:
// it looks at every statement, where a decision ends with the first that decides.
const explainWork = 16 * maxWork

// Explain decides as Decide does, by the same code, and then lays out by the
// same comparisons what each statement says. It allocates, and takes time in
// proportion to all policies.
func Explain(r *Request, p *Policies) Explanation {
	e := evaluation{who: newCaller(r), resource: cutResource(r.Resource), context: r.Context, work: maxWork}
	e.bounded = e.who.attached && p.bounded()
	x := Explanation{Decision: e.answer(r, p)}
	x.Work = int(maxWork - e.work)
	e.work = explainWork
	if !e.action.set(r.Action) {
		return x
	}
	for level, policies := range p.SCPs {
		x.add(&e, SCP, level, policies, e.boundBySCP())
	}
	for level, policies := range p.RCPs {
		x.add(&e, RCP, level, policies, e.boundByRCP())
	}
	if p.Resource != nil {
		x.add(&e, p.Resource.Kind, 0, []*Policy{p.Resource}, true)
	}
	x.add(&e, Endpoint, 0, p.Endpoint, true)
	x.add(&e, Identity, 0, p.Identity, e.who.attached)
	x.add(&e, Boundary, 0, p.Boundary, e.who.attached)
	x.add(&e, Session, 0, p.Session, e.who.identity)
	x.Work += int(explainWork - e.work)
	return x
}

func (x *Explanation) add(e *evaluation, kind Kind, level int, policies []*Policy, applies bool) {
	for _, p := range policies {
		outcome := PolicyOutcome{Kind: kind, Level: level, Applies: applies, Unreadable: p == nil}
		if p != nil {
			outcome.ID = p.ID
			outcome.Statements = e.outcomes(p)
		}
		x.Policies = append(x.Policies, outcome)
	}
}

// outcomes asks every statement of a policy, and every element of each.
func (e *evaluation) outcomes(p *Policy) []StatementOutcome {
	list := make([]StatementOutcome, len(p.statements))
	for _, x := range [...]*actionIndex{&p.allows, &p.denies} {
		for _, run := range [...][]actionRef{x.every, x.find(e.action.whole), x.find(e.action.service)} {
			for i := range run {
				to := &list[run[i].statement]
				to.Action = to.Action || run[i].matches(&e.action, &e.work)
			}
		}
	}
	for i := range p.statements {
		s, to := &p.statements[i], &list[i]
		to.Deny = s.deny
		to.Action = to.Action && (s.notActions == nil || !s.notActions.matches(&e.action, &e.work))
		to.Principal = e.matchesPrincipal(s)
		to.ByAccount = s.grant(&e.who) == accountGrant
		to.Resource = e.matchesResource(s)
		if len(s.conditions) > 0 {
			to.Conditions = make([]bool, len(s.conditions))
		}
		for c := range s.conditions {
			to.Conditions[c] = s.conditions[c].matches(e.context, &e.work)
		}
	}
	return list
}
