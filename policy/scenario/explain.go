package scenario

import (
	"github.com/garrison-security/garrison/policy"
)

// ExplainedPolicy is what came of one policy.
type ExplainedPolicy struct {
	Type  string `json:"type"`            // as AWS's messages name it
	Level *int   `json:"level,omitempty"` // of a guardrail: 0 is the root's
	Name  string `json:"policy"`
	// Outcome is "denies", "allows", "silent", or "does not apply" for a policy
	// of a type that does not bear on this request.
	Outcome    string               `json:"outcome"`
	Statements []ExplainedStatement `json:"statements"`
}

// ExplainedStatement is what came of one statement.
type ExplainedStatement struct {
	Index   int    `json:"statement"`
	Sid     string `json:"sid,omitempty"`
	Line    int    `json:"line"` // in the policy's text, from 1
	Effect  string `json:"effect"`
	Matched bool   `json:"matched"`
	// Because are the elements and conditions that do not match.
	Because []Mismatch `json:"because,omitempty"`
	// ByAccount: it names the caller by the account only, which grants nothing itself there.
	ByAccount bool `json:"namesAccountOnly,omitempty"`
}

// Mismatch is an element that does not match: what the policy has, and what the request.
type Mismatch struct {
	Element  string   `json:"element"` // Action, NotAction, Principal, …, Condition
	Operator string   `json:"operator,omitempty"`
	Key      string   `json:"key,omitempty"`
	Policy   []string `json:"policy"`
	// Resolved are the policy's values with the variables' values in their
	// places, where there are variables; one that has no value is left out.
	Resolved []string `json:"resolved,omitzero"`
	// Request is what the request has there; nil: the key is absent.
	Request []string `json:"request"`
}

// Place is a statement of a policy.
type Place struct {
	Policy    string `json:"policy"`
	Statement int    `json:"statement"`
}

// The outcomes.
const (
	outcomeDenies  = "denies"
	outcomeAllows  = "allows"
	outcomeSilent  = "silent"
	outcomeForeign = "does not apply"
)

// explain puts an explanation in words.
func (j *Judge) explain(v *Verdict, s *Scenario, x *policy.Explanation) error {
	if !x.Allowed {
		v.Message = x.Message(&j.question.Request)
	}
	texts := s.Policies.all()
	for i := range x.Policies {
		p := &x.Policies[i]
		c, err := j.library.get(texts[i], p.Kind)
		if err != nil {
			return err
		}
		to := ExplainedPolicy{Type: p.Kind.String(), Name: p.ID, Outcome: outcome(p)}
		if p.Kind == policy.SCP || p.Kind == policy.RCP {
			to.Level = &p.Level
		}
		for k := range p.Statements {
			to.Statements = append(to.Statements, j.statement(&p.Statements[k], c.document, k, &s.Request))
		}
		v.Policies = append(v.Policies, to)
	}
	v.Change = change(x)
	return nil
}

// all are the documents in the order of an explanation.
func (p *Policies) all() []*Document {
	var list []*Document
	add := func(documents []Document) {
		for i := range documents {
			list = append(list, &documents[i])
		}
	}
	for _, level := range p.SCPs {
		add(level)
	}
	for _, level := range p.RCPs {
		add(level)
	}
	if p.Resource != nil {
		list = append(list, p.Resource)
	}
	add(p.Endpoint)
	add(p.Identity)
	add(p.Boundaries)
	add(p.Session)
	return list
}

func outcome(p *policy.PolicyOutcome) string {
	if !p.Applies {
		return outcomeForeign
	}
	word := outcomeSilent
	for i := range p.Statements {
		if s := &p.Statements[i]; s.Matched() {
			if s.Deny {
				return outcomeDenies
			}
			word = outcomeAllows
		}
	}
	return word
}

func (j *Judge) statement(o *policy.StatementOutcome, doc *policy.Document, index int, r *Request) ExplainedStatement {
	s := &doc.Statements[index]
	to := ExplainedStatement{Index: index, Sid: s.Sid, Line: doc.Line(s.Offset), Effect: "Allow", Matched: o.Matched(), ByAccount: o.ByAccount}
	if s.Deny {
		to.Effect = "Deny"
	}
	element := func(name string, not bool) string {
		if not {
			return "Not" + name
		}
		return name
	}
	if !o.Action {
		to.Because = append(to.Because, Mismatch{Element: element("Action", s.NotAction), Policy: s.Actions, Request: []string{r.Action}})
	}
	if !o.Principal {
		to.Because = append(to.Because, Mismatch{Element: element("Principal", s.NotPrincipal), Policy: s.Principal.List(), Request: []string{r.Principal}})
	}
	if !o.Resource {
		to.Because = append(to.Because, Mismatch{Element: element("Resource", s.NotResource), Policy: s.Resources, Resolved: j.resolve(doc, s.Resources), Request: []string{r.Resource}})
	}
	for i, held := range o.Conditions {
		if c := &s.Conditions[i]; !held {
			to.Because = append(to.Because, Mismatch{"Condition", c.Operator, c.Key, c.Values, j.resolve(doc, c.Values), j.question.context.Values(c.Key)})
		}
	}
	return to
}

// resolve puts variables' values in; nil if there are no variables.
func (j *Judge) resolve(doc *policy.Document, texts []string) []string {
	var resolved []string
	variables := false
	for _, text := range texts {
		r, ok := doc.Resolve(text, &j.question.context)
		variables = variables || !ok || r != text
		if ok {
			resolved = append(resolved, r)
		}
	}
	if !variables {
		return nil
	}
	return append([]string{}, resolved...)
}

// change finds the statements to change for another answer.
func change(x *policy.Explanation) []Place {
	var places []Place
	best := 0
	for i := range x.Policies {
		p := &x.Policies[i]
		for k := range p.Statements {
			s := &p.Statements[k]
			switch {
			case !p.Applies || s.Deny != x.Explicit:
			case x.Explicit && s.Matched():
				places = append(places, Place{p.ID, k})
			case x.Explicit || x.Allowed || p.Kind != x.By || s.Matched() || !s.Action:
			case len(places) == 0 || s.Misses() < best:
				places, best = []Place{{p.ID, k}}, s.Misses()
			case s.Misses() == best:
				places = append(places, Place{p.ID, k})
			}
		}
	}
	return places
}
