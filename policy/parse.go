package policy

import "iter"

// Malformed is the refusal of a document. Its text is that of IAM's
// MalformedPolicyDocument error.
type Malformed struct{ Message string }

// Error implements error.
func (e *Malformed) Error() string { return e.Message }

// Parse reads a document of the given kind. The error is a *Malformed.
func Parse(doc []byte, kind Kind) (*Document, error) {
	return nil, &Malformed{"Syntax errors in policy."}
}

// Size is the document's length in characters as IAM counts it: white space is not counted.
func Size(doc []byte) int { return len(doc) }

// AWSPrincipals yields each AWS principal that the document names, but "*",
// in order and as often as it stands there.
func (d *Document) AWSPrincipals() iter.Seq[string] { return func(func(string) bool) {} }

// RewritePrincipals returns the document's text with each AWS principal but
// "*" replaced by what replace answers; all else stands as it was written. An
// error of replace ends it.
func (d *Document) RewritePrincipals(replace func(principal string) (string, error)) ([]byte, error) {
	return d.source, nil
}
