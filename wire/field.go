package wire

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Named is the index in Fields of the member with that name of its own, or -1.
// Case counts.
func (p *Plan) Named(name []byte) int {
	if i, ok := p.byName[string(name)]; ok {
		return i
	}
	return -1
}

// Element is the index in Fields of the member of the body with that wire
// name, or -1. Case counts.
func (p *Plan) Element(name []byte) int {
	if i, ok := p.byWire[string(name)]; ok {
		return i
	}
	return -1
}

// Payload is the field that is the whole body, or nil.
func (p *Plan) Payload() *Field {
	if p.payload < 0 {
		return nil
	}
	return &p.Fields[p.payload]
}

// Events is the field that streams events, or nil.
func (p *Plan) Events() *Field {
	for i := range p.Fields {
		if p.Fields[i].Member.Shape.EventStream {
			return &p.Fields[i]
		}
	}
	return nil
}

// Answered says whether an answer has the field in its body. Where a model puts
// a member of an output in the path or the query string, which no answer has,
// the trait is passed over.
func (f *Field) Answered() bool {
	switch f.Member.Location {
	case aws.InBody, aws.InURI, aws.InQuery:
		return !f.Member.Shape.EventStream
	}
	return false
}

// Index is where f, a field of p, stands in Fields.
func (p *Plan) Index(f *Field) int { return p.byName[f.Member.Name] }

// Get is the field's value in the struct v, and whether it is present.
func (f *Field) Get(v reflect.Value) (reflect.Value, bool) {
	fv := v.Field(f.Index)
	if f.Pointer {
		if fv.IsNil() {
			return fv, false
		}
		return fv.Elem(), true
	}
	switch fv.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface, reflect.Func:
		return fv, !fv.IsNil()
	}
	return fv, true
}

// New makes the field present in the struct v, and is the value to fill.
func (f *Field) New(v reflect.Value) reflect.Value {
	fv := v.Field(f.Index)
	if f.Pointer {
		p := reflect.New(f.Plan.Type)
		fv.Set(p)
		return p.Elem()
	}
	return fv
}

func lowerFirst(name string) string {
	if name == "" || name[0] < 'A' || name[0] > 'Z' {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

func upperFirst(name string) string {
	return strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
}

func jsonKey(name string) []byte { return append(strconv.AppendQuote(nil, name), ':') }

// OutputPlan binds an operation's output to the type of out, a pointer to its
// struct. The value is the struct.
func OutputPlan(op *aws.Operation, out any) (*Plan, reflect.Value, error) {
	return structPlan(op.Output, out)
}

// InputPlan binds an operation's input to the type of in, a pointer to its struct.
func InputPlan(op *aws.Operation, in any) (*Plan, reflect.Value, error) {
	return structPlan(op.Input, in)
}

// emptyShape stands for the input or output that an operation does not have.
var emptyShape = &aws.Shape{Name: "Empty", Kind: aws.Structure}

func structPlan(shape *aws.Shape, ptr any) (*Plan, reflect.Value, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, v, fmt.Errorf("wire: %T is no pointer to a struct", ptr)
	}
	if shape == nil {
		shape = emptyShape
	}
	p, err := PlanOf(shape, v.Type())
	return p, v.Elem(), err
}
