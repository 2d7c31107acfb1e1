package coverage

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/garrison-security/garrison/api/catalog"
)

// written are the reasons why operations are not served; reasons/README.md
// describes them for who writes one.
//
//go:embed reasons/*.yaml
var written embed.FS

// reason is why some operations of a service are not served.
type reason struct {
	Because    string
	Operations []string
}

// readReasons reads reasons/SERVICE.yaml; a service without one has none.
func readReasons(from fs.FS, service string) ([]reason, error) {
	path := "reasons/" + service + ".yaml"
	text, err := fs.ReadFile(from, path)
	if err != nil {
		return nil, nil
	}
	var all []reason
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("coverage: %s: %w", path, err)
	}
	return all, nil
}

// explained checks the reasons against what is served, and answers what they leave
// unexplained: a reason for what is served, for what AWS does not have, or a second
// one for the same is an error.
func explained(service *catalog.Service, served []string, reasons []reason) (left []string, err error) {
	seen := map[string]bool{}
	for _, r := range reasons {
		if r.Because == "" || len(r.Operations) == 0 {
			return nil, fmt.Errorf("coverage: a reason of %s is empty", service.Name)
		}
		for _, name := range r.Operations {
			_, known := service.Operation(name)
			switch {
			case !known:
				return nil, fmt.Errorf("coverage: %s has no operation %s to give a reason for", service.Name, name)
			case slices.Contains(served, name):
				return nil, fmt.Errorf("coverage: %s:%s is served, and has a reason why it is not", service.Name, name)
			case seen[name]:
				return nil, fmt.Errorf("coverage: %s:%s has two reasons", service.Name, name)
			}
			seen[name] = true
		}
	}
	for _, operation := range service.Operations() {
		if !seen[operation.Name] && !slices.Contains(served, operation.Name) {
			left = append(left, operation.Name)
		}
	}
	return left, nil
}
