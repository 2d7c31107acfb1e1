// Package conform checks that generated Go types are what their schema says,
// as aws.Member.GoName states the rule. It is for tests: a codec may then rely
// on the rule.
package conform

import (
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Operation is an operation's name, with nil pointers of the types of its
// input and output.
type Operation struct {
	Name    string
	In, Out any
}

// Check compares a service's Go types with its schema and says where they
// differ. The operations must be all that the service has, and the errors too.
func Check(service *aws.Service, operations []Operation, errors []aws.Modelled) []string {
	c := &checker{seen: map[pair]bool{}}
	named := map[string]bool{}
	for _, op := range operations {
		named[op.Name] = true
		row := service.Operation(op.Name)
		if row == nil {
			c.report("%s: the schema has no operation %s", service.Name, op.Name)
			continue
		}
		c.root(op.Name+"Input", row.Input, reflect.TypeOf(op.In).Elem())
		c.root(op.Name+"Output", row.Output, reflect.TypeOf(op.Out).Elem())
	}
	for _, row := range service.Operations() {
		if !named[row.Name] {
			c.report("%s: operation %s has no types", service.Name, row.Name)
		}
		if row.EventName == "" || row.Method == "" || row.Status == 0 {
			c.report("%s: operation %s lacks event name, method or status", service.Name, row.Name)
		}
		for _, shape := range row.Errors {
			if shape.Error == nil {
				c.report("%s: %s lists %s, which is no error", service.Name, row.Name, shape.Name)
			}
		}
	}
	for _, err := range errors {
		shape := service.Shape(err.ErrorShape())
		if shape == nil || shape.Error == nil {
			c.report("%T: the schema has no error %s", err, err.ErrorShape())
			continue
		}
		c.structure(shape, reflect.TypeOf(err).Elem())
		c.message(err)
	}
	return c.wrong
}

type pair struct {
	shape *aws.Shape
	typ   reflect.Type
}

type checker struct {
	seen  map[pair]bool
	wrong []string
}

func (c *checker) report(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// root checks an input or output; where the model has none the struct is empty.
func (c *checker) root(name string, shape *aws.Shape, t reflect.Type) {
	if shape != nil {
		c.structure(shape, t)
	} else if t.Kind() != reflect.Struct || t.NumField() != 0 {
		c.report("%s is %v, want an empty struct", name, t)
	}
}

// message checks that the field Message is what the error says.
func (c *checker) message(err aws.Modelled) {
	field := reflect.ValueOf(err).Elem().FieldByName("Message")
	if field.Kind() != reflect.String {
		c.report("%T has no string Message", err)
		return
	}
	field.SetString("said")
	if err.ErrorText() != "said" || !strings.HasSuffix(err.Error(), ": said") {
		c.report("%T does not say its message", err)
	}
}

// structure checks that a struct has the fields of the shape's members, in
// order, and none else but an error's Message.
func (c *checker) structure(shape *aws.Shape, t reflect.Type) {
	if c.seen[pair{shape, t}] {
		return
	}
	c.seen[pair{shape, t}] = true
	if t.Kind() != reflect.Struct {
		c.report("%s is %v, want a struct", shape.Name, t)
		return
	}
	fields := reflect.VisibleFields(t)
	message := false
	for _, member := range shape.Members {
		message = message || member.GoName() == "Message"
	}
	if shape.Error != nil && !message && len(fields) > 0 && fields[0].Name == "Message" {
		fields = fields[1:]
	}
	if len(fields) != len(shape.Members) {
		c.report("%v has %d fields, the shape %s %d members", t, len(fields), shape.Name, len(shape.Members))
		return
	}
	for i, member := range shape.Members {
		if fields[i].Name != member.GoName() {
			c.report("%v.%s stands for the member %s, want %s", t, fields[i].Name, member.Name, member.GoName())
		}
		c.field(shape, member, t, fields[i])
	}
}

func (c *checker) field(shape *aws.Shape, member *aws.Member, t reflect.Type, field reflect.StructField) {
	where := fmt.Sprintf("%v.%s", t, field.Name)
	ft := field.Type
	switch s := member.Shape; {
	case shape.Error != nil && field.Name == "Message":
		c.same(where, ft, reflect.TypeFor[string]())
	case s.EventStream:
		c.eventStream(where, s, ft)
	case s.Kind == aws.Structure || s.Kind == aws.Union:
		if ft.Kind() != reflect.Pointer {
			c.report("%s is %v, want a pointer", where, ft)
			return
		}
		c.structure(s, ft.Elem())
	case s.Kind == aws.Blob && (s.Streaming || member.Streaming):
		c.same(where, ft, reflect.TypeFor[io.ReadCloser]())
	case s.Kind == aws.List || s.Kind == aws.Map || s.Kind == aws.Blob || s.Kind == aws.Document || member.Required:
		c.value(where, s, ft)
	case ft.Kind() != reflect.Pointer:
		c.report("%s is %v, want a pointer", where, ft)
	default:
		c.value(where, s, ft.Elem())
	}
}

// eventStream checks an iter.Seq2[*Union, error].
func (c *checker) eventStream(where string, s *aws.Shape, t reflect.Type) {
	pattern := reflect.TypeFor[iter.Seq2[*int, error]]()
	if t.Kind() != reflect.Func || t.PkgPath() != pattern.PkgPath() || !strings.HasPrefix(t.Name(), "Seq2[*") {
		c.report("%s is %v, want an iter.Seq2", where, t)
		return
	}
	c.structure(s, t.In(0).In(0).Elem())
}

// value checks the type of a value that stands for itself: a scalar, or what a
// list or map holds.
func (c *checker) value(where string, s *aws.Shape, t reflect.Type) {
	switch s.Kind {
	case aws.Structure, aws.Union:
		c.structure(s, t)
	case aws.List:
		if t.Kind() != reflect.Slice {
			c.report("%s is %v, want a slice", where, t)
			return
		}
		c.element(where+"[]", s, t.Elem())
	case aws.Map:
		if t.Kind() != reflect.Map || t.Key() != reflect.TypeFor[string]() {
			c.report("%s is %v, want a map of strings", where, t)
			return
		}
		c.element(where+"{}", s, t.Elem())
	case aws.String:
		named := t.PkgPath() != ""
		if t.Kind() != reflect.String || named != (len(s.Enum) > 0) {
			c.report("%s is %v, want a string, named if the shape is an enum", where, t)
		}
	default:
		c.same(where, t, scalars[s.Kind])
	}
}

func (c *checker) element(where string, collection *aws.Shape, t reflect.Type) {
	s := collection.Elem.Shape
	switch s.Kind {
	case aws.List, aws.Map, aws.Blob, aws.Document:
	default:
		if collection.Sparse {
			if t.Kind() != reflect.Pointer {
				c.report("%s is %v, want a pointer", where, t)
				return
			}
			t = t.Elem()
		}
	}
	c.value(where, s, t)
}

var scalars = map[aws.ShapeKind]reflect.Type{
	aws.Boolean: reflect.TypeFor[bool](), aws.Integer: reflect.TypeFor[int32](), aws.Long: reflect.TypeFor[int64](),
	aws.Float: reflect.TypeFor[float32](), aws.Double: reflect.TypeFor[float64](),
	aws.Timestamp: reflect.TypeFor[time.Time](), aws.Blob: reflect.TypeFor[[]byte](), aws.Document: reflect.TypeFor[any](),
}

func (c *checker) same(where string, got, want reflect.Type) {
	if got != want {
		c.report("%s is %v, want %v", where, got, want)
	}
}
