// Package xmlenc writes values as XML by their plan.
package xmlenc

import (
	"encoding/base64"
	"reflect"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
	"github.com/garrison-security/garrison/wire/internal/xmltext"
)

// Open writes <name>.
func Open(b []byte, name string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	return append(b, '>')
}

// Close writes </name>.
func Close(b []byte, name string) []byte {
	b = append(b, '<', '/')
	b = append(b, name...)
	return append(b, '>')
}

// Element writes an element that holds a text.
func Element(b []byte, name, text string) []byte {
	return Close(xmltext.Append(Open(b, name), text), name)
}

// Message writes an error's text, which may repeat what a caller sent. What has no
// place in XML 1.0 becomes U+FFFD: a client that can't read an error learns nothing.
func Message(b []byte, text string) []byte {
	return Element(b, "Message", strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, text))
}

// begin writes a start tag that the plan made, and behind it those members of
// a structure that are attributes.
func begin(b []byte, tag wire.Tag, p *wire.Plan, v reflect.Value) []byte {
	b = append(b, tag.Open...)
	if p.Attributes {
		b = append(AppendAttributes(b, p, v), '>')
	}
	return b
}

// AppendAttributes writes those members of the structure v that are attributes.
func AppendAttributes(b []byte, p *wire.Plan, v reflect.Value) []byte {
	for i := range p.Fields {
		f := &p.Fields[i]
		if !f.Member.XMLAttribute {
			continue
		}
		if fv, ok := f.Get(v); ok {
			b = append(append(b, ' '), f.Member.WireName()...)
			b = append(b, '=', '"')
			b = appendScalar(b, f.Member, f.Plan, fv)
			b = append(b, '"')
		}
	}
	return b
}

// AppendMembers writes the members of the structure v that stand in the body.
func AppendMembers(b []byte, p *wire.Plan, v reflect.Value) []byte {
	for i := range p.Fields {
		f := &p.Fields[i]
		if !f.Answered() || f.Member.XMLAttribute {
			continue
		}
		if fv, ok := f.Get(v); ok {
			b = appendField(b, f, fv)
		}
	}
	return b
}

func appendField(b []byte, f *wire.Field, v reflect.Value) []byte {
	p := f.Plan
	switch {
	case !f.Flat:
		return appendElement(b, f.Tag, f.Member, p, v)
	case p.Shape.Kind == aws.List:
		return appendItems(b, f.Tag, p, v)
	}
	for _, key := range wire.SortedKeys(v) {
		b = append(b, f.Tag.Open...)
		b = appendEntry(b, p, key, v.MapIndex(key))
		b = append(b, f.Tag.Close...)
	}
	return b
}

// AppendElement writes v, a value of member m, in an element called name.
func AppendElement(b []byte, name string, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	return appendElement(b, wire.NewTag(name, m, p), m, p, v)
}

func appendElement(b []byte, tag wire.Tag, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	b = begin(b, tag, p, v)
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		b = AppendMembers(b, p, v)
	case aws.List:
		b = appendItems(b, p.ItemTag, p, v)
	case aws.Map:
		for _, key := range wire.SortedKeys(v) {
			b = append(b, "<entry>"...)
			b = appendEntry(b, p, key, v.MapIndex(key))
			b = append(b, "</entry>"...)
		}
	default:
		b = appendScalar(b, m, p, v)
	}
	return append(b, tag.Close...)
}

// appendItems writes the elements of the list v of plan p, each in tag.
func appendItems(b []byte, tag wire.Tag, p *wire.Plan, v reflect.Value) []byte {
	for i := range v.Len() {
		b = appendItem(b, tag, p, v.Index(i))
	}
	return b
}

// appendItem writes what a list or map of plan p holds.
func appendItem(b []byte, tag wire.Tag, p *wire.Plan, v reflect.Value) []byte {
	if p.ElemPointer {
		if v.IsNil() {
			return append(append(b, tag.Open...), tag.Close...)
		}
		v = v.Elem()
	}
	return appendElement(b, tag, p.Shape.Elem, p.Elem, v)
}

func appendEntry(b []byte, p *wire.Plan, key, v reflect.Value) []byte {
	b = appendElement(b, p.KeyTag, p.Shape.Key, p.Key, key)
	return appendItem(b, p.ItemTag, p, v)
}

func appendScalar(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	switch p.Shape.Kind {
	case aws.String:
		return xmltext.Append(b, v.String())
	case aws.Blob:
		if p.Stream {
			return b
		}
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case aws.Document:
		return xmltext.Append(b, string(jsontext.AppendAny(nil, v.Interface())))
	case aws.Timestamp:
		return wire.AppendTime(b, wire.Time(v), wire.Format(m, aws.ISO8601))
	}
	return wire.AppendText(b, p.Shape, v, aws.ISO8601)
}
