package policy

import "unique"

// Policy is a compiled document. It is immutable and may be shared by any
// number of principals and goroutines. Policies share the strings that they
// have in common.
type Policy struct {
	ID   string
	Kind Kind

	statements    []statement
	allows        actionIndex
	denies        actionIndex
	hasDeny       bool
	sharedStrings []unique.Handle[string] // keeps them shared
}

// statement is a compiled statement, but its Action element, which stands in the index.
type statement struct {
	deny         bool
	principals   *principals // nil: not looked at
	notPrincipal bool
	resources    []resource
	notResource  bool
	everything   bool // the Resource element covers everything
	conditions   []condition
	notActions   *actionIndex // NotAction
}

// compiler is the state of one compilation.
type compiler struct {
	kind      Kind
	variables bool // the document's version knows them
	policy    *Policy
}

// intern is s, shared with all other compiled policies.
func (c *compiler) intern(s string) string {
	h := unique.Make(s)
	c.policy.sharedStrings = append(c.policy.sharedStrings, h)
	return h.Value()
}

// Compile prepares a document for decisions. id is the ARN of a managed
// policy, or a name, and comes back in Decision.PolicyID.
func Compile(doc *Document, id string) *Policy {
	p := &Policy{ID: id, Kind: doc.Kind, statements: make([]statement, len(doc.Statements))}
	c := &compiler{kind: doc.Kind, variables: doc.HasVariables(), policy: p}
	allows, denies := indexBuilder{c: c}, indexBuilder{c: c}
	for i := range doc.Statements {
		from, index := &doc.Statements[i], &allows
		if from.Deny {
			index, p.hasDeny = &denies, true
		}
		p.statements[i] = c.statement(from)
		if !from.NotAction {
			for _, a := range from.Actions {
				index.add(a, uint32(i))
			}
			continue
		}
		not := indexBuilder{c: c}
		for _, a := range from.Actions {
			not.add(a, 0)
		}
		x := not.build()
		p.statements[i].notActions = &x
		index.every = append(index.every, actionRef{form: everyPattern, statement: uint32(i)})
	}
	p.allows, p.denies = allows.build(), denies.build()
	return p
}

func (c *compiler) statement(from *Statement) statement {
	to := statement{
		deny:         from.Deny,
		notPrincipal: from.NotPrincipal,
		notResource:  from.NotResource,
		everything:   from.Resources == nil,
		principals:   c.principals(from.Principal),
	}
	for _, r := range from.Resources {
		to.resources = c.resources(to.resources, r)
		to.everything = to.everything || r == "*" && !from.NotResource
	}
	for i := range from.Conditions {
		to.conditions = append(to.conditions, c.condition(&from.Conditions[i], from.Deny))
	}
	return to
}
