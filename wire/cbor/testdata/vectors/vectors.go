// Package vectors runs the published cases of AWS's protocols backwards: each
// request must decode to the parameters that it was made from. It is for
// tests. The types that a case's service needs are generated for the run, so
// this package stands where `go build ./...` passes over it, and where what is
// generated can import it.
package vectors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Operation is an operation and how an input of it is made.
type Operation struct {
	Row *aws.Operation
	New func() any
}

// Op is the Operation of a generated handle.
func Op[In, Out any](op aws.Op[In, Out]) Operation {
	return Operation{Row: op.Row(), New: func() any { return new(In) }}
}

// Case is one request and what it means.
type Case struct {
	ID, Operation string
	Method, URI   string
	Headers       map[string]string
	Body          []byte
	Params        map[string]any
}

// Read reads the cases of a file in either form, Smithy's or botocore's; of
// botocore's suites only number suite, or all if it is negative.
func Read(t testing.TB, path string, suite int, binary bool) []Case {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	type request struct {
		Method, URI string
		Headers     map[string]string
		Body        *string
	}
	var file []struct {
		request
		ID, Operation string
		Params        map[string]any
		Cases         []struct {
			ID         string
			Given      struct{ Name string }
			Params     map[string]any
			Serialized request
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var cases []Case
	add := func(id, operation string, r request, params map[string]any) {
		if r.Body == nil {
			return // the case is about a header that a client adds; there is nothing to decode
		}
		body := []byte(*r.Body)
		if binary {
			if body, err = base64.StdEncoding.DecodeString(*r.Body); err != nil {
				t.Fatal(err)
			}
		}
		cases = append(cases, Case{id, operation, r.Method, r.URI, r.Headers, body, params})
	}
	for i, entry := range file {
		if entry.Cases == nil {
			add(entry.ID, entry.Operation, entry.request, entry.Params)
		}
		for _, c := range entry.Cases {
			if suite < 0 || suite == i {
				add(c.ID, c.Given.Name, c.Serialized, c.Params)
			}
		}
	}
	return cases
}

// Run decodes every case and compares. A case whose id is a key of amended
// means those parameters instead of its own. It returns how many cases ran.
func Run(t *testing.T, codec wire.Codec, cases []Case, operations []Operation, amended map[string]map[string]any) int {
	rows := map[string]Operation{}
	for _, op := range operations {
		rows[op.Row.Name] = op
	}
	for _, c := range cases {
		t.Run(c.Operation+"/"+c.ID, func(t *testing.T) {
			op, ok := rows[c.Operation]
			if !ok {
				t.Fatalf("no operation %s", c.Operation)
			}
			if params, ok := amended[c.ID]; ok {
				c.Params = params
			}
			path, query, _ := strings.Cut(c.URI, "?")
			header := http.Header{}
			for name, value := range c.Headers {
				header.Set(name, value)
			}
			req := &wire.Request{Method: c.Method, RawPath: path, RawQuery: query, Header: wire.HTTPHeader(header), Body: bytes.NewReader(c.Body)}
			in := op.New()
			if err := codec.Decode(op.Row, req, c.Body, nil, in); err != nil {
				t.Fatalf("Decode: %v", err)
			}
			p, v, err := wire.InputPlan(op.Row, in)
			if err != nil {
				t.Fatal(err)
			}
			if difference := Difference("", p, c.Params, v); difference != "" {
				t.Error(difference)
			}
		})
	}
	return len(cases)
}

// Difference says where v, a value of plan p, differs from params as the
// vectors write them; "" where it does not.
func Difference(at string, p *wire.Plan, params any, v reflect.Value) string {
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		want, ok := params.(map[string]any)
		if !ok && params != nil {
			return at + ": not a structure in the vector"
		}
		for name := range want {
			if p.Named([]byte(name)) < 0 {
				return at + ": the shape has no member " + name
			}
		}
		for i := range p.Fields {
			f := &p.Fields[i]
			if d := member(at+"."+f.Member.Name, f, want[f.Member.Name], v); d != "" {
				return d
			}
		}
		return ""
	case aws.List:
		want, ok := params.([]any)
		if !ok || len(want) != v.Len() {
			return differ(at, params, v)
		}
		for i := range want {
			if d := element(at+"[]", p, want[i], v.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case aws.Map:
		want, ok := params.(map[string]any)
		if !ok || len(want) != v.Len() {
			return differ(at, params, v)
		}
		for name, value := range want {
			e := v.MapIndex(reflect.ValueOf(name).Convert(p.Type.Key()))
			if !e.IsValid() {
				return at + ": no key " + name
			}
			if d := element(at+"{}", p, value, e); d != "" {
				return d
			}
		}
		return ""
	}
	if !equal(p.Shape, params, v) {
		return differ(at, params, v)
	}
	return ""
}

func member(at string, f *wire.Field, want any, v reflect.Value) string {
	got, present := f.Get(v)
	list, _ := want.([]any)
	switch {
	case want == nil && present && f.Member.IdempotencyTok && got.String() == "00000000-0000-4000-8000-000000000000":
		return "" // filled in by the client
	case want == nil && present && (f.Pointer || !got.IsZero()):
		return differ(at, "nothing", got)
	case want == nil:
		return ""
	case !present && list != nil && len(list) == 0 && f.Plan.Shape.Kind == aws.List && f.Member.Name == "ListArg":
		return "" // ec2 has no form for an empty list
	case !present:
		return at + " is absent"
	}
	return Difference(at, f.Plan, want, got)
}

func element(at string, p *wire.Plan, want any, v reflect.Value) string {
	if p.Shape.Sparse {
		if (want == nil) != v.IsNil() {
			return differ(at, want, v)
		}
		if want == nil {
			return ""
		}
	}
	if p.ElemPointer {
		v = v.Elem()
	}
	return Difference(at, p.Elem, want, v)
}

func differ(at string, want any, v reflect.Value) string {
	text, _ := json.Marshal(want)
	got, err := json.Marshal(v.Interface())
	if err != nil {
		got = []byte(err.Error())
	}
	return at + ": got " + string(got) + ", want " + string(text)
}
