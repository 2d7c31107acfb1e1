package wire

import "strconv"

// path is where in an input something stands.
type path []step

// step is one element of a path: a member, an element of a list, counted from
// 1, or the value at a map's key.
type step struct {
	field *Field
	index int
	key   string
}

// append writes p as AWS's messages do: tags.1.member.key.
func (p path) append(b []byte) []byte {
	for i, s := range p {
		if i > 0 {
			b = append(b, '.')
		}
		switch {
		case s.field != nil:
			b = append(b, s.field.Label...)
		case s.index > 0:
			b = append(strconv.AppendInt(b, int64(s.index), 10), ".member"...)
		default:
			b = append(append(b, s.key...), ".member"...)
		}
	}
	return b
}

// member is the path of a member of the structure at p.
func (p path) member(label string) string {
	b := p.append(nil)
	if len(p) > 0 {
		b = append(b, '.')
	}
	return string(append(b, label...))
}
