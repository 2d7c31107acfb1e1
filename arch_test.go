package garrison_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/garrison-security/garrison"

// arrows says which of our packages each package may import, beside those
// below itself. A row changes in the commit that changes the architecture.
// "x/*" is x and all below it; a package follows its most particular row.
var arrows = map[string]string{
	"aws/*":                  "",
	"policy/*":               "aws",
	"policy/estate":          "aws policy policy/scenario",
	"policy/expect":          "aws policy policy/scenario",
	"policy/scenario":        "aws policy policy/internal/*",
	"policy/validate":        "aws policy policy/internal/* policy/reference",
	"store/*":                "aws",
	"backup":                 "blob store",
	"blob/*":                 "blob",
	"store/mem":              "store store/internal/*",
	"store/pebble":           "store store/internal/*",
	"store/postgres":         "store store/internal/*",
	"store/storetest":        "store",
	"store/internal/*":       "store store/internal/*",
	"api/*":                  "aws",
	"keyring/*":              "aws store",
	"trail/*":                "aws store",
	"wire/*":                 "aws api/catalog wire/*",
	"gateway":                "api/catalog aws policy store trail wire/*",
	"front":                  "",
	"hsm/*":                  "hsm/*",
	"cmd/garrison-pkcs11":    "hsm/*",
	"service/*":              "api/* aws blob gateway policy store trail",
	"service/iam":            "api/* aws gateway policy policy/reference service/iam/managed store trail",
	"service/iam/managed/*":  "aws policy service/iam/managed",
	"service/accessanalyzer": "api/* aws gateway policy policy/validate store trail",
	"service/kms/material/*": "",
	"service/kms/xks":        "",
	"cmd/garrison":           "aws backup blob/* front gateway hsm keyring policy/* service/* store store/mem store/pebble store/postgres trail",

	"modelgen/*":       "api/catalog aws internal/shared policy/reference",
	"bench/*":          "api/* aws blob front gateway internal/pgtest keyring policy service/* store/* trail wire/*",
	"e2e/*":            "",
	"internal/hsmtest": "",
	"internal/image":   "",
	"internal/pgtest":  "",
	"internal/shared":  "",
	"internal/xkstest": "",
	".":                "",
}

// tests may import these besides.
const testsToo = "blob/blobtest blob/fs internal/hsmtest internal/pgtest internal/shared internal/xkstest store store/mem store/storetest"

// testArrows are what the tests of single packages need besides.
var testArrows = map[string]string{
	"api":                   "modelgen/conform",
	"backup":                "blob/mem store/pebble store/postgres",
	"cmd/garrison":          "modelgen/coverage",
	"e2e":                   "blob blob/bucket",
	"gateway":               "api/*",
	"modelgen":              "api/*",
	"policy/estate":         "policy/reference",
	"service/organizations": "service/iam",
	"service/kms":           "service/iam",
	"service/sts":           "keyring service/iam service/organizations",
	"trail":                 "keyring store/pebble store/postgres",
}

// Package is what `go list -json` tells of a package.
type Package struct {
	Dir, ImportPath                    string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) (all []Package) {
	t.Helper()
	command := exec.Command("go", "list", "-json", "./...")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaints)
	}
	for list := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// rel is a package's path in the module; false for others' packages.
func rel(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// matches says whether a pattern of the tables means a package.
func matches(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

// row is the pattern that a package follows.
func row(path string) (best string) {
	for pattern := range arrows {
		if matches(pattern, path) && (best == "" || len(pattern) > len(best)) {
			best = pattern
		}
	}
	return best
}

func allowed(lists, path string) bool {
	return slices.ContainsFunc(strings.Fields(lists), func(pattern string) bool { return matches(pattern, path) })
}

func TestArrows(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		path, _ := rel(p.ImportPath)
		pattern := row(path)
		if pattern == "" {
			t.Errorf("%s has no row in arrows", path)
			continue
		}
		used[pattern] = true
		check := func(imports []string, also string) {
			for _, imported := range imports {
				to, ours := rel(imported)
				if !ours || to == path || strings.HasPrefix(to, path+"/") || allowed(arrows[pattern]+" "+also, to) {
					continue
				}
				t.Errorf("%s may not import %s (row %q: %q)", path, to, pattern, arrows[pattern])
			}
		}
		check(p.Imports, "")
		check(p.TestImports, testsToo+" "+testArrows[path])
		check(p.XTestImports, testsToo+" "+testArrows[path])
	}
	for pattern := range arrows {
		if !used[pattern] {
			t.Errorf("arrows has a row %q that no package follows", pattern)
		}
	}
}

// TestPolicyIsPure keeps input, output, chance and the clock out of package policy.
func TestPolicyIsPure(t *testing.T) {
	banned := "os/* net net/http/* net/url io/fs io/ioutil syscall log/* math/rand/* crypto/rand plugin runtime/debug testing/*"
	for _, p := range packages(t) {
		path, _ := rel(p.ImportPath)
		if !matches("policy/*", path) {
			continue
		}
		for _, imported := range p.Imports {
			if allowed(banned, imported) {
				t.Errorf("%s imports %s", path, imported)
			}
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if of, ok := s.X.(*ast.Ident); ok && of.Name == "time" &&
						slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep", "Local"}, s.Sel.Name) {
						t.Errorf("%s/%s uses time.%s", path, name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestPackageComments wants exactly one file of each package to say what it is for.
func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		path, _ := rel(p.ImportPath)
		var commented []string
		if len(p.GoFiles) == 0 { // tests alone
			continue
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc != nil && len(file.Doc.Text()) > 0 {
				commented = append(commented, name)
			}
		}
		if len(commented) != 1 {
			t.Errorf("%s has %d package comments %v, want one", path, len(commented), commented)
		}
	}
}
