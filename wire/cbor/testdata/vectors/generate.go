package vectors

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/garrison-security/garrison"

// Model is a service's model in c2j form, from which a package is generated.
type Model struct {
	Package string
	Path    string // of the model's file
	Cases   string // the file of its cases
	Suite   int    // of botocore's suites; negative: all
}

// Generated generates a package from each model below build/testdata/gen/NAME
// at the module's root, and a test that runs the cases of each with the codec
// of the package wire/NAME, and runs that test. Amended is Go text: the
// amendments that Run takes.
func Generated(t *testing.T, name string, models []Model, amended string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := "build/testdata/gen/" + name
	var imports, runs strings.Builder
	for _, m := range models {
		command(t, root, "go", "run", "./modelgen", "-model", m.Path, "-package", m.Package, "-out", dir+"/"+m.Package)
		fmt.Fprintf(&imports, "%q\n", module+"/"+dir+"/"+m.Package)
		fmt.Fprintf(&runs, "{%q, %q, %d, []vectors.Operation{", m.Package, m.Cases, m.Suite)
		for _, op := range operations(t, m.Path) {
			fmt.Fprintf(&runs, "vectors.Op(%s.%s), ", m.Package, op)
		}
		runs.WriteString("}},\n")
	}
	text := fmt.Sprintf(`package run

import (
"testing"

%[1]q
%[2]q
%[3]s)

func TestCases(t *testing.T) {
	ran := 0
	for _, s := range []struct { name, file string; suite int; operations []vectors.Operation }{
%[4]s	} {
		t.Run(s.name, func(t *testing.T) {
			ran += vectors.Run(t, %[5]s.Codec{}, vectors.Read(t, s.file, s.suite, %[6]t), s.operations, %[7]s)
		})
	}
	t.Logf("%%d cases", ran)
}
`, module+"/wire/"+name, module+"/wire/cbor/testdata/vectors", imports.String(), runs.String(), name, name == "cbor", amended)
	if err := os.MkdirAll(filepath.Join(root, dir, "run"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, dir, "run", "run_test.go"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	output := command(t, root, "go", "test", "-v", "./"+dir+"/run")
	for line := range strings.Lines(output) {
		if strings.HasSuffix(strings.TrimSpace(line), " cases") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// operations are the names of a model's operations.
func operations(t *testing.T, path string) (names []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var model struct{ Operations map[string]any }
	if err := json.Unmarshal(data, &model); err != nil {
		t.Fatal(err)
	}
	for name := range model.Operations {
		names = append(names, name)
	}
	return names
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	output, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}
