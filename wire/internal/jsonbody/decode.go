// Package jsonbody reads and writes values as JSON by their plan: the bodies of
// awsJson and restJson1.
package jsonbody

import (
	"errors"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

// Style is what the two protocols do differently.
type Style struct {
	REST bool // members are called by their locationName, and stand in the body only if no trait puts them elsewhere
}

// Decode fills v, a value of plan p, from the whole of body. The fields of a
// top structure that other parts of a request filled are marked in seen.
func (s Style) Decode(in *wire.Input, body []byte, p *wire.Plan, v reflect.Value, seen *wire.Seen) error {
	r, err := jsontext.NewReader(body)
	if err != nil {
		return word(err)
	}
	d := decoder{r: &r, in: in, style: s}
	if r.Peek() != jsontext.Object {
		return word(d.unexpected(nil))
	}
	if err := d.structure(p, v, seen); err != nil {
		return word(err)
	}
	if !r.End() {
		return word(jsontext.ErrSyntax)
	}
	return nil
}

// DecodeDocument reads the whole of body as a document.
func DecodeDocument(in *wire.Input, body []byte) (any, error) {
	r, err := jsontext.NewReader(body)
	if err != nil {
		return nil, word(err)
	}
	v, err := r.Any(wire.MaxDepth, func() error { return in.Spend(anyType) })
	if err == nil && !r.End() {
		err = jsontext.ErrSyntax
	}
	return v, word(err)
}

var anyType = reflect.TypeFor[any]()

// word turns what a reader answers into the error that callers see.
func word(err error) error {
	switch {
	case errors.Is(err, jsontext.ErrSyntax):
		return wire.Malformed("The request's body is not valid JSON.")
	case errors.Is(err, jsontext.ErrDuplicate):
		return wire.Malformed("The request's body gives a member more than once.")
	case errors.Is(err, jsontext.ErrDepth):
		return wire.Malformed("The request is nested too deeply.")
	}
	return err
}

type decoder struct {
	r     *jsontext.Reader
	in    *wire.Input
	style Style
	text  []byte
}

var kindNames = map[jsontext.Kind]string{
	jsontext.True: "TRUE_VALUE", jsontext.False: "FALSE_VALUE", jsontext.Number: "NUMBER_VALUE", jsontext.String: "STRING_VALUE",
}

// unexpected is the error for a value of another kind than a shape's.
func (d *decoder) unexpected(shape *aws.Shape) error {
	kind := d.r.Peek()
	switch kind {
	case jsontext.Invalid:
		return jsontext.ErrSyntax
	case jsontext.Object, jsontext.Array:
		return wire.Malformed("Start of structure or map found where not expected.")
	case jsontext.Null:
		return wire.Malformed("Null found where not expected.")
	}
	if err := d.r.Skip(wire.MaxDepth); err != nil {
		return err
	}
	return wire.Malformed(kindNames[kind] + " can not be converted to " + noun(shape))
}

func noun(s *aws.Shape) string {
	if s == nil {
		return "a structure"
	}
	switch s.Kind {
	case aws.String:
		return "a String"
	case aws.Boolean:
		return "a Boolean"
	case aws.Integer:
		return "an Integer"
	case aws.Long:
		return "a Long"
	case aws.Float, aws.Double:
		return "a Double"
	case aws.Timestamp:
		return "a Timestamp"
	case aws.Blob:
		return "a Blob"
	case aws.List:
		return "a list"
	case aws.Map:
		return "a map"
	}
	return "a structure"
}

func (d *decoder) structure(p *wire.Plan, v reflect.Value, seen *wire.Seen) error {
	var own wire.Seen
	if seen == nil {
		seen = &own
	}
	set := 0
	d.r.Open()
	for first := true; ; first = false {
		more, err := d.r.More(first, '}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		name, err := d.r.Name()
		if err != nil {
			return err
		}
		i := -1
		if d.style.REST {
			i = p.Element(name)
		} else {
			i = p.Named(name)
		}
		if i < 0 {
			if p.Shape.Kind == aws.Union && string(name) != "__type" && d.r.Peek() != jsontext.Null {
				return wire.Malformed("Unknown member of a union.")
			}
			if err := d.r.Skip(d.in.Room()); err != nil {
				return err
			}
			continue
		}
		if d.r.Peek() == jsontext.Null {
			if err := d.r.Literal(); err != nil {
				return err
			}
			continue
		}
		if seen.Mark(i) {
			return jsontext.ErrDuplicate
		}
		set++
		f := &p.Fields[i]
		if err := d.in.Enter(f); err != nil {
			return err
		}
		if f.Pointer {
			if err := d.in.Spend(f.Plan.Type); err != nil {
				return err
			}
		}
		if err := d.value(f.Member, f.Plan, f.New(v)); err != nil {
			return err
		}
		d.in.Leave()
	}
	if p.Shape.Kind == aws.Union && set != 1 {
		return wire.Malformed("A union must have exactly one member set.")
	}
	d.in.Done(p, seen)
	return nil
}

func (d *decoder) value(m *aws.Member, p *wire.Plan, v reflect.Value) error {
	kind := d.r.Peek()
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		if kind == jsontext.Object {
			return d.structure(p, v, nil)
		}
	case aws.List:
		if kind == jsontext.Array {
			return d.list(p, v)
		}
	case aws.Map:
		if kind == jsontext.Object {
			return d.entries(p, v)
		}
	case aws.Boolean:
		if kind == jsontext.True || kind == jsontext.False {
			v.SetBool(kind == jsontext.True)
			return d.r.Literal()
		}
	case aws.Integer, aws.Long:
		if kind == jsontext.Number {
			return d.integer(p, v)
		}
	case aws.Float, aws.Double:
		if kind == jsontext.Number || kind == jsontext.String {
			return d.float(p, v, kind)
		}
	case aws.String:
		if kind == jsontext.String {
			text, err := d.r.Text(d.text[:0])
			if err != nil {
				return err
			}
			v.SetString(string(text))
			return nil
		}
	case aws.Blob:
		if kind == jsontext.String && !p.Stream {
			return d.blob(v)
		}
	case aws.Timestamp:
		return d.timestamp(m, p, v, kind)
	case aws.Document:
		doc, err := d.r.Any(d.in.Room(), func() error { return d.in.Spend(anyType) })
		if err == nil && doc != nil {
			v.Set(reflect.ValueOf(doc))
		}
		return err
	}
	return d.unexpected(p.Shape)
}

func (d *decoder) list(p *wire.Plan, v reflect.Value) error {
	d.r.Open()
	v.Set(reflect.MakeSlice(p.Type, 0, 0))
	for i := 0; ; i++ {
		more, err := d.r.More(i == 0, ']')
		if err != nil || !more {
			return err
		}
		if err := d.in.Spend(p.Elem.Type); err != nil {
			return err
		}
		if i >= v.Cap() {
			v.Grow(max(i, 4))
		}
		v.SetLen(i + 1)
		if err := d.in.EnterIndex(i); err != nil {
			return err
		}
		if err := d.element(p.Shape.Elem, p, v.Index(i)); err != nil {
			return err
		}
		d.in.Leave()
	}
}

// element reads what a list or map of plan p holds. Null stands only where the
// model says so.
func (d *decoder) element(m *aws.Member, p *wire.Plan, v reflect.Value) error {
	v.SetZero()
	if p.ElemPointer {
		if d.r.Peek() == jsontext.Null {
			return d.r.Literal()
		}
		v.Set(reflect.New(p.Elem.Type))
		v = v.Elem()
	}
	return d.value(m, p.Elem, v)
}

func (d *decoder) entries(p *wire.Plan, v reflect.Value) error {
	d.r.Open()
	v.Set(reflect.MakeMap(p.Type))
	key := reflect.New(p.Type.Key()).Elem()
	value := reflect.New(p.Type.Elem()).Elem()
	for first := true; ; first = false {
		more, err := d.r.More(first, '}')
		if err != nil || !more {
			return err
		}
		name, err := d.r.Name()
		if err != nil {
			return err
		}
		if err := d.in.Spend(p.Elem.Type); err != nil {
			return err
		}
		key.SetString(string(name))
		if v.MapIndex(key).IsValid() {
			return jsontext.ErrDuplicate
		}
		if err := d.in.EnterKey(key.String()); err != nil {
			return err
		}
		if err := d.element(p.Shape.Elem, p, value); err != nil {
			return err
		}
		d.in.Leave()
		v.SetMapIndex(key, value)
	}
}
