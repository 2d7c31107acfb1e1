package codecs_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// TestRoundTrips sends random values within the constraints through every
// operation's input and output, in every protocol that its service speaks.
func TestRoundTrips(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared.Path(t, "models"), "*.json.gz"))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json.gz")
		if name == "all-operations" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := served(t, name)
			if service == nil {
				service = load(t, file, "vectors")
			}
			types, r := newTypes(1), newRandom(7)
			for _, op := range service.Operations() {
				u, in, out := types.operation(op)
				for _, p := range spoken(service) {
					for range rounds {
						roundTripInput(t, r, p, u, in)
						roundTripOutput(t, r, p, u, out)
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

const rounds = 1

// served is a service whose package is committed, made with what our overlays
// add to its model; nil if there is none.
func served(t *testing.T, name string) *aws.Service {
	dir := filepath.Join("..", "..", "api", name)
	if _, err := os.Stat(filepath.Join(dir, "model.go")); err != nil {
		return nil
	}
	return read(t, dir)
}

// spoken are a service's protocols, and CBOR, which every RPC service speaks.
func spoken(s *aws.Service) []aws.Protocol {
	switch first := s.Protocols[0]; {
	case first == aws.RESTJSON || first == aws.RESTXML || slices.Contains(s.Protocols, aws.RPCV2CBOR):
		return s.Protocols
	}
	return append(slices.Clone(s.Protocols), aws.RPCV2CBOR)
}

func roundTripInput(t *testing.T, r *random, p aws.Protocol, op *aws.Operation, typ reflect.Type) {
	if op.Input == nil {
		return
	}
	v, again := reflect.New(typ), reflect.New(typ)
	if !r.fill(op.Input, nil, v.Elem(), 0) {
		return
	}
	req, body, labels, err := sentBy(p, op, v)
	if err != nil {
		t.Errorf("%s: %v", op.Name, err)
		return
	}
	if err := codecs.For(p).Decode(op, req, body, labels, again.Interface()); err != nil {
		t.Errorf("%s (%d): %v\n%.2000s", op.Name, p, err, body)
		return
	}
	if err := same(op.Input, v.Elem(), again.Elem()); err != nil {
		t.Errorf("%s (%d): %v\n%.2000s", op.Name, p, err, body)
	}
}

func roundTripOutput(t *testing.T, r *random, p aws.Protocol, op *aws.Operation, typ reflect.Type) {
	if op.Output == nil {
		return
	}
	v, again := reflect.New(typ), reflect.New(typ)
	if !r.fill(op.Output, nil, v.Elem(), 0) || streams(op.Output) {
		return
	}
	var to wire.Response
	if err := codecs.For(p).Encode(&wire.Answer{Protocol: p, Service: op.Service, Operation: op, RequestID: "r"}, v.Interface(), &to); err != nil {
		t.Errorf("%s (%d): %v", op.Name, p, err)
		return
	}
	if to.Stream != nil {
		to.Body, _ = io.ReadAll(to.Stream)
		v.Elem().FieldByName(payload(op.Output).GoName()).Set(reflect.ValueOf(io.NopCloser(bytes.NewReader(to.Body))))
	}
	body := to.Body
	if string(body) == "{}" && p == aws.RESTJSON {
		body = nil
	}
	mirror, as := *op, p
	mirror.Input = op.Output
	switch p {
	case aws.AWSQuery: // what is within the result is XML as restXml has it
		as = aws.RESTXML
		if op.ResultWrapper != "" {
			from := strings.Index(string(body), "<"+op.ResultWrapper)
			to := strings.LastIndex(string(body), "</"+op.ResultWrapper+">") + len("</"+op.ResultWrapper+">")
			body = body[from:to]
		}
	case aws.EC2Query:
		as = aws.RESTXML
	}
	req := &wire.Request{Header: wire.HTTPHeader(to.Header), Body: bytes.NewReader(body)}
	delete(to.Header, "Accept")
	if op.UnwrappedOutput {
		return
	}
	// Constraints hold for inputs alone; an output's are checked by nobody.
	mirror.Input = unconstrained(op.Output)
	for _, m := range op.Output.Members {
		if m.Location == aws.InStatus {
			v.Elem().FieldByName(m.GoName()).SetZero()
		}
	}
	if err := codecs.For(as).Decode(&mirror, req, body, nil, again.Interface()); err != nil {
		t.Errorf("%s (%d): %v\n%.3000s", op.Name, p, err, to.Body)
		return
	}
	if err := same(op.Output, v.Elem(), again.Elem()); err != nil {
		t.Errorf("%s (%d) answer: %v\n%.3000s", op.Name, p, err, to.Body)
	}
}

func streams(s *aws.Shape) bool {
	for _, m := range s.Members {
		if m.Shape.EventStream {
			return true
		}
	}
	return false
}

// unconstrained is s with no member of its own required: what a status gives
// is not in the request that a test makes of an answer.
func unconstrained(s *aws.Shape) *aws.Shape {
	c := *s
	c.Members = nil
	for _, m := range s.Members {
		o := *m
		o.Required = false
		c.Members = append(c.Members, &o)
	}
	return &c
}

// same compares two values of a shape: absent and empty lists are alike, as
// some protocols have it, and floats of the same bits are.
func same(s *aws.Shape, a, b reflect.Value) error {
	if a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			if a.IsNil() && b.IsNil() || s.Kind == aws.Structure && empty(a) && empty(b) {
				return nil
			}
			return fmt.Errorf("one is absent: %v, %v", a, b)
		}
		a, b = a.Elem(), b.Elem()
	}
	switch s.Kind {
	case aws.Structure, aws.Union:
		for _, m := range s.Members {
			if m.Shape.EventStream {
				continue
			}
			if err := same(m.Shape, a.FieldByName(m.GoName()), b.FieldByName(m.GoName())); err != nil {
				return fmt.Errorf("%s.%w", m.Name, err)
			}
		}
		return nil
	case aws.List:
		if a.Len() != b.Len() {
			return fmt.Errorf("[] %v, %v", a, b)
		}
		for i := range a.Len() {
			if err := same(s.Elem.Shape, a.Index(i), b.Index(i)); err != nil {
				return fmt.Errorf("[%d]%w", i, err)
			}
		}
		return nil
	case aws.Map:
		if a.Len() != b.Len() {
			return fmt.Errorf("{} %v, %v", a, b)
		}
		for _, key := range a.MapKeys() {
			e := b.MapIndex(key)
			if !e.IsValid() {
				return fmt.Errorf("{%s} is gone", key)
			}
			if err := same(s.Elem.Shape, a.MapIndex(key), e); err != nil {
				return fmt.Errorf("{%s}%w", key, err)
			}
		}
		return nil
	case aws.Blob:
		if a.Kind() == reflect.Interface {
			return sameStream(a, b)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			return fmt.Errorf(" %q, %q", a.Bytes(), b.Bytes())
		}
		return nil
	case aws.Timestamp:
		if x, y := a.Interface().(time.Time), b.Interface().(time.Time); !x.Equal(y) {
			return fmt.Errorf(" %v, %v", x, y)
		}
		return nil
	case aws.Float, aws.Double:
		if a.Float() == b.Float() || math.IsNaN(a.Float()) && math.IsNaN(b.Float()) {
			return nil
		}
	}
	if !reflect.DeepEqual(a.Interface(), b.Interface()) {
		return fmt.Errorf(" %v, %v", a, b)
	}
	return nil
}

// empty says whether a pointer to a structure shows nothing.
func empty(v reflect.Value) bool { return v.IsNil() || v.Elem().IsZero() }

func sameStream(a, b reflect.Value) error {
	read := func(v reflect.Value) []byte {
		if v.IsNil() {
			return nil
		}
		data, _ := io.ReadAll(v.Interface().(io.Reader))
		return data
	}
	if x, y := read(a), read(b); !bytes.Equal(x, y) {
		return fmt.Errorf(" %q, %q", x, y)
	}
	return nil
}
