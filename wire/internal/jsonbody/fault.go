package jsonbody

import (
	"reflect"
	"strings"

	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

// AppendFault writes an error's message and members, without the braces of the
// object, behind what it already holds. The message is called as the model
// calls it, and stands there though a model knows none.
func (s Style) AppendFault(b []byte, f *wire.Fault) []byte {
	name, p, v := "message", (*wire.Plan)(nil), reflect.Value{}
	if f.Modelled != nil {
		p, v = wire.ErrorPlan(f)
	}
	if p != nil {
		for i := range p.Fields {
			if m := p.Fields[i].Member; strings.EqualFold(m.Name, "message") {
				name = m.Name
				if s.REST {
					name = m.WireName()
				}
			}
		}
	}
	if f.Message != "" {
		if n := len(b); n > 0 && b[n-1] != '{' {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, name), ':')
		b = jsontext.AppendString(b, f.Message)
	}
	if f.Custom {
		for _, field := range f.Fields {
			b = append(jsontext.AppendString(append(b, ','), field.Name), ':')
			b = jsontext.AppendString(b, field.Value)
		}
	}
	if p == nil {
		return b
	}
	for i := range p.Fields {
		field := &p.Fields[i]
		if strings.EqualFold(field.Member.Name, "message") || s.REST && !field.Answered() {
			continue
		}
		if fv, ok := field.Get(v); ok {
			b = s.appendMember(b, field, fv)
		}
	}
	return b
}
