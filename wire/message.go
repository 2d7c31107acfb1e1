package wire

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// form is how a service words a broken constraint.
type form uint8

const (
	fullForm   form = iota // Value 'x' at 'a' failed to satisfy constraint: …
	terseForm              // Value at 'a' failed …, and no list of an enum's values: IAM
	ec2Form                // EC2's own two errors, the first broken constraint alone
	reasonForm             // a reason for the first broken constraint: Organizations
	xmlForm                // in a body, that it is not as the schema says, and no more: S3
)

func messageForm(s *aws.Service) form {
	switch {
	case s == nil:
		return fullForm
	case s.Name == "iam":
		return terseForm
	case s.Name == "organizations":
		return reasonForm
	case s.Name == "s3":
		return xmlForm
	case len(s.Protocols) > 0 && s.Protocols[0] == aws.EC2Query:
		return ec2Form
	}
	return fullForm
}

const (
	atMostLength  = "Member must have length less than or equal to "
	atLeastLength = "Member must have length greater than or equal to "
	atMostValue   = "Member must have value less than or equal to "
	atLeastValue  = "Member must have value greater than or equal to "
	maxEcho       = 4096 // bytes of a value that a message repeats; a longer value is left out
)

// each calls f with every rule of a scalar's constraint, in the order in which
// AWS lists them: of a value's own, the pattern first, but for services that
// leave values out; of what a list or map holds (v is no value), the pattern
// after the bounds.
func (k *constraint) each(p *Plan, form form, f func(rule string, holds func() bool), v reflect.Value) {
	pattern := func() {
		if k.pattern != nil {
			f(cmp.Or(k.complaint, "Member must satisfy regular expression pattern: "+k.patternText), func() bool { return k.pattern.match(v.String()) })
		}
	}
	patternFirst := (form == fullForm || form == xmlForm) && v.IsValid()
	if patternFirst {
		pattern()
	}
	most, least := atMostValue, atLeastValue
	if p.Shape.Kind == aws.String || p.Shape.Kind == aws.Blob {
		most, least = atMostLength, atLeastLength
	}
	if k.hasMax {
		f(most+k.maxText, func() bool { return k.belowMax(p, v) })
	}
	if k.hasMin {
		f(least+k.minText, func() bool { return k.aboveMin(p, v) })
	}
	if !patternFirst {
		pattern()
	}
	if k.enum != nil {
		rule := "Member must satisfy enum value set"
		if form == fullForm || form == xmlForm {
			rule += ": " + k.enumText
		}
		f(rule, func() bool { return k.inEnum(p, v) })
	}
}

// all lists every rule, as AWS does for what a list or map holds.
func (k *constraint) all(p *Plan, form form) string {
	var rules []string
	k.each(p, form, func(rule string, _ func() bool) { rules = append(rules, rule) }, reflect.Value{})
	return "[" + strings.Join(rules, ", ") + "]"
}

// null notes that what the checker stands at is required and absent.
func (c *checker) null() {
	if c.form == ec2Form {
		if c.n == 0 {
			name := c.path[len(c.path)-1].field.Member.Name
			c.text = append(c.text, "The request must contain the parameter "+name...)
		}
		c.n++
		return
	}
	if c.form == reasonForm {
		c.note(inputRequired)
		return
	}
	c.malformed = c.malformed || c.inBody()
	c.begin()
	c.text = append(c.text, " null"...)
	c.end("Member must not be null")
}

// broken notes that the value that the checker stands at breaks a rule.
func (c *checker) broken(p *Plan, v reflect.Value, secret bool, rule string) {
	if c.n >= maxViolations {
		return
	}
	if c.form == reasonForm {
		c.note(reasonOf(p, rule))
		return
	}
	c.malformed = c.malformed || c.inBody()
	var value []byte
	if !secret && c.form != terseForm {
		value, _ = appendEcho(nil, p, v)
	}
	if c.form == ec2Form {
		if c.n == 0 {
			c.text = append(c.text, "Value "...)
			if value != nil {
				c.text = append(append(append(c.text, '('), value...), ") "...)
			}
			c.text = append(append(append(c.text, "for parameter "...), c.path.append(nil)...), " is invalid. "+rule+"."...)
			c.invalid = true
		}
		c.n++
		return
	}
	c.begin()
	if value != nil {
		c.text = append(append(append(c.text, " '"...), value...), '\'')
	}
	c.end(rule)
}

