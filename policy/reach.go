package policy

// Reaches tells whether policies let their holder try an action, as AWS's
// reports of last access reckon it: an Allow names the action, on whatever
// resource and under whatever conditions, and no Deny takes it away on every
// resource and without conditions. What can't be read lets nobody try anything.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
func Reaches(policies []*Policy, action string) bool {
	e := evaluation{work: maxWork}
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
