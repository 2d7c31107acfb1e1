package garrison_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// TestConditionKeysFollowTheReference: every condition key that a service sets
// is one that AWS's reference has, and is set as many-valued exactly if it is.
// A policy that tests another key would never see it.
func TestConditionKeysFollowTheReference(t *testing.T) {
	kinds := conditionKeys(t)
	files, err := filepath.Glob("service/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || method.Sel.Name != "Condition" && method.Sel.Name != "ConditionList" {
				return true
			}
			key, ok := literalKey(call.Args[0])
			if !ok {
				return true
			}
			found++
			kind, known := kinds[key]
			if !known {
				t.Errorf("%s: AWS has no condition key %s", set.Position(call.Pos()), key)
			} else if list := method.Sel.Name == "ConditionList"; list != strings.HasPrefix(kind, "ArrayOf") {
				t.Errorf("%s: %s is set by %s, but is of type %s", set.Position(call.Pos()), key, method.Sel.Name, kind)
			}
			return true
		})
	}
	if found < 20 {
		t.Errorf("%d keys found", found)
	}
}

// literalKey is the key that an argument begins with: all of it, or what stands before a name that is joined to it.
func literalKey(arg ast.Expr) (string, bool) {
	if joined, ok := arg.(*ast.BinaryExpr); ok {
		key, ok := literalKey(joined.X)
		return key, ok && strings.HasSuffix(key, "/") // "s3:" before a header's name is no key
	}
	literal, ok := arg.(*ast.BasicLit)
	if !ok {
		return "", false
	}
	key, err := strconv.Unquote(literal.Value)
	return key, err == nil && strings.Contains(key, ":")
}

// conditionKeys are the types of all keys, by name, or by what stands before a template's variable.
func conditionKeys(t *testing.T) map[string]string {
	raw, err := os.ReadFile(shared.Path(t, "data/service-authorization.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		GlobalConditionKeys map[string]string
		Services            map[string]struct{ ConditionKeys map[string]string }
	}
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	add := func(keys map[string]string) {
		for key, kind := range keys {
			for _, variable := range []string{"${", "<", "tag-key"} {
				key, _, _ = strings.Cut(key, variable)
			}
			kinds[key] = kind
		}
	}
	for _, service := range reference.Services {
		add(service.ConditionKeys)
	}
	add(reference.GlobalConditionKeys)
	return kinds
}
