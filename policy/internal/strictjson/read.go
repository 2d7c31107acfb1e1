// Package strictjson reads JSON (RFC 8259) into a tree that knows where each
// value stands, more strictly than encoding/json: a name may not stand twice
// in an object, text must be UTF-8 without unpaired surrogates or control
// characters other than tab and line breaks (IAM takes no others), nothing is
// guessed, and all is within bounds.
package strictjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits bound what is read, before anything else is made of it.
type Limits struct {
	Bytes  int
	Depth  int // arrays and objects inside each other
	Values int
}

// Kind is what a value is.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Bool
	Number
	Text
	Array
	Object
)

// Node is a JSON value with its place in the text.
type Node struct {
	Kind    Kind
	Text    string // of a Text: decoded; of a Bool or Number: as written
	Items   []Node
	Members []Member // in order, names unique
	At      Span
}

// Member is a name and its value in an object.
type Member struct {
	Name   string
	Value  Node
	NameAt Span
}

// Span is a half-open range of bytes of the text.
type Span struct{ Start, End int }

// Error says what is wrong with a text, and at which byte.
type Error struct {
	Offset int
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

// reader is the state of one reading. What fails has left pos where it failed.
type reader struct {
	src    []byte
	pos    int
	values int
	limits Limits
	reason string // "" is anything that JSON's grammar does not have
}

// Read reads src as one JSON value and nothing else. The error is an *Error.
func Read(src []byte, limits Limits) (Node, error) {
	if len(src) > limits.Bytes {
		return Node{}, &Error{limits.Bytes, "the text is too long"}
	}
	r := reader{src: src, limits: limits}
	n, ok := r.value(0)
	if ok {
		if r.space(); r.pos == len(src) {
			return n, nil
		}
		r.reason = "there is more after the end"
	}
	if r.reason == "" {
		r.reason = "this is not JSON"
	}
	if r.pos >= len(src) {
		r.reason = "the text ends too early"
	}
	return Node{}, &Error{min(r.pos, len(src)), r.reason}
}

func (r *reader) space() {
	for r.pos < len(r.src) && IsSpace(r.src[r.pos]) {
		r.pos++
	}
}

// IsSpace tells JSON's white space.
func IsSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (r *reader) peek() byte {
	if r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

func (r *reader) take(c byte) bool {
	r.space()
	if r.peek() != c {
		return false
	}
	r.pos++
	return true
}

func (r *reader) value(depth int) (Node, bool) {
	r.space()
	r.values++
	if depth > r.limits.Depth || r.values > r.limits.Values {
		r.reason = "the text is nested too deep or holds too many values"
		return Node{}, false
	}
	n, ok, start := Node{}, false, r.pos
	switch c := r.peek(); c {
	case '{':
		n.Kind = Object
		n.Members, ok = r.object(depth)
	case '[':
		n.Kind = Array
		n.Items, ok = r.array(depth)
	case '"':
		n.Kind = Text
		n.Text, ok = r.string()
	case 't', 'f', 'n':
		n.Kind, n.Text, ok = r.word()
	default:
		n.Kind = Number
		n.Text, ok = r.number()
	}
	n.At = Span{start, r.pos}
	return n, ok
}

func (r *reader) object(depth int) ([]Member, bool) {
	r.pos++
	var members []Member
	if r.take('}') {
		return nil, true
	}
	var seen map[string]bool // made once there are many
	for {
		r.space()
		if r.peek() != '"' {
			return nil, false
		}
		start := r.pos
		name, ok := r.string()
		if ok && isMember(members, seen, name) {
			r.pos, r.reason, ok = start, "a name stands twice", false
		}
		named := Span{start, r.pos}
		if !ok || !r.take(':') {
			return nil, false
		}
		v, ok := r.value(depth + 1)
		if !ok {
			return nil, false
		}
		members = append(members, Member{name, v, named})
		if len(members) == fewMembers {
			seen = make(map[string]bool, 2*fewMembers)
			for i := range members {
				seen[members[i].Name] = true
			}
		} else if seen != nil {
			seen[name] = true
		}
		if r.take('}') {
			return members, true
		}
		if !r.take(',') {
			return nil, false
		}
	}
}

// fewMembers is how many names are looked through one by one.
const fewMembers = 16

func isMember(members []Member, seen map[string]bool, name string) bool {
	if seen != nil {
		return seen[name]
	}
	for i := range members {
		if members[i].Name == name {
			return true
		}
	}
	return false
}

func (r *reader) array(depth int) ([]Node, bool) {
	r.pos++
	var items []Node
	if r.take(']') {
		return nil, true
	}
	for {
		v, ok := r.value(depth + 1)
		if !ok {
			return nil, false
		}
		items = append(items, v)
		if r.take(']') {
			return items, true
		}
		if !r.take(',') {
			return nil, false
		}
	}
}

func (r *reader) word() (Kind, string, bool) {
	for _, w := range [...]struct {
		kind Kind
		text string
	}{{Bool, "true"}, {Bool, "false"}, {Null, "null"}} {
		if strings.HasPrefix(string(r.src[r.pos:min(r.pos+len(w.text), len(r.src))]), w.text) {
			r.pos += len(w.text)
			return w.kind, w.text, true
		}
	}
	return Null, "", false
}

func (r *reader) number() (string, bool) {
	start := r.pos
	if r.peek() == '-' {
		r.pos++
	}
	switch {
	case r.peek() == '0':
		r.pos++
	case !r.digits():
		return "", false
	}
	if r.peek() == '.' {
		r.pos++
		if !r.digits() {
			return "", false
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		if !r.digits() {
			return "", false
		}
	}
	return string(r.src[start:r.pos]), true
}

func (r *reader) digits() bool {
	start := r.pos
	for c := r.peek(); '0' <= c && c <= '9'; c = r.peek() {
		r.pos++
	}
	return r.pos > start
}

func (r *reader) string() (string, bool) {
	r.pos++
	start := r.pos
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == '"':
			s := string(r.src[start:r.pos])
			r.pos++
			return s, utf8.ValidString(s)
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", false
		}
		r.pos++
	}
	return "", false
}

// escaped reads on in a string that began at start and has its first escape at r.pos.
func (r *reader) escaped(start int) (string, bool) {
	var b strings.Builder
	for {
		b.Write(r.src[start:r.pos])
		if r.pos >= len(r.src) {
			return "", false
		}
		if r.src[r.pos] == '"' {
			r.pos++
			return b.String(), utf8.ValidString(b.String())
		}
		c, ok := r.escape()
		if !ok {
			return "", false
		}
		b.WriteRune(c)
		start = r.pos
		for r.pos < len(r.src) && r.src[r.pos] != '"' && r.src[r.pos] != '\\' {
			if r.src[r.pos] < ' ' {
				return "", false
			}
			r.pos++
		}
	}
}

// escape reads one escape sequence. The backslash stands at r.pos.
func (r *reader) escape() (rune, bool) {
	r.pos++
	c := r.peek()
	r.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		u, ok := r.hex()
		if !ok {
			return 0, false
		}
		if utf16.IsSurrogate(u) {
			if r.peek() != '\\' || r.pos+1 >= len(r.src) || r.src[r.pos+1] != 'u' {
				return 0, false
			}
			r.pos += 2
			low, ok := r.hex()
			u = utf16.DecodeRune(u, low)
			return u, ok && u != utf8.RuneError
		}
		return u, u >= ' ' || u == '\t' || u == '\n' || u == '\r'
	}
	return 0, false
}

func (r *reader) hex() (rune, bool) {
	if r.pos+4 > len(r.src) {
		return 0, false
	}
	var v rune
	for _, c := range r.src[r.pos : r.pos+4] {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	r.pos += 4
	return v, true
}
