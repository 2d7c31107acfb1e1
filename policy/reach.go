package policy

// Reach asks of many actions whether policies let their holder try them, at a
// bounded cost for all together. It is for one goroutine.
type Reach struct{ left work }

// NewReach bounds the questions to come to the work that so many decisions may take at most.
func NewReach(decisions int) *Reach { return &Reach{work(decisions) * maxWork} }

// TooDear tells that the bound is reached: answers since are worth nothing.
func (r *Reach) TooDear() bool { return r.left < 0 }

// Reaches tells whether policies let their holder try an action, as AWS's
// reports of last access reckon it: an Allow names the action, on whatever
// resource and under whatever conditions, and no Deny takes it away on every
// resource and without conditions. What can't be read lets nobody try anything.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
func (r *Reach) Reaches(policies []*Policy, action string) bool {
	if r.TooDear() {
		return false
	}
	e := evaluation{work: r.left}
	defer func() { r.left = e.work }()
	if !e.action.set(action) {
		return false
	}
	allowed := false
	for _, p := range policies {
		if p == nil || e.names(p, &p.denies, (*statement).unconditional) {
			return false
		}
		allowed = allowed || e.names(p, &p.allows, nil)
	}
	return allowed && e.work >= 0
}

// names tells whether an index has a statement that names the action, and is as asked.
func (e *evaluation) names(p *Policy, x *actionIndex, is func(*statement) bool) bool {
	for _, run := range [...][]actionRef{x.every, x.find(e.action.whole), x.find(e.action.service)} {
		for i := range run {
			s := &p.statements[run[i].statement]
			if run[i].matches(&e.action, &e.work) &&
				(s.notActions == nil || !s.notActions.matches(&e.action, &e.work)) && (is == nil || is(s)) {
				return true
			}
		}
	}
	return false
}

// unconditional statements hold for every resource and caller.
func (s *statement) unconditional() bool {
	return s.everything && !s.notPrincipal && len(s.conditions) == 0
}
