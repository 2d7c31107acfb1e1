package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// readTestSources reads the sources once for all tests.
var readTestSources = sync.OnceValues(func() (*sources, error) {
	return readSources(shared.Dir(), filepath.Join(shared.Dir(), "models"), "overlays")
})

// testSources are the sources as the command reads them.
func testSources(t testing.TB) *sources {
	t.Helper()
	shared.Path(t, "models/smithy-extras.json")
	src, err := readTestSources()
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// allServices are those that have a model: the folder's, but for the list of
// all operations and SQS's old model.
func allServices(t testing.TB, src *sources) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(src.models, "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var services []string
	for _, path := range found {
		name := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		if !slices.Contains([]string{"all-operations", "sqs-query"}, name) {
			services = append(services, name)
		}
	}
	if len(services) != 46 {
		t.Fatalf("%d models, want 46", len(services))
	}
	return services
}

// allDir lies below a folder called testdata, so that ./... passes over it.
const allDir = "build/testdata/modelgen"

// TestEveryModelCompiles generates all services into the build folder and
// builds a program of them, which compares their types with their schemas. The
// folder stays, so that a second run finds all compiled.
func TestEveryModelCompiles(t *testing.T) {
	src := testSources(t)
	files, models, err := generatePackages(src, allServices(t, src), allDir)
	if err != nil {
		t.Fatal(err)
	}
	delete(files, allDir+"/schema_test.go") // the program does what it would
	files[allDir+"/main/main.go"] = mainFile(models)
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range files {
		writeIfOther(t, filepath.Join(root, path), text)
	}
	program := filepath.Join(root, filepath.FromSlash(allDir), "main", "main")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", program, "./"+allDir+"/main")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %v of CPU; stripped, with every type in it, %.1f MB",
		build.ProcessState.UserTime()+build.ProcessState.SystemTime(), float64(info.Size())/1e6)
	if output, err := exec.CommandContext(t.Context(), program).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// mainFile is a program that looks at every service's types and schema.
func mainFile(models []*model) []byte {
	var calls strings.Builder
	for _, m := range models {
		fmt.Fprintf(&calls, "wrong = append(wrong, %s...)\n", schemaCheck(m))
	}
	return []byte("package main\n\nimport (\n\"fmt\"\n\"os\"\n" + schemaImports(module+"/"+allDir, models) +
		")\n\nfunc main() {\nvar wrong []string\n" + calls.String() +
		"if len(wrong) > 0 {\nfmt.Println(wrong)\nos.Exit(1)\n}\n}\n")
}

// writeIfOther leaves a file alone that already is as it should be.
func writeIfOther(t *testing.T, path string, text []byte) {
	t.Helper()
	if old, err := os.ReadFile(path); err == nil && string(old) == string(text) {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}
