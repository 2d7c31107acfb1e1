package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// c2j is a service model as botocore ships it, in service-2.json: the parts
// that say something of the wire or of Go types.
type c2j struct {
	Metadata   metadata
	Operations map[string]*operation
	Shapes     map[string]*shape
}

type metadata struct {
	APIVersion         string
	EndpointPrefix     string
	JSONVersion        string
	Protocol           string
	Protocols          []string
	ServiceID          string
	SigningName        string
	TargetPrefix       string
	XMLNamespace       xmlNamespace
	AWSQueryCompatible *struct{}
	NoErrorWrapping    bool
}

type operation struct {
	Name string
	HTTP struct {
		Method       string
		RequestURI   string
		ResponseCode int
	}
	Input, Output        *reference
	Errors               []reference
	AuthType             string
	Auth                 []string
	UnsignedPayload      bool
	Endpoint             struct{ HostPrefix string }
	Idempotent           bool
	ReadOnly             bool
	HTTPChecksumRequired bool
	HTTPChecksum         struct {
		RequestAlgorithmMember  string
		RequestChecksumRequired bool
	}
}

type shape struct {
	Type             string
	Members          members
	Member           *reference
	Key, Value       *reference
	Required         []string
	Min, Max         *float64
	Pattern          string
	Enum             []string
	IntEnum          []int64
	InternalEnum     []string
	Bits             int
	UniqueItems      bool
	Sparse           bool
	Sensitive        bool
	Flattened        bool
	Box              bool
	Streaming        bool
	RequiresLength   bool
	EventStream      bool
	Event            bool
	Union            bool
	Document         bool
	Payload          string
	MediaType        string
	LocationName     string
	XMLNamespace     xmlNamespace
	TimestampFormat  string
	Exception, Fault bool
	Error            *errorTrait

	javaPattern string // as the model has it; Pattern becomes Go's
	complaint   string // the overlay's
	open        bool   // the overlay's
}

type errorTrait struct {
	Code           string
	HTTPStatusCode int
	SenderFault    bool
}

type reference struct {
	Name             string `json:"-"` // of the member
	Shape            string
	Location         string
	LocationName     string
	QueryName        string
	ResultWrapper    string
	Flattened        bool
	XMLAttribute     bool
	XMLNamespace     xmlNamespace
	JSONValue        bool
	IdempotencyToken bool
	HostLabel        bool
	Streaming        bool
	EventPayload     bool
	EventHeader      bool
	Box              bool
	TimestampFormat  string

	required, sensitive bool // filled by the model
}

// members are a structure's, in the model's order.
type members []*reference

// UnmarshalJSON keeps the order of the object's names.
func (m *members) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	*m = members{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		ref := &reference{Name: name.(string)}
		if err := decoder.Decode(ref); err != nil {
			return err
		}
		*m = append(*m, ref)
	}
	return nil
}

// xmlNamespace is written as a URI or as an object.
type xmlNamespace struct{ URI, Prefix string }

// UnmarshalJSON takes both forms.
func (n *xmlNamespace) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &n.URI)
	}
	var object struct{ URI, Prefix string }
	err := json.Unmarshal(data, &object)
	*n = object
	return err
}

// readModel reads the c2j model in a file, gzipped or not.
func readModel(path string) (*c2j, error) {
	var m c2j
	if err := readJSON(path, &m); err != nil {
		return nil, err
	}
	if len(m.Operations) == 0 || m.Metadata.Protocol == "" {
		return nil, fmt.Errorf("%s: no service model", path)
	}
	return &m, nil
}

// readJSON reads a JSON file; one whose name ends in .gz is gzipped.
func readJSON(path string, into any) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var reader io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if reader, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := json.NewDecoder(reader).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// modelPath is where dir holds a service's model: NAME.json.gz, or as an
// installed botocore does, NAME/VERSION/service-2.json[.gz] of the newest version.
func modelPath(dir, service string) (string, error) {
	path := filepath.Join(dir, service+".json.gz")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	found, err := filepath.Glob(filepath.Join(dir, service, "*", "service-2.json*"))
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%s holds no model of %s", dir, service)
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkNames refuses a model whose names are not identifiers, for they become
// Go's, and one that names shapes it does not have.
func (c *c2j) checkNames() error {
	check := func(kind, name string, refs []*reference) error {
		if !identifier.MatchString(name) {
			return fmt.Errorf("%s %q is no identifier", kind, name)
		}
		for _, ref := range refs {
			if ref.Name != "" && !identifier.MatchString(ref.Name) {
				return fmt.Errorf("member %q of %s is no identifier", ref.Name, name)
			}
			if c.Shapes[ref.Shape] == nil {
				return fmt.Errorf("%s names a shape %q that is not there", name, ref.Shape)
			}
		}
		return nil
	}
	for name, op := range c.Operations {
		if op.Name != name {
			return fmt.Errorf("operation %q is called %q within", name, op.Name)
		}
		if err := check("operation", name, op.references()); err != nil {
			return err
		}
	}
	for name, s := range c.Shapes {
		if err := check("shape", name, s.references()); err != nil {
			return err
		}
	}
	return nil
}
