package wire

import (
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

// maxViolations bounds how many broken constraints one answer lists.
const maxViolations = 64

// Validate checks in, a pointer to an operation's input struct made in
// process, against the model's constraints. Its error is an *aws.Error worded
// as AWS words it. A required text that may not be empty and is counts as
// absent, for a Go value can't say more.
func Validate(op *aws.Operation, in any) error {
	p, v, err := InputPlan(op, in)
	if err != nil {
		return err
	}
	return validate(op, p, v, nil, false)
}

// Validate checks v, the struct that was decoded, against the constraints of
// its plan, knowing what the request left out.
func (in *Input) Validate(op *aws.Operation, p *Plan, v reflect.Value) error {
	return validate(op, p, v, in.absent, true)
}

func validate(op *aws.Operation, p *Plan, v reflect.Value, absent map[string]struct{}, decoded bool) error {
	c := checker{absent: absent, decoded: decoded, form: messageForm(op.Service)}
	c.path = c.buf[:0]
	c.structure(p, v, false)
	return c.err()
}

// checker walks an input and writes down what breaks a constraint.
type checker struct {
	absent  map[string]struct{}
	decoded bool
	form    form
	path    path
	buf     [8]step
	n       int
	text    []byte
	reason  reason // reasonForm's
	invalid bool   // ec2Form: the first broken constraint is of a value, not of an absence

	malformed bool // a broken constraint is of the body

	complaint []byte // of the first text that a pattern with a complaint refuses
}

func (c *checker) structure(p *Plan, v reflect.Value, secret bool) {
	set := 0
	for i := range p.Fields {
		f := &p.Fields[i]
		fv, ok := f.Get(v)
		if ok && f.Member.Required {
			ok = !c.missing(f, fv)
		}
		if ok {
			set++
			if f.Plan.constraint == nil && f.Plan.scalar() {
				continue
			}
			if c.n >= maxViolations {
				return
			}
			c.path = append(c.path, step{field: f})
			c.value(f.Plan, fv, secret || f.Secret)
			c.path = c.path[:len(c.path)-1]
		} else if f.Member.Required && p.Shape.Kind != aws.Union {
			c.path = append(c.path, step{field: f})
			c.null()
			c.path = c.path[:len(c.path)-1]
		}
	}
	if p.Shape.Kind == aws.Union && set != 1 {
		c.broken(p, v, true, "Member must have exactly one of its members set")
	}
}

// missing says whether a required member that its Go value can't show to be
// absent is.
func (c *checker) missing(f *Field, v reflect.Value) bool {
	if f.Pointer || nillable(f.Plan.Type) {
		return false
	}
	if c.decoded {
		if len(c.absent) == 0 {
			return false
		}
		_, absent := c.absent[c.path.member(f.Label)]
		return absent
	}
	switch f.Plan.Shape.Kind {
	case aws.Timestamp:
		return Time(v).IsZero()
	case aws.String:
		k := f.Plan.constraint
		return v.Len() == 0 && k != nil && (k.hasMin && k.min > 0 || k.enum != nil)
	}
	return false
}

func (p *Plan) scalar() bool {
	return p.Shape.Kind >= aws.String
}

func (c *checker) value(p *Plan, v reflect.Value, secret bool) {
	secret = secret || p.Secret
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		c.structure(p, v, secret)
	case aws.List:
		c.list(p, v, secret)
	case aws.Map:
		c.entries(p, v, secret)
	default:
		k := p.constraint
		if k == nil || k.holds(p, v) {
			return
		}
		k.each(p, c.form, func(rule string, holds func() bool) {
			switch {
			case holds():
			case rule == k.complaint:
				c.complain(rule)
			default:
				c.broken(p, v, secret, rule)
			}
		}, v)
	}
}

func (c *checker) list(p *Plan, v reflect.Value, secret bool) {
	n := v.Len()
	if c.tooMany(p, v, n, secret) {
		return
	}
	if p.constraint != nil && p.constraint.unique && !uniqueItems(p.Elem, v) {
		c.broken(p, v, secret, "Member must have unique values")
	}
	secret = secret || p.Shape.Elem.Sensitive || p.Elem.Secret
	if p.Elem.scalar() {
		if k := p.Elem.constraint; k != nil {
			for i := range n {
				if e := v.Index(i); (!p.ElemPointer || !e.IsNil()) && !k.holds(p.Elem, reflect.Indirect(e)) {
					c.broken(p, v, secret, "Member must satisfy constraint: "+k.all(p.Elem, c.form))
					return
				}
			}
		}
		return
	}
	for i := 0; i < n && c.n < maxViolations; i++ {
		e := v.Index(i)
		if p.ElemPointer && e.IsNil() {
			continue
		}
		c.path = append(c.path, step{index: i + 1})
		c.value(p.Elem, reflect.Indirect(e), secret)
		c.path = c.path[:len(c.path)-1]
	}
}

