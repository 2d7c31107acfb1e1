package policy

// evaluation is one request being decided: what is the same for all policies,
// made once. Its methods look at one policy, or one statement, at a time.
type evaluation struct {
	action   actionName
	resource resourceText
	who      caller
	context  *Context
	bounded  bool // the caller has a permissions boundary
	work     work
}

// firstMatch is the first statement of an index that matches, -1 if none does.
func (e *evaluation) firstMatch(p *Policy, x *actionIndex) int {
	for _, run := range [...][]actionRef{x.every, x.find(e.action.whole), x.find(e.action.service)} {
		tried := -1 // a statement's patterns stand side by side
		for i := range run {
			ref := &run[i]
			if int(ref.statement) == tried || !ref.matches(&e.action, &e.work) {
				continue
			}
			tried = int(ref.statement)
			if e.matches(&p.statements[tried]) {
				return tried
			}
		}
	}
	return -1
}

// strongestGrant is the strongest way in which an Allow of a resource's policy
// names the caller, and the statement that does so.
func (e *evaluation) strongestGrant(p *Policy) (best grant, statement int) {
	statement = -1
	for _, run := range [...][]actionRef{p.allows.every, p.allows.find(e.action.whole), p.allows.find(e.action.service)} {
		tried := -1
		for i := range run {
			ref := &run[i]
			if int(ref.statement) == tried || !ref.matches(&e.action, &e.work) {
				continue
			}
			tried = int(ref.statement)
			s := &p.statements[tried]
			if g := s.grant(&e.who); g > best && e.matches(s) {
				best, statement = g, tried
			}
			if best == directGrant {
				return best, statement
			}
		}
	}
	return best, statement
}

// grant is how an Allow names the caller. NotPrincipal with Allow names all
// but those listed, as "*" does.
func (s *statement) grant(who *caller) grant {
	if s.principals == nil {
		return directGrant
	}
	g := s.principals.grant(who)
	if !s.notPrincipal {
		return g
	}
	if g == noGrant {
		return directGrant
	}
	return noGrant
}

// matches tells whether a statement, whose Action element the index has seen
// to, applies to the request.
func (e *evaluation) matches(s *statement) bool {
	return (s.notActions == nil || !s.notActions.matches(&e.action, &e.work)) &&
		e.matchesPrincipal(s) &&
		e.matchesResource(s) &&
		e.matchesConditions(s)
}

// matchesPrincipal: a Deny with NotPrincipal always hits a caller that has a
// permissions boundary.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (e *evaluation) matchesPrincipal(s *statement) bool {
	return s.deny && s.notPrincipal && e.bounded || s.grant(&e.who) != noGrant
}

func (e *evaluation) matchesResource(s *statement) bool {
	if s.everything {
		return true
	}
	for i := range s.resources {
		if s.resources[i].matches(&e.resource, e.context, &e.work) {
			return !s.notResource
		}
	}
	return s.notResource
}

func (e *evaluation) matchesConditions(s *statement) bool {
	for i := range s.conditions {
		if !s.conditions[i].matches(e.context, &e.work) {
			return false
		}
	}
	return true
}
