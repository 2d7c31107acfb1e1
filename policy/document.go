package policy

// Document is a parsed policy. It is not changed once parsed.
type Document struct {
	Kind       Kind
	Version    string // "2012-10-17", "2008-10-17", or "" if the document has none
	ID         string
	Statements []Statement

	source     []byte
	principals []span // of the AWS principals' string literals in source, in order
}

// span is a half-open range of bytes of a document's text.
type span struct{ start, end int }

// Statement is one statement as written: no pattern expanded, no case folded.
type Statement struct {
	Sid  string
	Deny bool

	Principal    Principals
	NotPrincipal bool // Principal is the NotPrincipal element

	Actions   []string
	NotAction bool // Actions is the NotAction element

	Resources   []string // nil: no such element
	NotResource bool     // Resources is the NotResource element

	Conditions []Condition
}

// Principals is a Principal or NotPrincipal element.
type Principals struct {
	Any       bool     // "*", or "AWS": "*"
	AWS       []string // account ids, ARNs, unique ids
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
