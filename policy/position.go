package policy

import "bytes"

// Position is a place in a text: a line, and a column in characters, both from 1.
type Position struct{ Line, Column int }

// Position is where AWS's policy simulator says that a statement stands: it
// ends behind its brace, and begins behind what a reader has read before it,
// which is the bracket of the list, the statement before, or the own brace of a
// statement that stands in no list (the AWS CLI's examples of
// simulate-custom-policy and simulate-principal-policy; LocalStack's records of AWS).
func (d *Document) Position(statement int) (begin, end Position) {
	s := &d.Statements[statement]
	at := len(bytes.TrimRight(d.source[:s.Offset], " \t\r\n"))
	switch d.source[at-1] {
	case ':':
		at = s.Offset + 1
	case ',':
		at = len(bytes.TrimRight(d.source[:at-1], " \t\r\n"))
	}
	begin.Line, begin.Column = position(d.source, at)
	end.Line, end.Column = position(d.source, s.end)
	return begin, end
}
