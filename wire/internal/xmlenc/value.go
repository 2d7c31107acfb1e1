package xmlenc

import (
	"encoding/base64"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
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
	return Close(AppendText(Open(b, name), text), name)
}

// openWith writes the start tag of an element that holds a value of member m:
// with its namespace, and with those members of a structure that are attributes.
func openWith(b []byte, name string, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	b = append(b, '<')
	b = append(b, name...)
	ns, prefix := m.XMLNamespace, m.XMLPrefix
	if ns == "" {
		ns, prefix = m.Shape.XMLNamespace, m.Shape.XMLPrefix
	}
	b = AppendNamespace(b, ns, prefix)
	if p.Shape.Kind == aws.Structure || p.Shape.Kind == aws.Union {
		b = AppendAttributes(b, p, v)
	}
	return append(b, '>')
}

// AppendNamespace writes the attribute that declares ns, if there is one.
func AppendNamespace(b []byte, ns, prefix string) []byte {
	if ns == "" {
		return b
	}
	b = append(b, " xmlns"...)
	if prefix != "" {
		b = append(append(b, ':'), prefix...)
	}
	b = append(b, '=', '"')
	b = AppendText(b, ns)
	return append(b, '"')
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
		if f.Member.Location != aws.InBody || f.Member.XMLAttribute {
			continue
		}
		if fv, ok := f.Get(v); ok {
			b = appendField(b, f, fv)
		}
	}
	return b
}

func appendField(b []byte, f *wire.Field, v reflect.Value) []byte {
	if !f.Flat {
		return AppendElement(b, f.XMLName, f.Member, f.Plan, v)
	}
	p := f.Plan
	if p.Shape.Kind == aws.List {
		for i := range v.Len() {
			b = appendItem(b, f.XMLName, p, v.Index(i))
		}
		return b
	}
	for _, key := range wire.SortedKeys(v) {
		b = openWith(b, f.XMLName, f.Member, p, v)
		b = appendEntry(b, p, key, v.MapIndex(key))
		b = Close(b, f.XMLName)
	}
	return b
}

// AppendElement writes v, a value of member m, in an element called name.
func AppendElement(b []byte, name string, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	b = openWith(b, name, m, p, v)
	b = appendContent(b, m, p, v)
	return Close(b, name)
}

func appendContent(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		return AppendMembers(b, p, v)
	case aws.List:
		name := p.ItemName
		for i := range v.Len() {
			b = appendItem(b, name, p, v.Index(i))
		}
		return b
	case aws.Map:
		for _, key := range wire.SortedKeys(v) {
			b = append(b, "<entry>"...)
			b = appendEntry(b, p, key, v.MapIndex(key))
			b = append(b, "</entry>"...)
		}
		return b
	}
	return appendScalar(b, m, p, v)
}

// appendItem writes one element of a list of plan p.
func appendItem(b []byte, name string, p *wire.Plan, v reflect.Value) []byte {
	if p.ElemPointer {
		if v.IsNil() {
			return append(append(append(b, '<'), name...), "/>"...)
		}
		v = v.Elem()
	}
	return AppendElement(b, name, p.Shape.Elem, p.Elem, v)
}

func appendEntry(b []byte, p *wire.Plan, key, v reflect.Value) []byte {
	b = AppendElement(b, p.KeyName, p.Shape.Key, p.Key, key)
	return appendItem(b, p.ValueName, p, v)
}

func appendScalar(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	switch p.Shape.Kind {
	case aws.String:
		return AppendText(b, v.String())
	case aws.Blob:
		if p.Stream {
			return b
		}
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case aws.Document:
		return AppendText(b, string(jsontext.AppendAny(nil, v.Interface())))
	case aws.Timestamp:
		return wire.AppendTime(b, wire.Time(v), wire.Format(m, aws.ISO8601))
	}
	return wire.AppendText(b, p.Shape, v, aws.ISO8601)
}
