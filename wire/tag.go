package wire

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire/internal/xmltext"
)

// Tag is an XML element's start and end, as they are written. The start lacks
// its ">" where attributes of the value come before it.
type Tag struct{ Open, Close string }

// NewTag is the tag of an element called name that holds a value of member m
// and plan p: with the namespace of the member, or of its shape.
func NewTag(name string, m *aws.Member, p *Plan) Tag {
	ns, prefix := m.XMLNamespace, m.XMLPrefix
	if ns == "" {
		ns, prefix = m.Shape.XMLNamespace, m.Shape.XMLPrefix
	}
	b := xmltext.AppendNamespace([]byte("<"+name), ns, prefix)
	if !p.Attributes {
		b = append(b, '>')
	}
	return Tag{string(b), "</" + name + ">"}
}
