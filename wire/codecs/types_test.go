package codecs_test

import (
	"io"
	"reflect"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// goTypes makes the Go types of shapes at run time, as the generator writes
// them. Such types can't be recursive: a shape that holds itself is unrolled,
// and from some depth on its recursive members are left out of the shape too.
type goTypes struct {
	unroll int
	free   bool                // without constraints
	made   map[*aws.Shape]made // of shapes that hold no recursion
	stack  []*aws.Shape
	cyclic map[*aws.Shape]bool
}

type made struct {
	shape *aws.Shape
	typ   reflect.Type
}

func newTypes(unroll int) *goTypes {
	return &goTypes{unroll: unroll, made: map[*aws.Shape]made{}, cyclic: map[*aws.Shape]bool{}}
}

// operation is op with its input and output unrolled.
func (g *goTypes) operation(op *aws.Operation) (unrolled *aws.Operation, in, out reflect.Type) {
	u := *op
	in, out = reflect.TypeFor[struct{}](), reflect.TypeFor[struct{}]()
	if op.Input != nil {
		u.Input, in, _ = g.of(op.Input)
	}
	if op.Output != nil {
		u.Output, out, _ = g.of(op.Output)
	}
	return &u, in, out
}

var scalarTypes = map[aws.ShapeKind]reflect.Type{
	aws.String: reflect.TypeFor[string](), aws.Boolean: reflect.TypeFor[bool](), aws.Integer: reflect.TypeFor[int32](),
	aws.Long: reflect.TypeFor[int64](), aws.Float: reflect.TypeFor[float32](), aws.Double: reflect.TypeFor[float64](),
	aws.Timestamp: reflect.TypeFor[time.Time](), aws.Document: reflect.TypeFor[any](),
}

// of is the shape, unrolled, and its Go type; false where the recursion ends.
func (g *goTypes) of(s *aws.Shape) (*aws.Shape, reflect.Type, bool) {
	if m, ok := g.made[s]; ok {
		return m.shape, m.typ, true
	}
	if g.free && s.Kind >= aws.String {
		free := *s
		free.HasMin, free.HasMax, free.Pattern, free.Enum = false, false, "", nil
		s = &free
	}
	switch {
	case s.Kind == aws.Blob && s.Streaming:
		return s, reflect.TypeFor[io.ReadCloser](), true
	case s.Kind == aws.Blob:
		return s, reflect.TypeFor[[]byte](), true
	case scalarTypes[s.Kind] != nil:
		return s, scalarTypes[s.Kind], true
	}
	times := 0
	for _, outer := range g.stack {
		if outer == s {
			times++
		}
	}
	if times > 0 {
		for i := len(g.stack) - 1; i >= 0 && g.stack[i] != s; i-- {
			g.cyclic[g.stack[i]] = true
		}
		g.cyclic[s] = true
	}
	if times > g.unroll {
		return nil, nil, false
	}
	g.stack = append(g.stack, s)
	shape, typ, ok := g.compound(s)
	g.stack = g.stack[:len(g.stack)-1]
	if ok && !g.cyclic[s] {
		g.made[s] = made{shape, typ}
	}
	return shape, typ, ok
}

func (g *goTypes) compound(s *aws.Shape) (*aws.Shape, reflect.Type, bool) {
	c := *s
	if g.free {
		c.HasMin, c.HasMax, c.UniqueItems = false, false, false
	}
	switch s.Kind {
	case aws.List, aws.Map:
		elem := *s.Elem
		shape, typ, ok := g.of(s.Elem.Shape)
		if !ok {
			return nil, nil, false
		}
		elem.Shape, c.Elem = shape, &elem
		if s.Sparse {
			typ = reflect.PointerTo(typ)
		}
		if s.Kind == aws.List {
			return &c, reflect.SliceOf(typ), true
		}
		if g.free {
			key := *s.Key
			key.Shape, _, _ = g.of(s.Key.Shape)
			c.Key = &key
		}
		return &c, reflect.MapOf(reflect.TypeFor[string](), typ), true
	}
	c.Members = nil
	var fields []reflect.StructField
	for _, m := range s.Members {
		shape, typ, ok := g.of(m.Shape)
		if !ok {
			continue
		}
		if m.Streaming && shape.Kind == aws.Blob {
			typ = reflect.TypeFor[io.ReadCloser]()
		}
		unrolled := *m
		unrolled.Shape = shape
		c.Members = append(c.Members, &unrolled)
		switch {
		case m.Shape.EventStream:
			yield := reflect.FuncOf([]reflect.Type{reflect.PointerTo(typ), reflect.TypeFor[error]()}, []reflect.Type{reflect.TypeFor[bool]()}, false)
			typ = reflect.FuncOf([]reflect.Type{yield}, nil, false)
		case shape.Kind == aws.Structure || shape.Kind == aws.Union,
			scalarTypes[shape.Kind] != nil && shape.Kind != aws.Document && !m.Required:
			typ = reflect.PointerTo(typ)
		}
		fields = append(fields, reflect.StructField{Name: m.GoName(), Type: typ})
	}
	return &c, reflect.StructOf(fields), true
}
