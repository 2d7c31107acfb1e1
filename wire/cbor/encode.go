package cbor

import (
	"encoding/binary"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// What needs no argument.
const (
	openMap = object<<5 | indefinite
	null    = simple<<5 | simpleNull
)

// appendHead writes the start of an item in its shortest form.
func appendHead(b []byte, major byte, arg uint64) []byte {
	major <<= 5
	switch {
	case arg < 24:
		return append(b, major|byte(arg))
	case arg <= math.MaxUint8:
		return append(b, major|24, byte(arg))
	case arg <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(arg))
	case arg <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), arg)
}

// appendText writes a text string. Bytes that are no UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return append(appendHead(b, text, uint64(len(s))), s...)
}

func appendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, negative, uint64(-1-n))
	}
	return appendHead(b, unsigned, uint64(n))
}

func appendFloat32(b []byte, f float32) []byte {
	return binary.BigEndian.AppendUint32(append(b, simple<<5|float32bits), math.Float32bits(f))
}

func appendFloat64(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, simple<<5|float64bits), math.Float64bits(f))
}

func appendBool(b []byte, is bool) []byte {
	if is {
		return append(b, simple<<5|simpleTrue)
	}
	return append(b, simple<<5|simpleFalse)
}

// appendStructure writes the structure v as a map of indefinite length, so that
// its members need not be counted first. What is an event stream is not written.
func appendStructure(b []byte, p *wire.Plan, v reflect.Value) []byte {
	return append(appendMembers(append(b, openMap), p, v), stop)
}

func appendMembers(b []byte, p *wire.Plan, v reflect.Value) []byte {
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Member.Shape.EventStream || f.Plan.Stream {
			continue
		}
		if fv, ok := f.Get(v); ok {
			b = appendText(b, f.Member.Name)
			b = appendValue(b, f.Plan, fv)
		}
	}
	return b
}

func appendValue(b []byte, p *wire.Plan, v reflect.Value) []byte {
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		return appendStructure(b, p, v)
	case aws.List:
		b = appendHead(b, array, uint64(v.Len()))
		for i := range v.Len() {
			b = appendElement(b, p, v.Index(i))
		}
		return b
	case aws.Map:
		b = appendHead(b, object, uint64(v.Len()))
		for _, key := range wire.SortedKeys(v) {
			b = appendText(b, key.String())
			b = appendElement(b, p, v.MapIndex(key))
		}
		return b
	case aws.String:
		return appendText(b, v.String())
	case aws.Blob:
		return append(appendHead(b, byteText, uint64(v.Len())), v.Bytes()...)
	case aws.Boolean:
		return appendBool(b, v.Bool())
	case aws.Integer, aws.Long:
		return appendInt(b, v.Int())
	case aws.Float:
		return appendFloat32(b, float32(v.Float()))
	case aws.Double:
		return appendFloat64(b, v.Float())
	case aws.Timestamp:
		return appendFloat64(appendHead(b, tag, epochTime), float64(wire.Time(v).UnixMilli())/1000)
	case aws.Document:
		return appendAny(b, v.Interface())
	}
	return append(b, null)
}

func appendElement(b []byte, p *wire.Plan, v reflect.Value) []byte {
	if p.Shape.Sparse && v.IsNil() { // sparse: a pointer, or what has a nil of its own
		return append(b, null)
	}
	if p.ElemPointer {
		v = v.Elem()
	}
	return appendValue(b, p.Elem, v)
}

// appendAny writes a document: nil, bool, a number, string, []any or
// map[string]any, its keys in order. Anything else is written as null.
func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return appendBool(b, v)
	case string:
		return appendText(b, v)
	case int:
		return appendInt(b, int64(v))
	case int32:
		return appendInt(b, int64(v))
	case int64:
		return appendInt(b, v)
	case float32:
		return appendFloat32(b, v)
	case float64:
		return appendFloat64(b, v)
	case []any:
		b = appendHead(b, array, uint64(len(v)))
		for _, e := range v {
			b = appendAny(b, e)
		}
		return b
	case map[string]any:
		b = appendHead(b, object, uint64(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b = appendText(b, key)
			b = appendAny(b, v[key])
		}
		return b
	}
	return append(b, null)
}
