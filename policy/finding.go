package policy

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// Finding is something to say about a document, and where it shows.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // SYNTAX_ERROR …
	Message  string   `json:"message"`
	Line     int      `json:"line"`   // from 1
	Column   int      `json:"column"` // in characters, from 1
}

// Severity is how much a finding weighs, as Access Analyzer's types of finding.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicyFinding.html
type Severity string

// The severities. An error keeps the policy from working.
const (
	Error           Severity = "ERROR"
	SecurityWarning Severity = "SECURITY_WARNING"
	Warning         Severity = "WARNING"
	Suggestion      Severity = "SUGGESTION"
)

// Check says what IAM would refuse in a document that is to be stored. Nil:
// nothing.
func Check(doc []byte, kind Kind) []Finding {
	_, err := Parse(doc, kind)
	bad, ok := errors.AsType[*Malformed](err)
	if !ok {
		return nil
	}
	message := bad.Message
	if bad.Reason != "" {
		message += " (" + bad.Reason + ")"
	}
	f := Finding{Severity: Error, Code: "SYNTAX_ERROR", Message: message}
	f.Line, f.Column = position(doc, bad.Offset)
	return []Finding{f}
}

// position is the line and column of a byte, both from 1.
func position(text []byte, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[start:])
}

// KindOf guesses what kind of policy a document is: with principals it is a
// resource's, or a role's trust policy if all its actions are of STS and it
// names no resource; without it is an identity policy.
func KindOf(doc []byte) Kind {
	d, err := Read(doc, Resource)
	if err != nil {
		return Identity
	}
	kind := Identity
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Principal == nil {
			continue
		}
		if kind = Resource; s.Resources == nil && assumes(s) {
			return Trust
		}
	}
	return kind
}
