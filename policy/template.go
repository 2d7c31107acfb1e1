package policy

import (
	"strconv"
	"strings"
	"time"
)

// template is a policy's text in which variables may stand.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type template struct {
	pattern string // all of it, if there are no variables
	parts   []part // else its parts, in order
}

// part is a piece of pattern, or a variable.
type part struct {
	pattern    string
	variable   bool
	key        keyRef
	fallback   string
	hasDefault bool
}

// expandSize is the room for an expanded template; a larger one is allocated.
const expandSize = 512

// template compiles s. Variables count only in a document that knows them,
// wildcards only where the operator takes them.
func (c *compiler) template(s string, wildcards bool) template {
	var (
		t   template
		buf []byte
	)
	for c.variables {
		before, name, rest, ok := cutVariable(s)
		if !ok {
			break
		}
		buf = appendPattern(buf, before, wildcards)
		s = rest
		if isEscape(name) {
			buf = append(buf, name...)
			continue
		}
		if len(buf) > 0 {
			t.parts = append(t.parts, part{pattern: c.intern(string(buf))})
			buf = nil
		}
		t.parts = append(t.parts, c.variable(name))
	}
	buf = appendPattern(buf, s, wildcards)
	if t.parts == nil {
		t.pattern = c.intern(string(buf))
	} else if len(buf) > 0 {
		t.parts = append(t.parts, part{pattern: c.intern(string(buf))})
	}
	return t
}

// variable compiles what stands between ${ and }: a key, or a key, a comma, a
// space and a default in single quotes.
func (c *compiler) variable(s string) part {
	name, fallback, ok := cutDefault(s)
	p := part{variable: true, key: c.key(name), hasDefault: ok}
	if ok {
		p.fallback = c.intern(fallback)
	}
	return p
}

// cutVariable cuts s around its first ${…}.
func cutVariable(s string) (before, inside, after string, ok bool) {
	start := strings.Index(s, "${")
	if start < 0 {
		return s, "", "", false
	}
	end := strings.IndexByte(s[start:], '}')
	if end < 0 {
		return s, "", "", false
	}
	return s[:start], s[start+2 : start+end], s[start+end+1:], true
}

// isEscape tells ${*}, ${?} and ${$}, which stand for the character alone.
func isEscape(inside string) bool { return inside == "*" || inside == "?" || inside == "$" }

// cutDefault splits what stands between ${ and } into key and default.
func cutDefault(inside string) (key, fallback string, ok bool) {
	name, rest, ok := strings.Cut(inside, ", ")
	if ok && len(rest) > 1 && rest[0] == '\'' && rest[len(rest)-1] == '\'' {
		return strings.TrimSpace(name), rest[1 : len(rest)-1], true
	}
	return strings.TrimSpace(inside), "", false
}

// expand appends the template with its variables' values. It answers false if
// one of them has no value, which an empty string is too: then nothing equals
// the text.
func (t *template) expand(to []byte, ctx *Context) ([]byte, bool) {
	for i := range t.parts {
		p := &t.parts[i]
		if !p.variable {
			to = append(to, p.pattern...)
			continue
		}
		start := len(to)
		if v := ctx.lookup(&p.key); v != nil && v.kind != listValue { // a multivalued key is no variable
			to = v.appendText(to)
		}
		if len(to) == start {
			if !p.hasDefault {
				return to, false
			}
			to = append(to, p.fallback...)
		}
		for _, c := range to[start:] {
			if c <= anyChar { // would be a wildcard
				return to, false
			}
		}
	}
	return to, true
}

// Resolve is a text of the document with the values of its variables in their
// places; false if one of them has no value, when nothing equals the text.
func (d *Document) Resolve(text string, ctx *Context) (string, bool) {
	c := compiler{variables: d.HasVariables(), policy: new(Policy)}
	t := c.template(text, false)
	if t.parts == nil {
		return t.pattern, true
	}
	resolved, ok := t.expand(nil, ctx)
	return string(resolved), ok
}

// appendText appends a single value as text.
func (v *value) appendText(to []byte) []byte {
	switch v.kind {
	case boolValue:
		return strconv.AppendBool(to, v.flag)
	case timeValue:
		return v.time.UTC().AppendFormat(to, time.RFC3339)
	case numberValue:
		return strconv.AppendFloat(to, v.number, 'f', -1, 64)
	case addressValue:
		return v.address.AppendTo(to)
	}
	return append(to, v.text...)
}
