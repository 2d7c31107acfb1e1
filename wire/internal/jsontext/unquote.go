package jsontext

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unquote appends raw, a string between its quotation marks, without its
// escapes. Half a surrogate pair is refused.
func unquote(b, raw []byte) ([]byte, error) {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b = append(b, raw[i])
			continue
		}
		if i++; i >= len(raw) {
			return nil, ErrSyntax
		}
		switch raw[i] {
		case '"', '\\', '/':
			b = append(b, raw[i])
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			unit, ok := unitAt(raw, i+1)
			if !ok {
				return nil, ErrSyntax
			}
			i += 4
			if utf16.IsSurrogate(unit) {
				if i+2 >= len(raw) || raw[i+1] != '\\' || raw[i+2] != 'u' {
					return nil, ErrSyntax
				}
				low, ok := unitAt(raw, i+3)
				if unit = utf16.DecodeRune(unit, low); !ok || unit == utf8.RuneError {
					return nil, ErrSyntax
				}
				i += 6
			}
			b = utf8.AppendRune(b, unit)
		default:
			return nil, ErrSyntax
		}
	}
	return b, nil
}

func unitAt(raw []byte, i int) (rune, bool) { return unit(raw[min(i, len(raw)):]) }

// unit reads four hexadecimal digits.
func unit(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	n := rune(0)
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	return n, true
}
