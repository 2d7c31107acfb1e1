package validate

import (
	"strings"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

const version2012 = "2012-10-17"

// document reads and checks a whole document.
func (c *checker) document(root *strictjson.Node) {
	here := place{span: root.At}
	if root.Kind != strictjson.Object {
		c.mismatch(here, "object")
		return
	}
	var statements *strictjson.Node
	versioned := false
	for i := range root.Members {
		m := &root.Members[i]
		at := place{here.path.value(m.Name), m.Value.At}
		switch m.Name {
		case "Version":
			versioned = true
			c.version(&m.Value, at)
		case "Id":
			if m.Value.Kind != strictjson.Text {
				c.mismatch(at, "string")
			}
		case "Statement":
			statements = &m.Value
		default:
			c.at(invalidPolicyElement, place{here.path.key(m.Name), m.NameAt}, "element", m.Name)
		}
	}
	if !versioned {
		c.at(missingVersion, here)
	}
	if statements == nil {
		c.at(missingStatement, here)
		return
	}
	c.statements(statements, here.path.value("Statement"))
}

func (c *checker) version(n *strictjson.Node, at place) {
	switch {
	case n.Kind != strictjson.Text:
		c.mismatch(at, "string")
	case n.Text != version2012 && n.Text != "2008-10-17":
		c.at(invalidVersion, at, "version", n.Text, "versions", "2012-10-17, 2008-10-17")
	}
	c.variables = n.Text == version2012
}

func (c *checker) statements(n *strictjson.Node, path *trail) {
	var list []statement
	read := func(n *strictjson.Node, path *trail) {
		at := place{path, n.At}
		if n.Kind != strictjson.Object {
			c.mismatch(at, "object")
			return
		}
		list = append(list, c.statement(n, at))
	}
	switch n.Kind {
	case strictjson.Array:
		if len(n.Items) == 0 {
			c.at(missingStatement, place{path, n.At})
		}
		for i := range n.Items {
			read(&n.Items[i], path.index(i))
		}
	default:
		read(n, path)
	}
	c.trust = c.of == AssumeRolePolicy || c.kind == Resource && c.of == "" && trusts(list)
	for i := range list {
		c.check(&list[i])
	}
	c.between(list)
}

// trusts tells whether statements look like a role's trust policy: they name
// actions of STS alone, and no resource.
func trusts(list []statement) bool {
	for i := range list {
		s := &list[i]
		if s.resource != nil || s.action == nil || s.action.not {
			return false
		}
		for _, a := range s.action.items {
			if len(a.value) < 4 || !strings.EqualFold(a.value[:4], "sts:") {
				return false
			}
		}
	}
	return len(list) > 0
}

func (c *checker) statement(n *strictjson.Node, here place) statement {
	s := statement{at: here, node: n}
	seen := map[string]place{}
	for i := range n.Members {
		m := &n.Members[i]
		name, at := m.Name, place{here.path.value(m.Name), m.Value.At}
		opposite := strings.TrimPrefix(name, "Not")
		if opposite == name {
			opposite = "Not" + name
		}
		if other, both := seen[opposite]; both {
			c.say(unsupportedElementCombination, []place{other, at}, "element1", opposite, "element2", name)
		}
		seen[name] = at
		switch name {
		case "Sid":
			s.sid = c.one(&m.Value, at)
		case "Effect":
			if effect := c.one(&m.Value, at); effect != nil {
				if s.effect = effect.value; s.effect != "Allow" && s.effect != "Deny" {
					c.at(invalidEffect, at, "effect", s.effect)
				}
			}
		case "Action", "NotAction":
			s.action = c.element(&m.Value, at, name == "NotAction", emptyArrayAction)
		case "Resource", "NotResource":
			s.resource = c.element(&m.Value, at, name == "NotResource", emptyArrayResource)
		case "Principal", "NotPrincipal":
			s.principal = c.principals(&m.Value, at, name == "NotPrincipal")
		case "Condition":
			s.condition = &at
			s.conditions = c.conditions(&m.Value, at)
		default:
			c.at(invalidPolicyElement, place{here.path.key(name), m.NameAt}, "element", name)
		}
	}
	if _, ok := seen["Effect"]; !ok {
		c.at(missingEffect, here)
	}
	c.missing(&s)
	return s
}

// missing tells the elements that the type of policy asks for.
func (c *checker) missing(s *statement) {
	if s.action == nil {
		c.at(missingAction, s.at)
	}
	if s.resource == nil && (c.kind != Resource || c.of != AssumeRolePolicy && !trusts([]statement{*s})) {
		c.at(missingResource, s.at)
	}
	if s.principal == nil && (c.kind == Resource || c.kind == RCP) {
		c.at(missingPrincipal, s.at)
	}
}

func (c *checker) mismatch(at place, want string) { c.at(dataTypeMismatch, at, "data_type", want) }

// one reads a string; nil if it is none.
func (c *checker) one(n *strictjson.Node, at place) *text {
	if n.Kind != strictjson.Text {
		c.mismatch(at, "string")
		return nil
	}
	return &text{n.Text, at, n.At.End-n.At.Start == len(n.Text)+2}
}

// texts reads a string, or a list of strings.
func (c *checker) texts(n *strictjson.Node, at place) (list []text) {
	if n.Kind != strictjson.Array {
		if t := c.one(n, at); t != nil {
			list = append(list, *t)
		}
		return list
	}
	for i := range n.Items {
		if t := c.one(&n.Items[i], place{at.path.index(i), n.Items[i].At}); t != nil {
			list = append(list, *t)
		}
	}
	return list
}

func (c *checker) element(n *strictjson.Node, at place, not bool, empty *Check) *element {
	e := &element{not: not, at: at, items: c.texts(n, at)}
	if n.Kind == strictjson.Array && len(n.Items) == 0 {
		c.at(empty, at)
	}
	return e
}

func (c *checker) principals(n *strictjson.Node, at place, not bool) *principals {
	p := &principals{not: not, at: at}
	switch {
	case n.Kind == strictjson.Text && n.Text == "*":
		p.anyone = true
		return p
	case n.Kind != strictjson.Object:
		c.at(invalidPrincipalFormat, at)
		return p
	case len(n.Members) == 0:
		c.at(emptyObjectPrincipal, at)
	}
	for i := range n.Members {
		m := &n.Members[i]
		switch m.Name {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			c.at(invalidPrincipalKey, place{at.path.key(m.Name), m.NameAt}, "principal-key", m.Name)
			continue
		}
		under := place{at.path.value(m.Name), m.Value.At}
		if m.Value.Kind == strictjson.Array && len(m.Value.Items) == 0 {
			c.at(emptyArrayPrincipal, under)
		}
		for _, t := range c.texts(&m.Value, under) {
			p.items = append(p.items, principal{m.Name, t})
		}
	}
	return p
}

func (c *checker) conditions(n *strictjson.Node, at place) (list []condition) {
	if n.Kind != strictjson.Object {
		c.mismatch(at, "object")
		return nil
	}
	if len(n.Members) == 0 {
		c.at(emptyObjectCondition, at)
	}
	for i := range n.Members {
		m := &n.Members[i]
		under := place{at.path.value(m.Name), m.Value.At}
		named := place{at.path.key(m.Name), m.NameAt}
		form, known := policy.ParseOperator(m.Name)
		bare := strings.TrimPrefix(strings.TrimPrefix(m.Name, "ForAllValues:"), "ForAnyValue:")
		switch {
		case known:
		case bare == "NullIfExists":
			c.at(nullWithIfExists, named)
		default:
			c.at(invalidConditionOperator, named, "operator", m.Name)
		}
		if m.Value.Kind != strictjson.Object {
			c.mismatch(under, "object")
			continue
		}
		if len(m.Value.Members) == 0 {
			c.at(emptyObjectCondition, under)
		}
		seen := map[string]place{}
		for j := range m.Value.Members {
			k := &m.Value.Members[j]
			keyed := place{under.path.key(k.Name), k.NameAt}
			if other, twice := seen[strings.ToLower(k.Name)]; twice {
				c.say(duplicateKeysWithDifferentCase, []place{other, keyed}, "key", k.Name)
			}
			seen[strings.ToLower(k.Name)] = keyed
			x := condition{name: m.Name, operator: form, named: named, key: k.Name, keyed: keyed, at: place{under.path.value(k.Name), k.Value.At}}
			if c.operands(&x, &k.Value) && known {
				list = append(list, x)
			}
		}
	}
	return list
}

// operands reads the values of a condition; false if they are none.
func (c *checker) operands(x *condition, n *strictjson.Node) bool {
	items := []strictjson.Node{*n}
	if x.list = n.Kind == strictjson.Array; x.list {
		items = n.Items
	}
	mixed := false
	for i := range items {
		item, at := &items[i], x.at
		if x.list {
			at = place{at.path.index(i), item.At}
		}
		switch item.Kind {
		case strictjson.Text, strictjson.Number, strictjson.Bool:
		default:
			c.mismatch(at, "string")
			return false
		}
		mixed = mixed || item.Kind != items[0].Kind
		raw := item.Kind == strictjson.Text && item.At.End-item.At.Start == len(item.Text)+2
		x.values = append(x.values, operand{text{item.Text, at, raw}, item.Kind})
	}
	if mixed {
		c.at(invalidConditionDataType, x.at)
	}
	return true
}
