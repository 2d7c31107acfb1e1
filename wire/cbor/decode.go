package cbor

import (
	"math"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// decoder reads values by their plan. A value that is of another kind than its
// shape is refused; only numbers give way, an integer or a float of any width
// standing for a float.
type decoder struct {
	reader
	in wire.Input
}

var errDuplicate = wire.Malformed("The request's body gives a member more than once.")

// body fills v, the structure of plan p, from the whole of data.
func (d *decoder) body(p *wire.Plan, v reflect.Value) error {
	h, err := d.head()
	if err != nil {
		return err
	}
	if h.major != object {
		return unexpected(p)
	}
	if err := d.structure(h, p, v); err != nil {
		return err
	}
	if d.pos != len(d.data) {
		return errSyntax
	}
	return nil
}

func unexpected(p *wire.Plan) error {
	return wire.Malformed("A value can not be converted to " + nouns[p.Shape.Kind] + ".")
}

var nouns = map[aws.ShapeKind]string{
	aws.Structure: "a structure", aws.Union: "a structure", aws.List: "a list", aws.Map: "a map", aws.String: "a String",
	aws.Boolean: "a Boolean", aws.Integer: "an Integer", aws.Long: "a Long", aws.Float: "a Float", aws.Double: "a Double",
	aws.Timestamp: "a Timestamp", aws.Blob: "a Blob", aws.Document: "a document",
}

// name reads the key of a map.
func (d *decoder) name() ([]byte, error) {
	h, err := d.head()
	if err != nil {
		return nil, err
	}
	if h.major != text {
		return nil, wire.Malformed("The keys of a map must be strings.")
	}
	return d.bytes(h)
}

func (d *decoder) structure(h head, p *wire.Plan, v reflect.Value) error {
	if _, err := d.room(h, 2); err != nil {
		return err
	}
	var came, seen wire.Seen // named at all; named with a value
	set := 0
	for i := 0; d.more(h, i); i++ {
		name, err := d.name()
		if err != nil {
			return err
		}
		at := p.Named(name)
		value, err := d.head()
		if err != nil {
			return err
		}
		if at < 0 {
			if p.Shape.Kind == aws.Union && string(name) != "__type" && !value.null() {
				return wire.Malformed("Unknown member of a union.")
			}
			if err := d.skip(value, d.in.Room()); err != nil {
				return err
			}
			continue
		}
		if came.Mark(at) {
			return errDuplicate
		}
		if value.null() {
			continue
		}
		seen.Mark(at)
		set++
		if err := d.member(value, &p.Fields[at], v); err != nil {
			return err
		}
	}
	if p.Shape.Kind == aws.Union && set != 1 {
		return wire.Malformed("A union must have exactly one member set.")
	}
	d.in.Done(p, &seen)
	return nil
}

func (d *decoder) member(h head, f *wire.Field, v reflect.Value) error {
	if f.Pointer {
		if err := d.in.Spend(f.Plan.Type); err != nil {
			return err
		}
	}
	if err := d.in.Enter(f); err != nil {
		return err
	}
	defer d.in.Leave()
	return d.value(h, f.Plan, f.New(v))
}

// value fills v from the item that began with h.
func (d *decoder) value(h head, p *wire.Plan, v reflect.Value) error {
	ok := false
	switch p.Shape.Kind {
	case aws.Structure:
		if h.major == object {
			return d.structure(h, p, v)
		}
	case aws.Union:
		if h.major == object && !p.Shape.EventStream {
			return d.structure(h, p, v)
		}
	case aws.List:
		if h.major == array {
			return d.list(h, p, v)
		}
	case aws.Map:
		if h.major == object {
			return d.entries(h, p, v)
		}
	case aws.String:
		if h.major == text {
			b, err := d.bytes(h)
			v.SetString(string(b))
			return err
		}
	case aws.Blob:
		if h.major == byteText && !p.Stream {
			b, err := d.bytes(h)
			v.SetBytes(append(make([]byte, 0, len(b)), b...))
			return err
		}
	case aws.Document:
		doc, err := d.document(h, d.in.Room())
		if err == nil && doc != nil {
			v.Set(reflect.ValueOf(doc))
		}
		return err
	case aws.Boolean:
		if ok = h.major == simple && (h.info == simpleTrue || h.info == simpleFalse); ok {
			v.SetBool(h.info == simpleTrue)
		}
	case aws.Integer, aws.Long:
		var n int64
		bits := wire.IntBits(p.Shape)
		if n, ok = h.integer(); ok {
			if ok = n>>(bits-1) == 0 || n>>(bits-1) == -1; ok {
				v.SetInt(n)
			}
		}
	case aws.Float, aws.Double:
		ok = setFloat(h, p.Shape, v)
	case aws.Timestamp:
		return d.timestamp(h, p, v)
	}
	if !ok {
		return unexpected(p)
	}
	return nil
}

// number is the value of a float or an integer.
func (h head) number() (float64, bool) {
	if h.major > negative {
		return h.float()
	}
	if h.major == negative {
		return -1 - float64(h.arg), true
	}
	return float64(h.arg), true
}

// setFloat sets v from a number of any width. A double may lose digits in a
// float, as clients that know one kind of number send them, but not its size.
func setFloat(h head, shape *aws.Shape, v reflect.Value) bool {
	f, ok := h.number()
	if !ok || wire.FloatBits(shape) == 32 && !math.IsInf(f, 0) && math.IsInf(float64(float32(f)), 0) {
		return false
	}
	v.SetFloat(f)
	return true
}

// timestamp reads seconds since 1970, which the protocol always tags.
func (d *decoder) timestamp(h head, p *wire.Plan, v reflect.Value) error {
	if h.major != tag || h.arg != epochTime {
		return unexpected(p)
	}
	h, err := d.head()
	if err != nil {
		return err
	}
	f, ok := h.number()
	if !ok {
		return unexpected(p)
	}
	t, ok := wire.EpochTime(f)
	if !ok {
		return unexpected(p)
	}
	wire.SetTime(v, t)
	return nil
}

func (d *decoder) list(h head, p *wire.Plan, v reflect.Value) error {
	n, err := d.room(h, 1)
	if err != nil {
		return err
	}
	for range n {
		if err := d.in.Spend(p.Elem.Type); err != nil {
			return err
		}
	}
	v.Set(reflect.MakeSlice(p.Type, 0, n))
	for i := 0; d.more(h, i); i++ {
		if i >= n {
			if err := d.in.Spend(p.Elem.Type); err != nil {
				return err
			}
		}
		if i >= v.Cap() {
			v.Grow(max(i, 4))
		}
		v.SetLen(i + 1)
		value, err := d.head()
		if err != nil {
			return err
		}
		if err := d.in.EnterIndex(i); err != nil {
			return err
		}
		if err := d.element(value, p, v.Index(i)); err != nil {
			return err
		}
		d.in.Leave()
	}
	return nil
}

// element reads what a list or map of plan p holds. Null stands only where the
// model says so.
func (d *decoder) element(h head, p *wire.Plan, v reflect.Value) error {
	v.SetZero()
	if p.Shape.Sparse && h.null() {
		return nil
	}
	if p.ElemPointer {
		v.Set(reflect.New(p.Elem.Type))
		v = v.Elem()
	}
	return d.value(h, p.Elem, v)
}

func (d *decoder) entries(h head, p *wire.Plan, v reflect.Value) error {
	n, err := d.room(h, 2)
	if err != nil {
		return err
	}
	for range n {
		if err := d.in.Spend(p.Elem.Type); err != nil {
			return err
		}
	}
	m := reflect.MakeMapWithSize(p.Type, n)
	v.Set(m)
	key := reflect.New(p.Type.Key()).Elem()
	value := reflect.New(p.Type.Elem()).Elem()
	for i := 0; d.more(h, i); i++ {
		if i >= n {
			if err := d.in.Spend(p.Elem.Type); err != nil {
				return err
			}
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		key.SetString(string(name))
		if m.MapIndex(key).IsValid() {
			return errDuplicate
		}
		item, err := d.head()
		if err != nil {
			return err
		}
		if err := d.in.EnterKey(key.String()); err != nil {
			return err
		}
		if err := d.element(item, p, value); err != nil {
			return err
		}
		d.in.Leave()
		m.SetMapIndex(key, value)
	}
	return nil
}
