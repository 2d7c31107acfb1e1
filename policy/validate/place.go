package validate

import (
	"sort"
	"unicode/utf8"

	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// Location is a place in a document.
type Location struct {
	Path []Step // from the document's root
	Span Span
}

// Step is one step of a path. Its Kind says which other field counts.
type Step struct {
	Kind          StepKind
	Name          string // of Key and Value
	Index         int    // of Index
	Start, Length int    // of Substring, in characters
}

// StepKind is what a step goes by.
type StepKind uint8

// The kinds of steps, as Access Analyzer's PathElement has them.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_PathElement.html
const (
	Value     StepKind = iota // the value of a name
	Key                       // a name itself
	Index                     // an item of an array
	Substring                 // a part of a string
)

// Span is a part of the text; End does not belong to it.
type Span struct{ Start, End Position }

// Position is a character of the text: its line from 1, its column in the line
// and its offset in the text from 0, as AWS counts.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_Position.html
type Position struct{ Line, Column, Offset int }

// trail is a path from its end.
type trail struct {
	before *trail
	step   Step
}

func (t *trail) to(s Step) *trail      { return &trail{t, s} }
func (t *trail) value(n string) *trail { return t.to(Step{Kind: Value, Name: n}) }
func (t *trail) key(n string) *trail   { return t.to(Step{Kind: Key, Name: n}) }
func (t *trail) index(i int) *trail    { return t.to(Step{Kind: Index, Index: i}) }

func (t *trail) steps() []Step {
	n := 0
	for at := t; at != nil; at = at.before {
		n++
	}
	list := make([]Step, n)
	for at := t; at != nil; at = at.before {
		n--
		list[n] = at.step
	}
	return list
}

// place is where something stands: what a Location is made of.
type place struct {
	path *trail
	span strictjson.Span
}

// lines finds positions in a text.
type lines struct {
	starts []int // the byte at which each line begins
	runes  []int // the characters before each byte; nil where that is the byte
}

func newLines(text []byte) *lines {
	l := &lines{starts: []int{0}}
	ascii := true
	for i, c := range text {
		if c == '\n' {
			l.starts = append(l.starts, i+1)
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii {
		return l
	}
	l.runes = make([]int, len(text)+1)
	n := 0
	for i := range text {
		l.runes[i] = n
		if i+1 == len(text) || utf8.RuneStart(text[i+1]) {
			n++
		}
	}
	l.runes[len(text)] = n
	return l
}

func (l *lines) characters(offset int) int {
	if l.runes == nil {
		return offset
	}
	return l.runes[offset]
}

func (l *lines) position(offset int) Position {
	line := sort.SearchInts(l.starts, offset+1)
	at := l.characters(offset)
	return Position{line, at - l.characters(l.starts[line-1]), at}
}

func (l *lines) location(p place) Location {
	return Location{p.path.steps(), Span{l.position(p.span.Start), l.position(p.span.End)}}
}
