package validate

import (
	"errors"
	"strconv"

	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// Type is the type of policy that a document is meant to be.
type Type uint8

// The types, as Access Analyzer names them.
const (
	Identity Type = iota // IDENTITY_POLICY
	Resource             // RESOURCE_POLICY
	SCP                  // SERVICE_CONTROL_POLICY
	RCP                  // RESOURCE_CONTROL_POLICY
)

var typeNames = [...]string{Identity: "IDENTITY_POLICY", Resource: "RESOURCE_POLICY", SCP: "SERVICE_CONTROL_POLICY", RCP: "RESOURCE_CONTROL_POLICY"}

// String is AWS's name of the type.
func (t Type) String() string { return typeNames[t] }

// TypeNamed is the type of a name of AWS's.
func TypeNamed(name string) (Type, bool) {
	for t, n := range typeNames {
		if n == name {
			return Type(t), true
		}
	}
	return 0, false
}

// The types of resource that resource policies can be checked for.
const (
	Bucket             = "AWS::S3::Bucket"
	AccessPoint        = "AWS::S3::AccessPoint"
	MultiRegionPoint   = "AWS::S3::MultiRegionAccessPoint"
	ObjectLambdaPoint  = "AWS::S3ObjectLambda::AccessPoint"
	AssumeRolePolicy   = "AWS::IAM::AssumeRolePolicyDocument"
	DynamoDBTable      = "AWS::DynamoDB::Table"
	maxDocument        = 256 << 10
	maxDepth, maxItems = 12, 50_000
)

// Finding is what one check has to say.
type Finding struct {
	*Check
	Text      string
	Locations []Location
}

// Refusals of documents that are too dear to look at. Their texts are callers' to see.
var (
	ErrTooLong    = errors.New("the policy document has more than 262144 bytes")
	ErrTooComplex = errors.New("the policy document is too complex: its wildcards and values are too many to compare")
)

// maxFindings is how many findings a document may have: more are ErrTooComplex.
const maxFindings = 10_000

// Policy looks at a document of a type. Of is the type of resource that a
// resource policy is attached to, one of those above, or "". The findings come
// in the order of the statements; nil: there is nothing to say.
func Policy(document []byte, t Type, of string) ([]Finding, error) {
	if len(document) > maxDocument {
		return nil, ErrTooLong
	}
	c := &checker{kind: t, of: of, lines: newLines(document), left: maxWork}
	root, err := strictjson.Read(document, strictjson.Limits{Bytes: maxDocument, Depth: maxDepth, Values: maxItems})
	if bad, ok := errors.AsType[*strictjson.Error](err); ok {
		c.syntax(bad.Offset)
		return c.findings, nil
	}
	c.document(&root)
	c.size(document, &root)
	if c.left < 0 || len(c.findings) > maxFindings {
		return nil, ErrTooComplex
	}
	return c.findings, nil
}

// checker collects the findings of one document.
type checker struct {
	kind      Type
	of        string
	trust     bool // the document is a role's trust policy
	variables bool // its version has policy variables
	lines     *lines
	findings  []Finding
	left      work
}

// say adds a finding. Filled are names of the check's text and what to put for them.
func (c *checker) say(k *Check, at []place, filled ...string) {
	if len(c.findings) > maxFindings {
		return
	}
	f := Finding{Check: k, Text: k.text(filled...), Locations: make([]Location, len(at))}
	for i := range at {
		f.Locations[i] = c.lines.location(at[i])
	}
	c.findings = append(c.findings, f)
}

func (c *checker) at(k *Check, p place, filled ...string) { c.say(k, []place{p}, filled...) }

func (c *checker) syntax(offset int) {
	p := c.lines.position(offset)
	c.at(jsonSyntaxError, place{span: strictjson.Span{Start: offset, End: offset}},
		"index", strconv.Itoa(p.Offset), "line", strconv.Itoa(p.Line), "column", strconv.Itoa(p.Column))
}
