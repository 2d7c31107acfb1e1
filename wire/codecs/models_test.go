package codecs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/garrison-security/garrison/aws"
)

// generator is the program that turns models into Go, built once.
var generator = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "modelgen")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "modelgen")
	out, err := exec.Command("go", "build", "-o", program, "github.com/garrison-security/garrison/modelgen").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build modelgen: %w\n%s", err, out)
	}
	return program, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := generator(); err == nil {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// load generates the package of a model and reads the service that it
// declares. The Go types are not compiled: typesOf makes them anew.
func load(t testing.TB, path, name string) *aws.Service {
	t.Helper()
	program, err := generator()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if text, err := exec.Command(program, "-model", path, "-package", name, "-out", out).CombinedOutput(); err != nil {
		t.Fatalf("modelgen %s: %v\n%s", path, err, text)
	}
	return read(t, out)
}

// read is the service that the generated package in dir declares.
func read(t testing.TB, dir string) *aws.Service {
	t.Helper()
	service := &aws.Service{Name: filepath.Base(dir)}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no package in %s: %v", dir, err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool { return declare(service, n) })
	}
	if service.Source == "" || len(service.Operations()) == 0 {
		t.Fatalf("no operations in %s", dir)
	}
	return service
}

// declare takes the model's text and the fields of the service from the
// generated declarations.
func declare(service *aws.Service, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ValueSpec:
		if len(n.Names) == 1 && n.Names[0].Name == "source" && len(n.Values) == 1 {
			service.Source = text(n.Values[0])
		}
	case *ast.CompositeLit:
		if s, ok := n.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Service" {
			return true
		}
		v := reflect.ValueOf(service).Elem()
		for _, e := range n.Elts {
			kv := e.(*ast.KeyValueExpr)
			field := v.FieldByName(kv.Key.(*ast.Ident).Name)
			switch field.Kind() {
			case reflect.String:
				if value := text(kv.Value); value != "" {
					field.SetString(value)
				}
			case reflect.Bool:
				field.SetBool(kv.Value.(*ast.Ident).Name == "true")
			case reflect.Slice:
				for _, p := range kv.Value.(*ast.CompositeLit).Elts {
					service.Protocols = append(service.Protocols, protocols[p.(*ast.SelectorExpr).Sel.Name])
				}
			}
		}
	}
	return true
}

var protocols = map[string]aws.Protocol{
	"AWSJSON10": aws.AWSJSON10, "AWSJSON11": aws.AWSJSON11, "AWSQuery": aws.AWSQuery, "EC2Query": aws.EC2Query,
	"RESTJSON": aws.RESTJSON, "RESTXML": aws.RESTXML, "RPCV2CBOR": aws.RPCV2CBOR,
}

// text is the value of a constant text: literals joined by plus signs.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
	case *ast.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return ""
}

// labelsOf matches a path with an operation's URI, and answers the labels,
// still escaped.
func labelsOf(uri, path string) (map[string]string, bool) {
	uri, _, _ = strings.Cut(uri, "?")
	want, have := strings.Split(uri, "/"), strings.Split(path, "/")
	labels := map[string]string{}
	for i, segment := range want {
		name, label := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		if i >= len(have) || !label && segment != have[i] {
			return nil, false
		}
		if greedy, ok := strings.CutSuffix(name, "+"); ok && label {
			after := len(want) - i - 1
			if len(have)-after <= i {
				return nil, false
			}
			labels[greedy] = strings.Join(have[i:len(have)-after], "/")
			have = append(append([]string{}, have[:i+1]...), have[len(have)-after:]...)
		} else if label {
			labels[name] = have[i]
		}
	}
	return labels, len(want) == len(have)
}
