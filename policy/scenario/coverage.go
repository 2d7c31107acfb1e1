package scenario

import "github.com/garrison-security/garrison/policy"

// Coverage says which statements of which policies applied to a request, by
// the policy's name.
type Coverage map[string]*covered

type covered struct {
	statements []bool
	left       int // that have not applied yet
}

// Has tells whether a statement applied.
func (c Coverage) Has(name string, statement int) bool {
	p := c[name]
	return p != nil && statement < len(p.statements) && p.statements[statement]
}

// Merge adds what another coverage has.
func (c Coverage) Merge(from Coverage) {
	for name, p := range from {
		for i, applied := range p.statements {
			if applied {
				c.mark(name, len(p.statements), i)
			}
		}
	}
}

func (c Coverage) mark(name string, statements, i int) {
	p := c[name]
	if p == nil {
		p = &covered{make([]bool, statements), statements}
		c[name] = p
	}
	if !p.statements[i] {
		p.statements[i] = true
		p.left--
	}
}

// complete tells whether nothing is left to learn from a scenario's policies.
func (c Coverage) complete(s *Scenario) bool {
	for _, list := range [...][]Document{s.Identity, s.Boundaries, s.Session, s.Endpoint} {
		if !c.allApplied(list) {
			return false
		}
	}
	for _, levels := range [...][][]Document{s.SCPs, s.RCPs} {
		for _, level := range levels {
			if !c.allApplied(level) {
				return false
			}
		}
	}
	return s.Policies.Resource == nil || c.allApplied([]Document{*s.Policies.Resource})
}

func (c Coverage) allApplied(list []Document) bool {
	for i := range list {
		if p := c[list[i].Name]; p == nil || p.left > 0 {
			return false
		}
	}
	return true
}

// Exercise decides a scenario, and adds to c the statements that applied.
// Policies of one name have one text.
func (j *Judge) Exercise(s *Scenario, c Coverage) (*Verdict, error) {
	if err := j.prepare(s); err != nil {
		return nil, err
	}
	if c.complete(s) {
		return j.verdict(policy.Decide(&j.question.Request, &j.policies)), nil
	}
	x := policy.Explain(&j.question.Request, &j.policies)
	for i := range x.Policies {
		p := &x.Policies[i]
		for k := range p.Statements {
			if p.Applies && p.Statements[k].Matched() {
				c.mark(p.ID, len(p.Statements), k)
			}
		}
	}
	return j.verdict(x.Decision), nil
}
