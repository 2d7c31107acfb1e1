package policy

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// limits bound a document. The largest AWS managed policy has 140,000 bytes and
// 7 levels.
var limits = strictjson.Limits{Bytes: 256 << 10, Depth: 12, Values: 50_000}

const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Malformed is the refusal of a document. Its text is that of IAM's
// MalformedPolicyDocument error.
type Malformed struct {
	Message string
	Offset  int    // the byte at which it shows
	Reason  string // what is wrong there, where Message does not tell; else empty
}

// Error implements error.
func (e *Malformed) Error() string { return e.Message }

const (
	syntaxError = "Syntax errors in policy."
	invalidJSON = "This policy contains invalid Json"
)

var errLegacy = &Malformed{Message: "The policy failed legacy parsing"}

// Parse reads a document that is to be stored: what IAM refuses then is
// refused here. The error is a *Malformed. Size limits are the caller's, who
// knows whose policy it is (Size counts), as are principals that don't exist.
func Parse(doc []byte, kind Kind) (*Document, error) {
	return parse(doc, parser{doc: &Document{Kind: kind}})
}

// ParseCurrent is Parse for a managed policy. IAM refuses one of an older
// version of the language, or of none, and says so before all but the syntax.
func ParseCurrent(doc []byte, kind Kind) (*Document, error) {
	return parse(doc, parser{doc: &Document{Kind: kind}, current: true})
}

func parse(doc []byte, p parser) (*Document, error) {
	if err := p.read(doc); err != nil {
		return nil, err
	}
	if err := p.doc.check(); err != nil {
		return nil, err
	}
	return p.doc, nil
}

// Read reads a document that was stored before, or that comes from elsewhere
// to be judged (an exported account, an expectation file). It takes whatever
// can be evaluated, and refuses what can't: unknown elements, operators and
// types, or one name twice. A Principal of an identity policy, which IAM does
// not store, must name the caller as it would elsewhere. The error is a *Malformed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Read(doc []byte, kind Kind) (*Document, error) {
	p := parser{doc: &Document{Kind: kind}, loosely: true}
	if err := p.read(doc); err != nil {
		return nil, err
	}
	for i := range p.doc.Statements {
		s := &p.doc.Statements[i]
		if len(s.Actions) == 0 {
			return nil, s.at(errNoAction)
		}
		if len(s.Resources) == 0 && kind != Trust && kind != Resource {
			return nil, s.at(errNoResource)
		}
	}
	return p.doc, nil
}

// read reads the grammar alone, loosely or as it is published.
func (p *parser) read(doc []byte) error {
	root, err := strictjson.Read(doc, limits)
	if bad, ok := errors.AsType[*strictjson.Error](err); ok {
		message := syntaxError
		if p.doc.Kind == Trust {
			message = invalidJSON
		}
		return &Malformed{message, bad.Offset, bad.Reason}
	}
	p.doc.source = bytes.Clone(doc)
	switch {
	case !p.document(&root) || p.loose && !p.loosely:
		return &Malformed{syntaxError, p.at, p.reason}
	case p.current && p.doc.Version != version2012:
		return errVersion
	}
	return p.err
}

// parser makes a Document of a JSON tree. Its methods answer false for what
// IAM calls a syntax error, whose place and reason they leave; err is the first
// of the other errors, which weighs less.
type parser struct {
	doc     *Document
	loosely bool // take what is against the grammar, but has one meaning
	current bool // the version must be the current one
	err     error
	at      int
	reason  string
	loose   bool // something is against the grammar, but has one meaning: an AWS principal without its map, no statement
}

// wrong notes the first thing that is against the grammar.
func (p *parser) wrong(n *strictjson.Node, reason string) bool {
	if p.reason == "" {
		p.at, p.reason = n.At.Start, reason
	}
	return false
}

func (p *parser) document(root *strictjson.Node) bool {
	if root.Kind != strictjson.Object {
		return p.wrong(root, "a policy is an object")
	}
	var statements *strictjson.Node
	for i := range root.Members {
		m := &root.Members[i]
		switch m.Name {
		case "Version":
			p.doc.Version = m.Value.Text
			if m.Value.Kind != strictjson.Text || p.doc.Version != version2008 && p.doc.Version != version2012 {
				return p.wrong(&m.Value, "Version is "+version2012+" or "+version2008)
			}
		case "Id":
			p.doc.ID = m.Value.Text
			if m.Value.Kind != strictjson.Text {
				return p.wrong(&m.Value, "Id is a string")
			}
		case "Statement":
			statements = &m.Value
		default:
			return p.wrong(&m.Value, "a policy has no element "+m.Name)
		}
	}
	if statements == nil {
		return p.wrong(root, "there is no Statement")
	}
	list := statements.Items
	if statements.Kind == strictjson.Object {
		list = []strictjson.Node{*statements}
	}
	p.doc.Statements = make([]Statement, len(list))
	for i := range list {
		if list[i].Kind != strictjson.Object {
			return p.wrong(&list[i], "a statement is an object")
		}
		if !p.statement(&p.doc.Statements[i], &list[i]) {
			return false
		}
	}
	if len(list) == 0 {
		p.loose = true
		p.wrong(statements, "there is no statement")
	}
	return true
}

