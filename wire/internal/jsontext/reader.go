package jsontext

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// What is wrong with a text.
var (
	ErrSyntax    = errors.New("not valid JSON")
	ErrDuplicate = errors.New("a member is given twice")
	ErrDepth     = errors.New("nested too deeply")
)

// Kind is the kind of the value that comes next, by its first character.
type Kind byte

// The kinds of values.
const (
	Invalid Kind = iota
	Null
	True
	False
	Number
	String
	Object
	Array
)

// Reader takes JSON apart value by value. A text that is no UTF-8 is refused.
type Reader struct {
	data []byte
	pos  int
	buf  []byte // of the last name that held escapes
}

// NewReader begins to read data, which must stay as it is.
func NewReader(data []byte) (Reader, error) {
	if !utf8.Valid(data) {
		return Reader{}, ErrSyntax
	}
	return Reader{data: data}, nil
}

func (r *Reader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// End says whether nothing but white space is left.
func (r *Reader) End() bool {
	r.space()
	return r.pos == len(r.data)
}

// Peek is the kind of the next value.
func (r *Reader) Peek() Kind {
	r.space()
	if r.pos >= len(r.data) {
		return Invalid
	}
	switch c := r.data[r.pos]; {
	case c == '"':
		return String
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '-' || c >= '0' && c <= '9':
		return Number
	case c == 't':
		return True
	case c == 'f':
		return False
	case c == 'n':
		return Null
	}
	return Invalid
}

// Literal reads null, true or false, as Peek said.
func (r *Reader) Literal() error {
	for _, word := range []string{"null", "true", "false"} {
		if end := r.pos + len(word); end <= len(r.data) && string(r.data[r.pos:end]) == word {
			r.pos = end
			return nil
		}
	}
	return ErrSyntax
}

// Open reads the bracket that begins an object or array, as Peek said.
func (r *Reader) Open() { r.pos++ }

// More goes on to the next element of an array, or member of an object, and
// says whether there is one; after the last it reads the closing bracket.
// first is true for the first.
func (r *Reader) More(first bool, closing byte) (bool, error) {
	r.space()
	if r.pos >= len(r.data) {
		return false, ErrSyntax
	}
	c := r.data[r.pos]
	switch {
	case c == closing:
		r.pos++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		r.pos++
		return true, nil
	}
	return false, ErrSyntax
}

// Name reads a member's name and its colon. The name holds until the next call.
func (r *Reader) Name() ([]byte, error) {
	if r.Peek() != String {
		return nil, ErrSyntax
	}
	raw, escaped, err := r.raw()
	if err != nil {
		return nil, err
	}
	if escaped {
		if r.buf, err = unquote(r.buf[:0], raw); err != nil {
			return nil, err
		}
		raw = r.buf
	}
	r.space()
	if r.pos >= len(r.data) || r.data[r.pos] != ':' {
		return nil, ErrSyntax
	}
	r.pos++
	return raw, nil
}

// Text reads a string. The bytes may be the text's own, or those of buf.
func (r *Reader) Text(buf []byte) ([]byte, error) {
	raw, escaped, err := r.raw()
	if err != nil || !escaped {
		return raw, err
	}
	return unquote(buf, raw)
}

// raw reads a string without undoing its escapes.
func (r *Reader) raw() (raw []byte, escaped bool, err error) {
	start := r.pos + 1
	for i := start; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			return r.data[start:i], escaped, nil
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return nil, false, ErrSyntax
		}
	}
	return nil, false, ErrSyntax
}

// Number reads a number and answers its text. integer: it has neither point
// nor exponent.
func (r *Reader) Number() (text []byte, integer bool, err error) {
	start, i := r.pos, r.pos
	if r.data[i] == '-' {
		i++
	}
	n := r.digits(i)
	if n == 0 || n > 1 && r.data[i] == '0' {
		return nil, false, ErrSyntax
	}
	i += n
	integer = true
	if i < len(r.data) && r.data[i] == '.' {
		integer = false
		if n = r.digits(i + 1); n == 0 {
			return nil, false, ErrSyntax
		}
		i += 1 + n
	}
	if i < len(r.data) && (r.data[i] == 'e' || r.data[i] == 'E') {
		integer = false
		i++
		if i < len(r.data) && (r.data[i] == '+' || r.data[i] == '-') {
			i++
		}
		if n = r.digits(i); n == 0 {
			return nil, false, ErrSyntax
		}
		i += n
	}
	// What follows must not belong to the number.
	if i < len(r.data) {
		switch c := r.data[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '-', c == '+', c == '_':
			return nil, false, ErrSyntax
		}
	}
	r.pos = i
	return r.data[start:i], integer, nil
}

func (r *Reader) digits(i int) (n int) {
	for i+n < len(r.data) && r.data[i+n] >= '0' && r.data[i+n] <= '9' {
		n++
	}
	return n
}

// Skip reads a value and forgets it; depth is how many more levels it may have.
func (r *Reader) Skip(depth int) error {
	if depth < 0 {
		return ErrDepth
	}
	switch kind := r.Peek(); kind {
	case Null, True, False:
		return r.Literal()
	case Number:
		_, _, err := r.Number()
		return err
	case String:
		raw, escaped, err := r.raw()
		if err == nil && escaped {
			r.buf, err = unquote(r.buf[:0], raw)
		}
		return err
	case Object, Array:
		return r.each(kind, func() error { return r.Skip(depth - 1) })
	}
	return ErrSyntax
}

// each calls f at every element of an array, or behind every name of an object.
func (r *Reader) each(kind Kind, f func() error) error {
	closing := byte(']')
	if kind == Object {
		closing = '}'
	}
	r.Open()
	for first := true; ; first = false {
		more, err := r.More(first, closing)
		if err != nil || !more {
			return err
		}
		if kind == Object {
			if _, err := r.Name(); err != nil {
				return err
			}
		}
		if err := f(); err != nil {
			return err
		}
	}
}

// Any reads a document: nil, bool, int64 (a whole number, however it is
// written) or float64, string, []any or map[string]any. spend is called for every value, and may refuse it.
func (r *Reader) Any(depth int, spend func() error) (any, error) {
	if depth < 0 {
		return nil, ErrDepth
	}
	if err := spend(); err != nil {
		return nil, err
	}
	switch kind := r.Peek(); kind {
	case Null:
		return nil, r.Literal()
	case True, False:
		return kind == True, r.Literal()
	case String:
		text, err := r.Text(nil)
		return string(text), err
	case Number:
		text, integer, err := r.Number()
		if err != nil {
			return nil, err
		}
		if integer {
			if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
				return n, nil
			}
		}
		f, err := strconv.ParseFloat(string(text), 64)
		switch {
		case err != nil:
			return nil, ErrSyntax
		case f == math.Trunc(f) && math.Abs(f) < 1<<63:
			return int64(f), nil // 22e5 is what 2200000 is
		}
		return f, nil
	case Array:
		list := []any{}
		err := r.each(Array, func() error {
			v, err := r.Any(depth-1, spend)
			list = append(list, v)
			return err
		})
		return list, err
	case Object:
		object := map[string]any{}
		r.Open()
		for first := true; ; first = false {
			more, err := r.More(first, '}')
			if err != nil || !more {
				return object, err
			}
			raw, err := r.Name()
			if err != nil {
				return nil, err
			}
			name := string(raw)
			if _, twice := object[name]; twice {
				return nil, ErrDuplicate
			}
			if object[name], err = r.Any(depth-1, spend); err != nil {
				return nil, err
			}
		}
	}
	return nil, ErrSyntax
}