func (c *checker) entries(p *Plan, v reflect.Value, secret bool) {
	if c.tooMany(p, v, v.Len(), secret) {
		return
	}
	secret = secret || p.Shape.Elem.Sensitive || p.Elem.Secret || p.Key.Secret
	key, elem := p.Key.constraint, p.Elem.constraint
	badKey, badElem := false, false
	if key != nil || elem != nil && p.Elem.scalar() {
		for each := v.MapRange(); each.Next(); {
			badKey = badKey || key != nil && !key.holds(p.Key, each.Key())
			e := each.Value()
			badElem = badElem || elem != nil && p.Elem.scalar() && (!p.ElemPointer || !e.IsNil()) && !elem.holds(p.Elem, reflect.Indirect(e))
		}
	}
	if badKey {
		c.broken(p, v, secret, "Map keys must satisfy constraint: "+key.all(p.Key, c.form))
	}
	if badElem {
		c.broken(p, v, secret, "Map value must satisfy constraint: "+elem.all(p.Elem, c.form))
	}
	if p.Elem.scalar() {
		return
	}
	for _, k := range SortedKeys(v) {
		e := v.MapIndex(k)
		if p.ElemPointer && e.IsNil() {
			continue
		}
		if c.n >= maxViolations {
			return
		}
		c.path = append(c.path, step{key: k.String()})
		c.value(p.Elem, reflect.Indirect(e), secret)
		c.path = c.path[:len(c.path)-1]
	}
}

// tooMany checks the number of elements of a list or map, and says whether
// there are more than it may have: then they are not looked at.
func (c *checker) tooMany(p *Plan, v reflect.Value, n int, secret bool) bool {
	k := p.constraint
	if k == nil {
		return false
	}
	if k.hasMin && float64(n) < k.min {
		c.broken(p, v, secret, atLeastLength+k.minText)
	}
	if k.hasMax && float64(n) > k.max {
		c.broken(p, v, secret, atMostLength+k.maxText)
		return true
	}
	return false
}

// holds says whether a scalar satisfies all of k.
func (k *constraint) holds(p *Plan, v reflect.Value) bool {
	return k.inRange(p, v) && (k.pattern == nil || k.pattern.match(v.String())) && k.inEnum(p, v)
}

func (k *constraint) inRange(p *Plan, v reflect.Value) bool {
	return k.belowMax(p, v) && k.aboveMin(p, v)
}

func (k *constraint) belowMax(p *Plan, v reflect.Value) bool {
	return !k.hasMax || quantity(p, v) <= k.max
}

func (k *constraint) aboveMin(p *Plan, v reflect.Value) bool {
	return !k.hasMin || quantity(p, v) >= k.min
}

func (k *constraint) inEnum(p *Plan, v reflect.Value) bool {
	switch {
	case k.enum == nil:
		return true
	case p.Shape.Kind == aws.String:
		return slices.Contains(k.enum, v.String())
	}
	return slices.Contains(k.enum, strconv.FormatInt(v.Int(), 10))
}

// quantity is what min and max bound: a text's characters, a blob's bytes, a
// number itself. A stream's length is not known yet and satisfies any bound.
func quantity(p *Plan, v reflect.Value) float64 {
	switch p.Shape.Kind {
	case aws.String:
		return float64(utf8.RuneCountInString(v.String()))
	case aws.Blob:
		if p.Stream {
			return max(p.constraint.min, 0)
		}
		return float64(v.Len())
	case aws.Integer, aws.Long:
		return float64(v.Int())
	case aws.Float, aws.Double:
		return v.Float()
	}
	return 0
}

// uniqueItems says whether no two elements of the list v are equal.
func uniqueItems(p *Plan, v reflect.Value) bool {
	seen := make(map[string]struct{}, v.Len())
	var b []byte
	for i := range v.Len() {
		b = appendIdentity(b[:0], p, reflect.Indirect(v.Index(i)))
		if _, twice := seen[string(b)]; twice {
			return false
		}
		seen[string(b)] = struct{}{}
	}
	return true
}

// appendIdentity writes v so that two values are written alike only if they are equal.
func appendIdentity(b []byte, p *Plan, v reflect.Value) []byte {
	if !v.IsValid() {
		return append(b, '~')
	}
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		for i := range p.Fields {
			if fv, ok := p.Fields[i].Get(v); ok {
				b = append(strconv.AppendInt(b, int64(i), 10), '=')
				b = appendIdentity(b, p.Fields[i].Plan, fv)
			}
		}
	case aws.List:
		for i := range v.Len() {
			b = appendIdentity(b, p.Elem, reflect.Indirect(v.Index(i)))
		}
	case aws.Map:
		for _, key := range SortedKeys(v) {
			b = append(strconv.AppendQuote(b, key.String()), ':')
			b = appendIdentity(b, p.Elem, reflect.Indirect(v.MapIndex(key)))
		}
	case aws.String:
		b = strconv.AppendQuote(b, v.String())
	case aws.Blob:
		if !p.Stream {
			b = strconv.AppendQuote(b, string(v.Bytes()))
		}
	case aws.Document:
		b = jsontext.AppendAny(b, v.Interface())
	default:
		b = AppendText(b, p.Shape, v, aws.ISO8601)
	}
	return append(b, ';')
}
