package expect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxFile bounds an expectation file, in bytes.
const MaxFile = 16 << 20

// file is an expectation file as it is written. Wherever a policy is wanted its
// name stands, or the path of its document.
type file struct {
	Policies   map[string]string    `yaml:"policies"` // name → path
	Principals map[string]principal `yaml:"principals"`
	Resources  map[string]resource  `yaml:"resources"`
	Tests      []test               `yaml:"tests"`
}

// principal is who calls, and what bears on the caller's side.
type principal struct {
	ARN      string               `yaml:"arn"` // or a service's or provider's name, or "anonymous"
	Identity words                `yaml:"identity"`
	Boundary words                `yaml:"boundary"`
	Session  words                `yaml:"session"`
	SCPs     []words              `yaml:"scps"` // a list a level, from the root to the account
	Context  map[string]yaml.Node `yaml:"context"`
}

// resource is what is called upon, and what bears on its side.
type resource struct {
	ARN     string               `yaml:"arn"`
	Account string               `yaml:"account"`
	Policy  string               `yaml:"policy"`
	RCPs    []words              `yaml:"rcps"`
	Context map[string]yaml.Node `yaml:"context"`
}

// test is an expectation for every combination of its principals, actions and resources.
type test struct {
	Name      string               `yaml:"name"`
	Principal words                `yaml:"principal"`
	Action    words                `yaml:"action"`
	Resource  words                `yaml:"resource"` // absent: "*"
	Endpoint  words                `yaml:"endpoint"`
	Context   map[string]yaml.Node `yaml:"context"`
	Expect    string               `yaml:"expect"`
	By        string               `yaml:"by"`

	line int
}

// UnmarshalYAML keeps the line.
func (t *test) UnmarshalYAML(n *yaml.Node) error {
	if err := unknownFields(n, "name", "principal", "action", "resource", "endpoint", "context", "expect", "by"); err != nil {
		return err
	}
	type plain test
	t.line = n.Line
	return n.Decode((*plain)(t))
}

// unknownFields refuses a name that is none of a mapping's: a decoder within a decoder does not.
func unknownFields(n *yaml.Node, known ...string) error {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(known, k.Value) {
			return fmt.Errorf("line %d: there is no %q; there are %s", k.Line, k.Value, strings.Join(known, ", "))
		}
	}
	return nil
}

// words is a string or a list of them.
type words []string

// UnmarshalYAML takes both forms.
func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = words{n.Value}
		return nil
	}
	return n.Decode((*[]string)(w))
}

func parse(text []byte) (*file, error) {
	if len(text) > MaxFile {
		return nil, fmt.Errorf("the file has more than %d bytes", MaxFile)
	}
	f := new(file)
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(f); err != nil && err != io.EOF {
		return nil, oneLine(err)
	}
	if err := d.Decode(new(any)); err != io.EOF {
		return nil, errors.New("there is more than one document")
	}
	if len(f.Tests) == 0 {
		return nil, errors.New("there are no tests")
	}
	return f, nil
}

func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " "))
}
