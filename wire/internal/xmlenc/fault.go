package xmlenc

import (
	"strings"

	"github.com/garrison-security/garrison/wire"
)

// AppendFault writes the members of an error's element that stand behind its
// code and message: those of a modelled error, or the fields of another.
func AppendFault(b []byte, f *wire.Fault) []byte {
	for _, field := range f.Fields {
		b = Element(b, field.Name, field.Value)
	}
	if f.Modelled == nil {
		return b
	}
	p, v := wire.ErrorPlan(f)
	if p == nil {
		return b
	}
	for i := range p.Fields {
		field := &p.Fields[i]
		if !field.Answered() || strings.EqualFold(field.Member.Name, "message") || strings.EqualFold(field.XMLName, "code") {
			continue
		}
		if fv, ok := field.Get(v); ok {
			b = appendField(b, field, fv)
		}
	}
	return b
}
