package codecs_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// sent is a request of a vector.
type sent struct {
	method, uri, body string
	host              string
	query             []string
	headers           map[string]string
}

func (s *sent) request(p aws.Protocol) (*wire.Request, []byte) {
	header := http.Header{}
	for name, value := range s.headers {
		header.Set(name, value)
	}
	path, query, _ := strings.Cut(s.uri, "?")
	for _, pair := range s.query {
		if query != "" {
			query += "&"
		}
		query += pair
	}
	body := []byte(s.body)
	if p == aws.RPCV2CBOR {
		body, _ = base64.StdEncoding.DecodeString(s.body)
	}
	return &wire.Request{Method: s.method, RawPath: path, RawQuery: query, Header: wire.HTTPHeader(header), Body: strings.NewReader(s.body)}, body
}

// decode decodes a request of a vector into a new input of op, whose shapes may be unrolled.
func decode(types *goTypes, op *aws.Operation, s *sent) (*aws.Operation, reflect.Value, error) {
	unrolled, in, _ := types.operation(op)
	p := op.Service.Protocols[0]
	req, body := s.request(p)
	labels := map[string]string{}
	if p == aws.RESTJSON || p == aws.RESTXML {
		var ok bool
		path := req.RawPath
		if bucket, _, found := strings.Cut(s.host, ".s3"); found && strings.HasPrefix(op.URI, "/{Bucket}") {
			path = "/" + bucket + strings.TrimSuffix(path, "/")
		}
		if labels, ok = labelsOf(op.URI, path); !ok {
			return unrolled, reflect.Value{}, fmt.Errorf("%s does not match %s", req.RawPath, op.URI)
		}
	}
	v := reflect.New(in)
	return unrolled, v, codecs.For(p).Decode(unrolled, req, body, labels, v.Interface())
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestSmithyRequests decodes every request of Smithy's protocol tests into its parameters.
func TestSmithyRequests(t *testing.T) {
	dir := shared.Path(t, "data/protocol-tests/smithy")
	files, _ := filepath.Glob(filepath.Join(dir, "*.requests.json"))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".requests.json")
		t.Run(name, func(t *testing.T) {
			service := load(t, filepath.Join(dir, name+".model.json"), "vectors")
			types := newTypes(4)
			var cases []struct {
				ID, Operation, Method, URI, Body, ResolvedHost string
				QueryParams                                    []string
				Headers                                        map[string]string
				Params                                         map[string]any
			}
			readJSON(t, file, &cases)
			for _, c := range cases {
				t.Run(c.ID, func(t *testing.T) {
					if why := differs(c.ID); why != "" {
						t.Log(why)
						return
					}
					op := service.Operation(c.Operation)
					s := &sent{host: c.ResolvedHost, method: c.Method, uri: c.URI, body: c.Body, query: c.QueryParams, headers: c.Headers}
					op, v, err := decode(types, op, s)
					if err != nil {
						t.Fatal(err)
					}
					check(t, op, v, c.Params)
				})
			}
		})
	}
}

func check(t *testing.T, op *aws.Operation, v reflect.Value, params map[string]any) {
	t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	if op.Input == nil {
		if len(params) > 0 {
			t.Fatalf("%s has no input", op.Name)
		}
		return
	}
	if err := match(op.Input, v, params); err != nil {
		t.Errorf("%s: %v", op.Name, err)
	}
}

// suite is one of botocore's.
type suite struct {
	Description string
	Metadata    json.RawMessage
	Shapes      json.RawMessage
	Cases       []struct {
		ID         string
		Given      json.RawMessage
		Params     map[string]any
		Serialized struct {
			Method, URI string
			Body        any
			Headers     map[string]string
		}
	}
}

// TestBotocoreRequests decodes every request of botocore's own suites.
func TestBotocoreRequests(t *testing.T) {
	for _, folder := range []string{"input", "legacy-input"} {
		dir := shared.Path(t, "data/protocol-tests/"+folder)
		files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		for _, file := range files {
			var suites []suite
			readJSON(t, file, &suites)
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			t.Run(folder+"/"+name, func(t *testing.T) { runSuites(t, name, suites) })
		}
	}
}

// runSuites makes one model of all suites of a file, whose shapes may be called
// alike, by giving each suite's and each case's names a prefix.
func runSuites(t *testing.T, name string, suites []suite) {
	service, operations := merge(t, suites)
	types := newTypes(4)
	for i, s := range suites {
		for j, c := range s.Cases {
			id := c.ID
			if id == "" {
				id = fmt.Sprintf("%s/%d.%d", name, i, j)
			}
			t.Run(id, func(t *testing.T) {
				if why := differs(id); why != "" {
					t.Log(why)
					return
				}
				body, _ := c.Serialized.Body.(string)
				if m, ok := c.Serialized.Body.(map[string]any); ok {
					b, _ := json.Marshal(m)
					body = string(b)
				}
				method := c.Serialized.Method
				if method == "" {
					method = http.MethodPost
				}
				op, v, err := decode(types, service.Operation(operations[[2]int{i, j}]),
					&sent{method: method, uri: c.Serialized.URI, body: body, headers: c.Serialized.Headers})
				if err != nil {
					t.Fatal(err)
				}
				check(t, op, v, c.Params)
			})
		}
	}
}

func merge(t *testing.T, suites []suite) (*aws.Service, map[[2]int]string) {
	t.Helper()
	shapes, operations, names := map[string]any{}, map[string]any{}, map[[2]int]string{}
	var metadata map[string]any
	for i, s := range suites {
		prefix := fmt.Sprintf("S%d", i)
		if err := json.Unmarshal(s.Metadata, &metadata); err != nil {
			t.Fatal(err)
		}
		var own map[string]any
		if err := json.Unmarshal(s.Shapes, &own); err != nil {
			t.Fatal(err)
		}
		for name, shape := range own {
			shapes[prefix+name] = rename(shape, prefix)
		}
		for j, c := range s.Cases {
			var given map[string]any
			if err := json.Unmarshal(c.Given, &given); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("Op%dX%d", i, j)
			given["name"] = name
			for _, trait := range []string{"output", "errors", "documentation", "endpoint"} {
				delete(given, trait)
			}
			http := map[string]any{"method": "POST", "requestUri": "/"}
			if own, ok := given["http"].(map[string]any); ok {
				maps.Copy(http, own)
			}
			given["http"] = http
			if in, ok := given["input"].(map[string]any); ok && in["payload"] != nil {
				// Older suites have the trait on the reference, all models on the shape.
				shapes[prefix+in["shape"].(string)].(map[string]any)["payload"] = in["payload"]
			}
			operations[name] = rename(given, prefix)
			names[[2]int{i, j}] = name
		}
	}
	metadata["serviceId"] = "Vectors"
	model, err := json.Marshal(map[string]any{"version": "2.0", "metadata": metadata, "operations": operations, "shapes": shapes})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		t.Fatal(err)
	}
	return load(t, path, "vectors"), names
}

// rename gives every reference to a shape a prefix.
func rename(v any, prefix string) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			if name, ok := e.(string); ok && key == "shape" {
				v[key] = prefix + name
			} else {
				v[key] = rename(e, prefix)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = rename(e, prefix)
		}
	}
	return v
}
