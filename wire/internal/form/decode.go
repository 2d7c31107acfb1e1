package form

import (
	"encoding/base64"
	"reflect"
	"strconv"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Style is how a protocol names parameters.
type Style struct {
	// Name is the parameter of a structure's member.
	Name func(f *wire.Field) string
	// FlatAll: no list has a name for its elements between its own and their number.
	FlatAll bool
}

// Decode fills v, a structure of plan p, from values.
func Decode(in *wire.Input, style *Style, values Values, p *wire.Plan, v reflect.Value) error {
	d := decoder{in: in, style: style, values: values}
	d.name = d.buf[:0]
	return d.structure(values, p, v)
}

type decoder struct {
	in     *wire.Input
	style  *Style
	values Values
	name   []byte // of the parameter that is being read
	buf    [96]byte
}

func (d *decoder) malformed(what string) error {
	return wire.Malformed("Parameter " + string(d.name) + " is not " + what + ".")
}

// structure fills v from the parameters below d.name, all of which are in scope.
func (d *decoder) structure(scope Values, p *wire.Plan, v reflect.Value) error {
	var seen wire.Seen
	base, set := len(d.name), 0
	for i := range p.Fields {
		if len(scope) == 0 {
			break
		}
		f := &p.Fields[i]
		if base > 0 {
			d.name = append(d.name[:base], '.')
		}
		d.name = append(d.name, d.style.Name(f)...)
		found, err := d.field(scope, f, v)
		d.name = d.name[:base]
		if err != nil {
			return err
		}
		if found {
			seen.Mark(i)
			set++
		}
	}
	if p.Shape.Kind == aws.Union && set != 1 {
		return d.malformed("a union with exactly one member set")
	}
	d.in.Done(p, &seen)
	return nil
}

// field fills one member of the struct v, if it is there.
func (d *decoder) field(scope Values, f *wire.Field, v reflect.Value) (bool, error) {
	text, present := scope.Get(d.name)
	if f.Plan.Shape.Kind >= aws.String {
		if !present {
			return false, nil
		}
		return true, d.scalar(f.Member, f.Plan, text, f.New(v))
	}
	d.name = append(d.name, '.')
	scope = scope.Under(d.name)
	d.name = d.name[:len(d.name)-1]
	if len(scope) == 0 && !present {
		return false, nil
	}
	if len(text) > 0 {
		return false, d.malformed("a single value")
	}
	if err := d.in.Enter(f); err != nil {
		return false, err
	}
	defer d.in.Leave()
	return d.compound(scope, f.Flat, f.Plan, present, func() reflect.Value { return f.New(v) })
}

// compound fills a structure, list or map from the parameters below d.name.
// present: the parameter called d.name itself came, empty.
func (d *decoder) compound(scope Values, flat bool, p *wire.Plan, present bool, target func() reflect.Value) (bool, error) {
	switch p.Shape.Kind {
	case aws.List:
		return d.list(scope, flat, p, present, target)
	case aws.Map:
		return d.entries(scope, flat, p, present, target)
	}
	if err := d.in.Spend(p.Type); err != nil {
		return false, err
	}
	return true, d.structure(scope, p, target())
}

func (d *decoder) list(scope Values, flat bool, p *wire.Plan, present bool, target func() reflect.Value) (bool, error) {
	base := len(d.name)
	defer func() { d.name = d.name[:base] }()
	if !flat && !d.style.FlatAll {
		d.name = append(append(d.name, '.'), p.ItemName...)
	}
	d.name = append(d.name, '.')
	scope = scope.Under(d.name)
	numbers := scope.Numbers(d.name)
	if len(numbers) == 0 && !present {
		return false, nil
	}
	for range numbers {
		if err := d.in.Spend(p.Elem.Type); err != nil {
			return false, err
		}
	}
	v := target()
	v.Set(reflect.MakeSlice(v.Type(), len(numbers), len(numbers)))
	stem := len(d.name)
	for i, n := range numbers {
		d.name = strconv.AppendInt(d.name[:stem], int64(n), 10)
		if err := d.in.EnterIndex(i); err != nil {
			return false, err
		}
		if err := d.element(scope, p.Shape.Elem, p, v.Index(i)); err != nil {
			return false, err
		}
		d.in.Leave()
	}
	return true, nil
}

// element fills what a list or map of plan p holds from the parameters at d.name.
func (d *decoder) element(scope Values, m *aws.Member, p *wire.Plan, v reflect.Value) error {
	if p.ElemPointer {
		v.Set(reflect.New(p.Elem.Type))
		v = v.Elem()
	}
	text, present := scope.Get(d.name)
	if p.Elem.Shape.Kind >= aws.String {
		if !present {
			return d.malformed("a value")
		}
		return d.scalar(m, p.Elem, text, v)
	}
	if len(text) > 0 {
		return d.malformed("a single value")
	}
	d.name = append(d.name, '.')
	below := scope.Under(d.name)
	d.name = d.name[:len(d.name)-1]
	_, err := d.compound(below, p.Elem.Shape.Flattened, p.Elem, true, func() reflect.Value { return v })
	return err
}

func (d *decoder) entries(scope Values, flat bool, p *wire.Plan, present bool, target func() reflect.Value) (bool, error) {
	base := len(d.name)
	defer func() { d.name = d.name[:base] }()
	if !flat {
		d.name = append(d.name, ".entry"...)
	}
	d.name = append(d.name, '.')
	scope = scope.Under(d.name)
	numbers := scope.Numbers(d.name)
	if len(numbers) == 0 && !present {
		return false, nil
	}
	v := target()
	v.Set(reflect.MakeMapWithSize(v.Type(), len(numbers)))
	stem := len(d.name)
	for _, n := range numbers {
		if err := d.in.Spend(p.Elem.Type); err != nil {
			return false, err
		}
		d.name = append(strconv.AppendInt(d.name[:stem], int64(n), 10), '.')
		entry := len(d.name)
		d.name = append(d.name, p.KeyName...)
		text, ok := scope.Get(d.name)
		if !ok {
			return false, d.malformed("given, though its value is")
		}
		key := reflect.New(p.Key.Type).Elem()
		key.SetString(string(text))
		if v.MapIndex(key).IsValid() {
			return false, d.malformed("a key of its own")
		}
		d.name = append(d.name[:entry], p.ValueName...)
		if err := d.in.EnterKey(key.String()); err != nil {
			return false, err
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.element(scope, p.Shape.Elem, p, value); err != nil {
			return false, err
		}
		d.in.Leave()
		v.SetMapIndex(key, value)
	}
	return true, nil
}

func (d *decoder) scalar(m *aws.Member, p *wire.Plan, text []byte, v reflect.Value) error {
	switch p.Shape.Kind {
	case aws.Blob:
		blob := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Strict().Decode(blob, text)
		if err != nil || p.Stream {
			return d.malformed("base64")
		}
		v.SetBytes(blob[:n])
		return nil
	case aws.String:
		v.SetString(string(text))
		return nil
	}
	if !wire.SetText(p.Shape, v, string(text), wire.Format(m, aws.ISO8601)) {
		return d.malformed(noun(p.Shape))
	}
	return nil
}

func noun(s *aws.Shape) string {
	switch s.Kind {
	case aws.Boolean:
		return "true or false"
	case aws.Timestamp:
		return "a timestamp"
	case aws.Integer, aws.Long:
		return "an integer"
	}
	return "a number"
}
