package policy

import (
	"bytes"
	"iter"

	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// Document is a parsed policy. It is not changed once parsed.
type Document struct {
	Kind       Kind
	Version    string // "2012-10-17", "2008-10-17", or "" if the document has none
	ID         string
	Statements []Statement

	source     []byte
	principals []principalText
}

// principalText is an AWS principal but "*", and where its string literal stands.
type principalText struct {
	value string
	at    strictjson.Span
}

// Statement is one statement as written: no pattern expanded, no case folded.
type Statement struct {
	Sid    string
	Deny   bool
	Offset int // the byte of the text at which it begins
	end    int // the byte behind it

	Principal    *Principals // nil: neither Principal nor NotPrincipal
	NotPrincipal bool        // Principal is the NotPrincipal element

	Actions   []string
	NotAction bool // Actions is the NotAction element

	Resources   []string // nil: neither Resource nor NotResource
	NotResource bool     // Resources is the NotResource element

	Conditions []Condition
}

// Principals is a Principal or NotPrincipal element.
type Principals struct {
	Any       bool     // "*", or "AWS": "*"
	AWS       []string // account ids, ARNs, unique ids; not "*"
	Service   []string
	Federated []string
	Canonical []string // CanonicalUser
}

// Condition is one operator with one key and its values.
type Condition struct {
	Operator string // as written: "ForAllValues:StringLikeIfExists"
	Key      string // as written: "aws:RequestTag/Team"
	Values   []string
}

// HasVariables says whether the document's version knows policy variables: an
// older one takes them as literal text.
func (d *Document) HasVariables() bool { return d.Version == version2012 }

// Line is the line of the document's text, from 1, on which a byte stands.
func (d *Document) Line(offset int) int {
	return 1 + bytes.Count(d.source[:min(offset, len(d.source))], []byte("\n"))
}

// List is all that the element names, each AWS principal as it is written and
// all others with their kind before them: "Service:ec2.amazonaws.com".
func (p *Principals) List() []string {
	if p == nil {
		return nil
	}
	var list []string
	if p.Any {
		list = append(list, "*")
	}
	list = append(list, p.AWS...)
	for _, kind := range [...]struct {
		name   string
		values []string
	}{{"Service:", p.Service}, {"Federated:", p.Federated}, {"CanonicalUser:", p.Canonical}} {
		for _, v := range kind.values {
			list = append(list, kind.name+v)
		}
	}
	return list
}

// AWSPrincipals yields each AWS principal that the document names, but "*",
// in order and as often as it stands there.
func (d *Document) AWSPrincipals() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range d.principals {
			if !yield(p.value) {
				return
			}
		}
	}
}

// RewritePrincipals returns the document's text with each AWS principal but
// "*" replaced by what replace answers; all else stands as it was written.
// IAM stores trust policies so, with unique ids for ARNs, and shows them so,
// with ARNs for the ids that still have one. An error of replace ends it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (d *Document) RewritePrincipals(replace func(principal string) (string, error)) ([]byte, error) {
	var out []byte
	done := 0
	for _, p := range d.principals {
		text, err := replace(p.value)
		if err != nil {
			return nil, err
		}
		if text == p.value {
			continue
		}
		out = append(out, d.source[done:p.at.Start]...)
		out = appendQuoted(out, text)
		done = p.at.End
	}
	return append(out, d.source[done:]...), nil
}

// appendQuoted appends s as a JSON string.
func appendQuoted(out []byte, s string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

// Size is the document's length in characters as IAM counts it against its
// quotas: white space is not counted.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func Size(doc []byte) int {
	n := 0
	for _, c := range string(doc) {
		if c > 0x7f || !strictjson.IsSpace(byte(c)) {
			n++
		}
	}
	return n
}
