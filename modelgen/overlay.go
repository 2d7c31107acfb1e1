package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// overlay is where AWS behaves otherwise than a service's model says;
// overlays/README.md describes it for who writes one.
type overlay struct {
	Service    serviceOverlay
	Only       []string // the operations to generate; empty: all
	Operations map[string]operationOverlay
	Errors     map[string]errorOverlay
	Shapes     map[string]shapeOverlay
	Members    map[string]memberOverlay // by Shape.Member
}

type serviceOverlay struct {
	Global       *bool
	EventSource  string `yaml:"eventSource"`
	ActionPrefix string `yaml:"actionPrefix"`
	// QueryModel is the model of the query protocol that a JSON service spoke before.
	QueryModel string `yaml:"queryModel"`
}

type operationOverlay struct {
	EventName string `yaml:"eventName"`
	Status    int    // of success
	ReadOnly  *bool  `yaml:"readOnly"`
	DataEvent *bool  `yaml:"dataEvent"`
	Unsigned  *bool
	Access    string
	Actions   []string
	When      map[string][]string // parameter → further actions
}

type errorOverlay struct {
	Add    bool // the model lacks it
	Code   *string
	Status *int
	Sender *bool
	Fault  *bool
}

type shapeOverlay struct {
	Min, Max  *float64
	Pattern   *string // Go syntax
	Complaint string  // what messages say of a value that the pattern refuses
	Enum      []string
	Open      bool // other values than the enum's reach the handler
	Sensitive *bool
}

type memberOverlay struct {
	Required     *bool
	Sensitive    *bool
	Shape        string
	LocationName string `yaml:"locationName"`
}

// readOverlay reads dir/SERVICE.yaml; a service without one behaves as its model says.
func readOverlay(dir, service string) (*overlay, error) {
	var o overlay
	path := filepath.Join(dir, service+".yaml")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &o, nil
	} else if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &o, nil
}
