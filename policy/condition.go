package policy

import (
	"encoding/base64"
	"net/netip"
)

// condition is one compiled operator with one key. Of the value lists one is
// set, by the operator's operand; a value that is none of the operand's kind
// stays in its list as one that nothing equals.
type condition struct {
	operator
	key       keyRef
	texts     []template
	numbers   []number
	dates     []instant
	addresses []netip.Prefix
	binaries  []string
	absent    []bool // Null: the key must be absent (true) or present
	unknown   bool   // no operator: what the statement denies is denied, what it allows is not
	denies    bool
}

func (c *compiler) condition(from *Condition, deny bool) condition {
	op, known := parseOperator(from.Operator)
	if !known {
		return condition{unknown: true, denies: deny}
	}
	to := condition{operator: op, key: c.key(from.Key)}
	for _, v := range from.Values {
		switch op.operand {
		case textOperand, foldedOperand, boolOperand:
			to.texts = append(to.texts, c.template(v, false))
		case likeOperand, arnOperand:
			to.texts = append(to.texts, c.template(v, true))
		case numberOperand:
			n, ok := parseNumber(v)
			to.numbers = appendIf(to.numbers, n, ok)
		case dateOperand:
			t, ok := parseDate(v)
			to.dates = appendIf(to.dates, t, ok)
		case addressOperand:
			p, ok := parsePrefix(v)
			to.addresses = appendIf(to.addresses, p, ok)
		case binaryOperand:
			b, err := base64.StdEncoding.DecodeString(v)
			to.binaries = appendIf(to.binaries, string(b), err == nil)
		case nullOperand:
			absent, ok := parseBool(v)
			to.absent = appendIf(to.absent, absent, ok)
		}
	}
	return to
}

// appendIf appends v if ok: a policy's value that is none of the operator's
// type equals nothing, and need not be kept.
func appendIf[T any](to []T, v T, ok bool) []T {
	if ok {
		return append(to, v)
	}
	return to
}

// matches tells whether the condition holds.
//
//	key absent    positive: false   negated, IfExists: true
//	ForAllValues  every value of the request matches; true if there is none
//	ForAnyValue   one value of the request matches; false if there is none
//	list          without a set operator never holds
//
// A negated operator holds for a value that matches none of the policy's.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
func (c *condition) matches(ctx *Context, w *work) bool {
	if c.unknown {
		return c.denies
	}
	v := ctx.lookup(&c.key)
	if c.operand == nullOperand {
		return c.matchesNull(v == nil || v.kind == listValue && len(v.list) == 0)
	}
	if v == nil {
		switch {
		case c.ifExists || c.set == forAll:
			return true
		case c.set == forAny:
			return false
		}
		return c.negated
	}
	switch {
	case c.set == single && v.kind == listValue:
		return false
	case c.set == single:
		return c.holds(v, ctx, w)
	case v.empty():
		return c.set == forAll
	case v.kind != listValue:
		return c.holds(v, ctx, w)
	}
	for _, text := range v.list {
		item := value{kind: textValue, text: text}
		if c.holds(&item, ctx, w) != (c.set == forAll) {
			return c.set == forAny
		}
	}
	return c.set == forAll
}

// empty tells a null data set: no value, or an empty string alone.
func (v *value) empty() bool {
	if v.kind == listValue {
		return len(v.list) == 0 || len(v.list) == 1 && v.list[0] == ""
	}
	return v.kind == textValue && v.text == ""
}

func (c *condition) matchesNull(absent bool) bool {
	for _, want := range c.absent {
		if want == absent {
			return true
		}
	}
	return false
}

// holds tells whether one value of the request satisfies the operator.
func (c *condition) holds(v *value, ctx *Context, w *work) bool {
	match := false
	switch c.operand {
	case numberOperand:
		match = c.matchesNumber(v)
	case dateOperand:
		match = c.matchesDate(v)
	case addressOperand:
		match = c.matchesAddress(v)
	case binaryOperand:
		match = c.matchesBinary(v)
	default:
		match = c.matchesText(v, ctx, w)
	}
	return match != c.negated
}

// matchesText compares with the operators whose values are templates.
func (c *condition) matchesText(v *value, ctx *Context, w *work) bool {
	text := v.text
	if v.kind != textValue {
		var buf [64]byte // the longest time, number or address
		text = string(v.appendText(buf[:0]))
	}
	for i := range c.texts {
		t := &c.texts[i]
		if t.parts == nil && c.operand == textOperand {
			if t.pattern == text {
				return true
			}
			continue
		}
		var buf [expandSize]byte
		pattern, ok := buf[:0], true
		if t.parts == nil {
			pattern = append(pattern, t.pattern...)
		} else if pattern, ok = t.expand(pattern, ctx); !ok {
			continue
		}
		if c.compare(pattern, text, w) {
			return true
		}
	}
	return false
}

// compare compares a value with one pattern.
func (c *condition) compare(pattern []byte, text string, w *work) bool {
	switch c.operand {
	case textOperand:
		return string(pattern) == text
	case foldedOperand:
		return equalFoldUnicode(pattern, text)
	case likeOperand:
		return glob(pattern, text, false, w)
	case arnOperand:
		return arnLike(pattern, text, w)
	case boolOperand:
		want, ok := parseBool(pattern)
		got, is := parseBool(text)
		return ok && is && want == got
	}
	return false
}

func (c *condition) matchesNumber(v *value) bool {
	got, ok := v.asNumber()
	if !ok {
		return false
	}
	for _, want := range c.numbers {
		if c.relation.holds(got.compare(want)) {
			return true
		}
	}
	return false
}

func (c *condition) matchesDate(v *value) bool {
	got, ok := v.asInstant()
	if !ok {
		return false
	}
	for _, want := range c.dates {
		if c.relation.holds(got.compare(want)) {
			return true
		}
	}
	return false
}

func (c *condition) matchesAddress(v *value) bool {
	got, ok := v.asAddress()
	if !ok {
		return false
	}
	for _, want := range c.addresses {
		if want.Contains(got) {
			return true
		}
	}
	return false
}

// matchesBinary compares bytes. A context holds them in base64, as policies do.
func (c *condition) matchesBinary(v *value) bool {
	if v.kind != textValue || len(c.binaries) == 0 {
		return false
	}
	var buf [expandSize]byte
	got := buf[:]
	if n := base64.StdEncoding.DecodedLen(len(v.text)); n > len(got) {
		got = make([]byte, n)
	}
	n, err := base64.StdEncoding.Decode(got, []byte(v.text))
	if err != nil {
		return false
	}
	for _, want := range c.binaries {
		if want == string(got[:n]) {
			return true
		}
	}
	return false
}
