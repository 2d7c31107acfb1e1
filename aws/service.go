package aws

import "sync"

// Service is one AWS service: its identity on the wire, always at hand, and
// its model, read from the generated text on first use.
type Service struct {
	Name            string // the model's name: "iam", "s3control"
	ServiceID       string // "IAM"
	SigningName     string
	EndpointPrefix  string
	TargetPrefix    string     // awsJson and CBOR
	Version         string     // API version: query's Version parameter
	Protocols       []Protocol // the first is the model's preferred
	XMLNamespace    string
	ActionPrefix    string // of IAM actions: "iam"
	ARNNamespace    string
	EventSource     string // "iam.amazonaws.com"
	Global          bool   // its resources belong to no Region (IAM, STS's global operations, Organizations …)
	NoErrorWrapping bool   // restXml: <Error> is the root (S3)
	QueryCompatible bool   // JSON and CBOR answers name the query protocol's error code too
	SmithyName      string // in the path of CBOR requests: "AWSIdentityManagementV20100508"

	// Source is the generated text of the model; see model.go for its grammar.
	Source string

	load       sync.Once
	operations []*Operation // sorted by name
	byName     map[string]*Operation
	shapes     map[string]*Shape
}

// Operations lists the rows, sorted by name.
func (s *Service) Operations() []*Operation { s.load.Do(s.parse); return s.operations }

// Operation is the row called name, or nil.
func (s *Service) Operation(name string) *Operation { s.load.Do(s.parse); return s.byName[name] }

// Shape is the shape called name, or nil.
func (s *Service) Shape(name string) *Shape { s.load.Do(s.parse); return s.shapes[name] }
