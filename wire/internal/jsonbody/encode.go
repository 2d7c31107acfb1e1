package jsonbody

import (
	"encoding/base64"
	"reflect"
	"strconv"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

// AppendMembers writes the members of the structure v, without its braces,
// behind what the object already holds.
func (s Style) AppendMembers(b []byte, p *wire.Plan, v reflect.Value) []byte {
	for i := range p.Fields {
		f := &p.Fields[i]
		if s.REST && !f.Answered() || f.Member.Shape.EventStream {
			continue
		}
		if fv, ok := f.Get(v); ok {
			b = s.appendMember(b, f, fv)
		}
	}
	return b
}

func (s Style) appendMember(b []byte, f *wire.Field, v reflect.Value) []byte {
	if n := len(b); n > 0 && b[n-1] != '{' {
		b = append(b, ',')
	}
	if s.REST {
		b = append(b, f.RESTKey...)
	} else {
		b = append(b, f.JSONKey...)
	}
	return s.Append(b, f.Member, f.Plan, v)
}

// Append writes v, a value of member m.
func (s Style) Append(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		b = append(b, '{')
		b = s.AppendMembers(b, p, v)
		return append(b, '}')
	case aws.List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = s.appendElement(b, p, v.Index(i))
		}
		return append(b, ']')
	case aws.Map:
		b = append(b, '{')
		for i, key := range wire.SortedKeys(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsontext.AppendString(b, key.String()), ':')
			b = s.appendElement(b, p, v.MapIndex(key))
		}
		return append(b, '}')
	case aws.String:
		return jsontext.AppendString(b, v.String())
	case aws.Boolean:
		return strconv.AppendBool(b, v.Bool())
	case aws.Integer, aws.Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case aws.Float, aws.Double:
		return jsontext.AppendNumber(b, v.Float(), wire.FloatBits(p.Shape))
	case aws.Timestamp:
		if format := wire.Format(m, aws.UnixTime); format != aws.UnixTime {
			b = append(b, '"')
			b = wire.AppendTime(b, wire.Time(v), format)
			return append(b, '"')
		}
		return wire.AppendTime(b, wire.Time(v), aws.UnixTime)
	case aws.Blob:
		b = append(b, '"')
		if !p.Stream {
			b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		}
		return append(b, '"')
	case aws.Document:
		return jsontext.AppendAny(b, v.Interface())
	}
	return append(b, "null"...)
}

func (s Style) appendElement(b []byte, p *wire.Plan, v reflect.Value) []byte {
	if p.ElemPointer {
		if v.IsNil() {
			return append(b, "null"...)
		}
		v = v.Elem()
	}
	return s.Append(b, p.Shape.Elem, p.Elem, v)
}
