// Package coverage writes docs/coverage.md: per service, the operations that
// are served of those that AWS has.
package coverage

import (
	"fmt"
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
// that AWS does not have, or that is served twice, is an error.
func Markdown(served []Served) ([]byte, error) {
	byService := map[string][]string{}
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
		byService[s.Service] = append([]string{}, names...)
	}
	return page(byService), nil
}

// page renders what Markdown checked.
func page(byService map[string][]string) []byte {
	var table, lists strings.Builder
	var all, served, others int
	for _, service := range catalog.Services() {
		operations := service.Operations()
		all += len(operations)
		names, ok := byService[service.Name]
		if !ok {
			others += len(operations)
			continue
		}
		served += len(names)
		fmt.Fprintf(&table, "| %s | %d | %d |\n", service.Name, len(names), len(operations))
		var missing []string
		for _, operation := range operations {
			if _, found := slices.BinarySearch(names, operation.Name); !found {
				missing = append(missing, operation.Name)
			}
		}
		fmt.Fprintf(&lists, "\n## %s\n", service.Name)
		list(&lists, "Served", names)
		list(&lists, "Not yet", missing)
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
