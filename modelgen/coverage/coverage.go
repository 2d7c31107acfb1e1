// Package coverage writes docs/coverage.md: per service, the operations that
// are served of those that AWS has.
package coverage

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/catalog"
)

// Served is a service, by botocore's name, and the names of its operations
// that are served.
type Served struct {
	Service    string
	Operations []string
}

// Markdown renders the page. The order of served does not matter; an operation
// that AWS does not have, or that is served twice, is an error, and so is a
// reason (reasons/*.yaml) that holds no longer.
func Markdown(served []Served) ([]byte, error) { return markdown(served, written) }

func markdown(served []Served, reasons fs.FS) ([]byte, error) {
	byService := map[string]*covered{}
	for _, s := range served {
		if byService[s.Service] != nil {
			return nil, fmt.Errorf("coverage: service %s is served twice", s.Service)
		}
		names := slices.Sorted(slices.Values(s.Operations))
		if len(slices.Compact(slices.Clone(names))) != len(names) {
			return nil, fmt.Errorf("coverage: an operation of %s is served twice", s.Service)
		}
		service := catalog.Lookup(s.Service)
		if service == nil {
			return nil, fmt.Errorf("coverage: AWS has no service %s", s.Service)
		}
		for _, name := range names {
			if _, ok := service.Operation(name); !ok {
				return nil, fmt.Errorf("coverage: %s has no operation %s", s.Service, name)
			}
		}
		c := &covered{served: names}
		var err error
		if c.reasons, err = readReasons(reasons, s.Service); err != nil {
			return nil, err
		}
		if c.left, err = explained(service, names, c.reasons); err != nil {
			return nil, err
		}
		byService[s.Service] = c
	}
	return page(byService), nil
}

// covered is what is to be said of a service that is served.
type covered struct {
	served  []string
	reasons []reason
	left    []string // neither served nor explained
}

// page renders what Markdown checked.
func page(byService map[string]*covered) []byte {
	var table, lists strings.Builder
	var all, served, others int
	for _, service := range catalog.Services() {
		operations := service.Operations()
		all += len(operations)
		c := byService[service.Name]
		if c == nil {
			others += len(operations)
			continue
		}
		served += len(c.served)
		fmt.Fprintf(&table, "| %s | %d | %d |\n", service.Name, len(c.served), len(operations))
		fmt.Fprintf(&lists, "\n## %s\n", service.Name)
		list(&lists, "Served", c.served)
		list(&lists, "Not yet", c.left)
		explain(&lists, c.reasons)
	}
	head := fmt.Sprintf("# Coverage\nGenerated from the tables of operations; `make generate` writes it anew.\n\n"+
		"Garrison knows all %d operations of AWS's %d services and serves %d of them. Each of the others is routed,\n"+
		"authenticated, recorded, and answered with a typed \"not implemented\" that names it.\n\n",
		all, len(catalog.Services()), served)
	return []byte(head + "| service | served | of |\n| --- | ---: | ---: |\n" + table.String() +
		fmt.Sprintf("| %d more | 0 | %d |\n", len(catalog.Services())-len(byService), others) + lists.String())
}

func list(to *strings.Builder, title string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(to, "%s: %s.\n\n", title, strings.Join(names, ", "))
	}
}

func explain(to *strings.Builder, reasons []reason) {
	if len(reasons) == 0 {
		return
	}
	to.WriteString("Not served, and why:\n\n")
	for _, r := range reasons {
		fmt.Fprintf(to, "- %s: %s\n", strings.Join(slices.Sorted(slices.Values(r.Operations)), ", "), r.Because)
	}
}
