package policy

import (
	"bytes"
	"slices"
	"strings"
)

const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Malformed is the refusal of a document. Its text is that of IAM's
// MalformedPolicyDocument error.
type Malformed struct{ Message string }

// Error implements error.
func (e *Malformed) Error() string { return e.Message }

var (
	errSyntax      = &Malformed{"Syntax errors in policy."}
	errInvalidJSON = &Malformed{"This policy contains invalid Json"}
	errLegacy      = &Malformed{"The policy failed legacy parsing"}
)

// Parse reads a document that is to be stored: what IAM refuses then is
// refused here. The error is a *Malformed. Size limits are the caller's, who
// knows whose policy it is (Size counts), as are principals that don't exist.
func Parse(doc []byte, kind Kind) (*Document, error) {
	d, err := read(doc, kind, false)
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

// Read reads a document that was stored before, or that comes from elsewhere
// to be judged (an exported account, an expectation file). It takes whatever
// can be evaluated, and refuses what can't: unknown elements, operators and
// types, or one name twice. The error is a *Malformed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Read(doc []byte, kind Kind) (*Document, error) {
	d, err := read(doc, kind, true)
	if err != nil {
		return nil, err
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if len(s.Actions) == 0 {
			return nil, errNoAction
		}
		if len(s.Resources) == 0 && kind != Trust && kind != Resource {
			return nil, errNoResource
		}
	}
	return d, nil
}

// read reads the grammar alone, loosely or as it is published.
func read(doc []byte, kind Kind, loosely bool) (*Document, error) {
	root, ok := readJSON(doc)
	if !ok && kind == Trust {
		return nil, errInvalidJSON
	}
	if !ok || root.kind != objectNode {
		return nil, errSyntax
	}
	p := parser{doc: &Document{Kind: kind, source: bytes.Clone(doc)}}
	if !p.document(&root) || p.loose && !loosely {
		return nil, errSyntax
	}
	if p.err != nil {
		return nil, p.err
	}
	return p.doc, nil
}

// parser makes a Document of a JSON tree. Its methods answer false for what
// IAM calls a syntax error; err is the first of the other errors, which weighs
// less.
type parser struct {
	doc   *Document
	err   error
	loose bool // something is against the grammar, but has one meaning: an AWS principal without its map, no statement
}

func (p *parser) document(root *node) bool {
	var statements *node
	for i := range root.members {
		m := &root.members[i]
		switch m.name {
		case "Version":
			p.doc.Version = m.value.text
			if m.value.kind != textNode || p.doc.Version != version2008 && p.doc.Version != version2012 {
				return false
			}
		case "Id":
			p.doc.ID = m.value.text
			if m.value.kind != textNode {
				return false
			}
		case "Statement":
			statements = &m.value
		default:
			return false
		}
	}
	if statements == nil {
		return false
	}
	list := statements.items
	if statements.kind == objectNode {
		list = []node{*statements}
	}
	p.doc.Statements = make([]Statement, len(list))
	for i := range list {
		if list[i].kind != objectNode || !p.statement(&p.doc.Statements[i], &list[i]) {
			return false
		}
	}
	p.loose = p.loose || len(list) == 0
	return true
}

func (p *parser) statement(s *Statement, n *node) bool {
	effect, ok := "", true
	for i := range n.members {
		v := &n.members[i].value
		switch name := n.members[i].name; name {
		case "Sid":
			s.Sid, ok = v.text, v.kind == textNode
		case "Effect":
			effect, ok = v.text, v.kind == textNode
		case "Action", "NotAction":
			ok = s.Actions == nil
			s.NotAction = name == "NotAction"
			s.Actions, ok = appendTexts(make([]string, 0, 1), v, ok)
		case "Resource", "NotResource":
			ok = s.Resources == nil
			s.NotResource = name == "NotResource"
			s.Resources, ok = appendTexts(make([]string, 0, 1), withoutNulls(v), ok)
		case "Principal", "NotPrincipal":
			ok = s.Principal == nil
			s.NotPrincipal = name == "NotPrincipal"
			s.Principal = new(Principals)
			ok = ok && p.principals(s.Principal, v)
		case "Condition":
			ok = p.conditions(s, v)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	s.Deny = effect == "Deny"
	if effect != "Allow" && effect != "Deny" {
		p.refuse(errLegacy)
		return strings.EqualFold(effect, "Allow") || strings.EqualFold(effect, "Deny")
	}
	switch p.doc.Kind {
	case Identity, Boundary, Session, SCP:
		if s.Principal != nil {
			p.refuse(errPrincipal)
		}
	case Trust:
		if s.NotPrincipal {
			p.refuse(prohibited("NotPrincipal"))
		}
	}
	return true
}

func (p *parser) refuse(err error) {
	if p.err == nil {
		p.err = err
	}
}

// appendTexts appends the string, or the list of strings, that n is.
func appendTexts(to []string, n *node, ok bool) ([]string, bool) {
	switch {
	case !ok:
	case n.kind == textNode:
		return append(to, n.text), true
	case n.kind == arrayNode:
		for i := range n.items {
			if n.items[i].kind != textNode {
				return nil, false
			}
			to = append(to, n.items[i].text)
		}
		return to, true
	}
	return nil, false
}

// withoutNulls is a list without its nulls, which IAM passes over in Resource.
func withoutNulls(n *node) *node {
	list := *n
	list.items = slices.DeleteFunc(slices.Clone(n.items), func(item node) bool { return item.kind == nullNode })
	return &list
}

func (p *parser) principals(to *Principals, n *node) bool {
	if n.kind == textNode && n.text == "*" {
		to.Any = true
		return true
	}
	if n.kind == textNode {
		p.loose = true
		return p.awsPrincipals(to, n)
	}
	if n.kind != objectNode {
		return false
	}
	for i := range n.members {
		v, ok := &n.members[i].value, true
		switch n.members[i].name {
		case "AWS":
			ok = p.awsPrincipals(to, v)
		case "Service":
			to.Service, ok = appendTexts(nil, v, true)
		case "Federated":
			to.Federated, ok = appendTexts(nil, v, true)
		case "CanonicalUser":
			to.Canonical, ok = appendTexts(nil, v, true)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func (p *parser) awsPrincipals(to *Principals, n *node) bool {
	list := n.items
	if n.kind == textNode {
		list = []node{*n}
	} else if n.kind != arrayNode {
		return false
	}
	for _, item := range list {
		if item.kind != textNode {
			return false
		}
		if item.text == "*" {
			to.Any = true
			continue
		}
		to.AWS = append(to.AWS, item.text)
		p.doc.principals = append(p.doc.principals, principalText{item.text, item.at})
	}
	return true
}

// conditions reads a Condition element. Values may be strings, numbers and
// booleans; the latter two count as their text.
func (p *parser) conditions(s *Statement, n *node) bool {
	if n.kind != objectNode {
		return false
	}
	for i := range n.members {
		operator, keys := n.members[i].name, &n.members[i].value
		if keys.kind != objectNode {
			return false
		}
		if _, known := parseOperator(operator); !known && len(keys.members) > 0 {
			return false
		}
		for j := range keys.members {
			c := Condition{Operator: operator, Key: keys.members[j].name}
			v := &keys.members[j].value
			list := v.items
			if v.kind != arrayNode {
				list = []node{*v}
			}
			for _, item := range list {
				if item.kind == nullNode || item.kind == arrayNode || item.kind == objectNode {
					return false
				}
				c.Values = append(c.Values, item.text)
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
	return true
}
