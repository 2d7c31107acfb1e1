package main

import (
	"fmt"
	"go/format"
	"strings"
)

// schemaTest writes a test that compares each service's Go types with its
// schema. The packages lie below the import path prefix.
func schemaTest(prefix string, models []*model) ([]byte, error) {
	var tests strings.Builder
	for _, m := range models {
		fmt.Fprintf(&tests, "\nfunc TestTypesFollowSchemaOf_%s(t *testing.T) {\nfor _, wrong := range %s {\nt.Error(wrong)\n}\n}\n",
			packageName(m.identity.Name), schemaCheck(m))
	}
	text := generated + "package api_test\n\nimport (\n\"testing\"\n\n" + schemaImports(prefix, models) + ")\n" + tests.String()
	return format.Source([]byte(text))
}

func schemaImports(prefix string, models []*model) string {
	var imports strings.Builder
	for _, m := range models {
		fmt.Fprintf(&imports, "%q\n", prefix+"/"+packageName(m.identity.Name))
	}
	fmt.Fprintf(&imports, "%q\n%q\n", awsPackage, module+"/modelgen/conform")
	return imports.String()
}

// schemaCheck writes the call that compares a service's types with its schema.
func schemaCheck(m *model) string {
	var call strings.Builder
	name := packageName(m.identity.Name)
	fmt.Fprintf(&call, "conform.Check(%s.Service, []conform.Operation{\n", name)
	for _, op := range m.operations {
		fmt.Fprintf(&call, "{Name: %q, In: (*%s.%[1]sInput)(nil), Out: (*%[2]s.%[1]sOutput)(nil)},\n", op.Name, name)
	}
	call.WriteString("}, []aws.Modelled{\n")
	names := newNames(m)
	for _, shape := range m.reached {
		if m.Shapes[shape].Exception {
			fmt.Fprintf(&call, "&%s.%s{},\n", name, names.shapes[shape])
		}
	}
	call.WriteString("})")
	return call.String()
}