// inBody tells whether the checker stands in the body of a request.
func (c *checker) inBody() bool {
	return len(c.path) > 0 && c.path[0].field.Member.Location == aws.InBody
}

// complain notes that a text has characters that it may not have, of which the
// service says more than the pattern. It does so where nothing else is wrong,
// and of the first such text alone.
func (c *checker) complain(complaint string) {
	if c.complaint == nil {
		c.complaint = append(c.path.append([]byte("The specified value for ")), " is invalid. "+complaint...)
	}
}

func (c *checker) begin() {
	if c.n++; c.n > 1 {
		c.text = append(c.text, "; "...)
	}
	c.text = append(c.text, "Value"...)
}

func (c *checker) end(rule string) {
	c.text = append(c.text, " at '"...)
	c.text = c.path.append(c.text)
	c.text = append(append(c.text, "' failed to satisfy constraint: "...), rule...)
}

// err is the error for all that was noted; nil if nothing was.
func (c *checker) err() error {
	switch {
	case c.n == 0 && c.complaint != nil:
		return &aws.Error{Kind: aws.Validation, Message: string(c.complaint)}
	case c.n == 0:
		return nil
	case c.form == reasonForm:
		return c.reason.err()
	case c.form == xmlForm && c.malformed:
		return ErrMalformedXML
	case c.form == ec2Form && c.invalid:
		return &aws.Error{Kind: aws.Validation, Message: string(c.text)}
	case c.form == ec2Form:
		return &aws.Error{Kind: aws.Custom, Code: "MissingParameter", Message: string(c.text)}
	}
	plural := "s"
	if c.n == 1 {
		plural = ""
	}
	return &aws.Error{Kind: aws.Validation,
		Message: strconv.Itoa(c.n) + " validation error" + plural + " detected: " + string(c.text)}
}

// appendEcho writes a value as AWS's messages repeat it, in the manner of
// Java's toString. What holds structures is not repeated, nor what is too long:
// ok is false, and b is nil.
func appendEcho(b []byte, p *Plan, v reflect.Value) (_ []byte, ok bool) {
	if b == nil {
		b = []byte{}
	}
	if !v.IsValid() {
		return append(b, "null"...), true
	}
	switch p.Shape.Kind {
	case aws.List, aws.Map:
		if v.Len() > maxEcho {
			return nil, false
		}
	}
	switch p.Shape.Kind {
	case aws.Structure, aws.Union, aws.Document:
		return nil, false
	case aws.List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ", "...)
			}
			if b, ok = appendEcho(b, p.Elem, reflect.Indirect(v.Index(i))); !ok {
				return nil, false
			}
		}
		b = append(b, ']')
	case aws.Map:
		b = append(b, '{')
		for i, key := range SortedKeys(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(append(b, key.String()...), '=')
			if b, ok = appendEcho(b, p.Elem, reflect.Indirect(v.MapIndex(key))); !ok {
				return nil, false
			}
		}
		b = append(b, '}')
	case aws.Blob:
		if p.Stream {
			return nil, false
		}
		n := strconv.Itoa(v.Len())
		b = append(b, "java.nio.HeapByteBuffer[pos=0 lim="+n+" cap="+n+"]"...)
	case aws.Float, aws.Double:
		b = append(b, decimal(string(AppendText(nil, p.Shape, v, aws.ISO8601)))...)
	default:
		b = AppendText(b, p.Shape, v, aws.ISO8601)
	}
	if len(b) > maxEcho {
		return nil, false
	}
	return b, true
}
