package policy

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds on a document, checked before anything else is made of it. The
// largest AWS managed policy has 140,000 bytes and 7 levels.
const (
	maxText   = 256 << 10 // bytes
	maxDepth  = 12        // arrays and objects inside each other
	maxValues = 50_000
)

type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	textNode
	arrayNode
	objectNode
)

// node is a JSON value with its place in the text.
type node struct {
	kind    nodeKind
	text    string // textNode: decoded; boolNode, numberNode: as written
	items   []node
	members []member // in order, names unique
	at      span
}

type member struct {
	name  string
	value node
}

// reader reads JSON (RFC 8259) more strictly than encoding/json: a name may
// not stand twice in an object, text must be UTF-8 without unpaired surrogates
// or control characters other than tab and line breaks (IAM takes no others),
// and nothing is guessed.
type reader struct {
	src    []byte
	pos    int
	values int
}

// readJSON reads src as one JSON value and nothing else.
func readJSON(src []byte) (node, bool) {
	if len(src) > maxText {
		return node{}, false
	}
	r := reader{src: src}
	n, ok := r.value(0)
	if !ok {
		return node{}, false
	}
	r.space()
	return n, r.pos == len(src)
}

func (r *reader) space() {
	for r.pos < len(r.src) && isSpace(r.src[r.pos]) {
		r.pos++
	}
}

// isSpace tells JSON's white space, which IAM does not count either.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

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

func (r *reader) value(depth int) (node, bool) {
	r.space()
	r.values++
	if depth > maxDepth || r.values > maxValues {
		return node{}, false
	}
	n, ok, start := node{}, false, r.pos
	switch c := r.peek(); c {
	case '{':
		n.kind = objectNode
		n.members, ok = r.object(depth)
	case '[':
		n.kind = arrayNode
		n.items, ok = r.array(depth)
	case '"':
		n.kind = textNode
		n.text, ok = r.string()
	case 't', 'f', 'n':
		n.kind, n.text, ok = r.word()
	default:
		n.kind = numberNode
		n.text, ok = r.number()
	}
	n.at = span{start, r.pos}
	return n, ok
}

func (r *reader) object(depth int) ([]member, bool) {
	r.pos++
	var members []member
	if r.take('}') {
		return nil, true
	}
	seen := map[string]bool{}
	for {
		r.space()
		if r.peek() != '"' {
			return nil, false
		}
		name, ok := r.string()
		if !ok || seen[name] || !r.take(':') {
			return nil, false
		}
		seen[name] = true
		v, ok := r.value(depth + 1)
		if !ok {
			return nil, false
		}
		members = append(members, member{name, v})
		if r.take('}') {
			return members, true
		}
		if !r.take(',') {
			return nil, false
		}
	}
}

func (r *reader) array(depth int) ([]node, bool) {
	r.pos++
	var items []node
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

func (r *reader) word() (nodeKind, string, bool) {
	for _, w := range [...]struct {
		kind nodeKind
		text string
	}{{boolNode, "true"}, {boolNode, "false"}, {nullNode, "null"}} {
		if strings.HasPrefix(string(r.src[r.pos:min(r.pos+len(w.text), len(r.src))]), w.text) {
			r.pos += len(w.text)
			return w.kind, w.text, true
		}
	}
	return nullNode, "", false
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
