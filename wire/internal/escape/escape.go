// Package escape undoes percent encoding.
package escape

import "unicode/utf8"

// Undo is s without its percent encoding, and whether it was well encoded
// UTF-8. With plus, a plus sign is a space, as in forms and query strings. Text
// that needs no change is answered as it is.
func Undo[T string | []byte](s T, plus bool) (T, bool) {
	at := 0
	for at < len(s) && s[at] != '%' && (s[at] != '+' || !plus) {
		at++
	}
	if at == len(s) {
		return s, valid(s)
	}
	b := append(make([]byte, 0, len(s)), s[:at]...)
	for i := at; i < len(s); i++ {
		switch {
		case s[i] == '+' && plus:
			b = append(b, ' ')
		case s[i] == '%':
			if i+2 >= len(s) {
				return s, false
			}
			hi, lo := digit(s[i+1]), digit(s[i+2])
			if hi > 15 || lo > 15 {
				return s, false
			}
			b = append(b, hi<<4|lo)
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return T(b), utf8.Valid(b)
}

func valid[T string | []byte](s T) bool {
	switch s := any(s).(type) {
	case string:
		return utf8.ValidString(s)
	case []byte:
		return utf8.Valid(s)
	}
	return false
}

// digit is the value of a hexadecimal digit, 255 if c is none.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