func (p *parser) statement(s *Statement, n *strictjson.Node) bool {
	s.Offset, s.end = n.At.Start, n.At.End
	effect := ""
	for i := range n.Members {
		name, v, ok := n.Members[i].Name, &n.Members[i].Value, true
		switch name {
		case "Sid":
			s.Sid, ok = v.Text, v.Kind == strictjson.Text
		case "Effect":
			effect, ok = v.Text, v.Kind == strictjson.Text
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
			return p.wrong(v, "a statement has no element "+name)
		}
		if !ok {
			return p.wrong(v, name+" is not of its form, or stands beside its opposite")
		}
	}
	s.Deny = effect == "Deny"
	if effect != "Allow" && effect != "Deny" {
		p.refuse(s.at(errLegacy))
		return strings.EqualFold(effect, "Allow") || strings.EqualFold(effect, "Deny") || p.wrong(n, "Effect is Allow or Deny")
	}
	switch p.doc.Kind {
	case Identity, Boundary, Session, SCP:
		if s.Principal != nil && !p.loosely {
			p.refuse(s.at(errPrincipal))
		}
	case Trust:
		if s.NotPrincipal {
			p.refuse(s.at(prohibited("NotPrincipal")))
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
func appendTexts(to []string, n *strictjson.Node, ok bool) ([]string, bool) {
	switch {
	case !ok:
	case n.Kind == strictjson.Text:
		return append(to, n.Text), true
	case n.Kind == strictjson.Array:
		for i := range n.Items {
			if n.Items[i].Kind != strictjson.Text {
				return nil, false
			}
			to = append(to, n.Items[i].Text)
		}
		return to, true
	}
	return nil, false
}

// withoutNulls is a list without its nulls, which IAM passes over in Resource.
func withoutNulls(n *strictjson.Node) *strictjson.Node {
	list := *n
	list.Items = slices.DeleteFunc(slices.Clone(n.Items), func(item strictjson.Node) bool { return item.Kind == strictjson.Null })
	return &list
}

func (p *parser) principals(to *Principals, n *strictjson.Node) bool {
	if n.Kind == strictjson.Text && n.Text == "*" {
		to.Any = true
		return true
	}
	if n.Kind == strictjson.Text {
		p.loose = true
		p.wrong(n, "a principal stands under AWS, Service, Federated or CanonicalUser")
		return p.awsPrincipals(to, n)
	}
	if n.Kind != strictjson.Object {
		return false
	}
	for i := range n.Members {
		v, ok := &n.Members[i].Value, true
		switch n.Members[i].Name {
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

func (p *parser) awsPrincipals(to *Principals, n *strictjson.Node) bool {
	list := n.Items
	if n.Kind == strictjson.Text {
		list = []strictjson.Node{*n}
	} else if n.Kind != strictjson.Array {
		return false
	}
	for _, item := range list {
		if item.Kind != strictjson.Text {
			return false
		}
		if item.Text == "*" {
			to.Any = true
			continue
		}
		to.AWS = append(to.AWS, item.Text)
		p.doc.principals = append(p.doc.principals, principalText{item.Text, item.At})
	}
	return true
}

// conditions reads a Condition element. Values may be strings, numbers and
// booleans; the latter two count as their text.
func (p *parser) conditions(s *Statement, n *strictjson.Node) bool {
	if n.Kind != strictjson.Object {
		return false
	}
	for i := range n.Members {
		operator, keys := n.Members[i].Name, &n.Members[i].Value
		if keys.Kind != strictjson.Object {
			return false
		}
		if _, known := parseOperator(operator); !known && len(keys.Members) > 0 {
			return p.wrong(keys, "there is no operator "+operator)
		}
		for j := range keys.Members {
			c := Condition{Operator: operator, Key: keys.Members[j].Name}
			v := &keys.Members[j].Value
			list := v.Items
			if v.Kind != strictjson.Array {
				list = []strictjson.Node{*v}
			}
			for _, item := range list {
				if item.Kind == strictjson.Null || item.Kind == strictjson.Array || item.Kind == strictjson.Object {
					return false
				}
				c.Values = append(c.Values, item.Text)
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
	return true
}
