// Package xmltext writes the texts of XML. It knows nothing of shapes.
package xmltext

import (
	"strconv"
	"unicode/utf8"
)

// Append writes s as the text of an element or the value of an attribute.
// A carriage return, which a parser would take for a line feed, and characters
// that XML 1.0 has no place for become references, as S3 writes them; bytes
// that are no UTF-8 become U+FFFD.
func Append(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '&':
				b = append(b, "&amp;"...)
			case '<':
				b = append(b, "&lt;"...)
			case '>':
				b = append(b, "&gt;"...)
			case '"':
				b = append(b, "&quot;"...)
			default:
				b = appendReference(b, rune(c))
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF || r == 0x85 || r == 0x2028 {
			b = append(b, s[start:i]...)
			if n == 1 {
				r = utf8.RuneError
			}
			b = appendReference(b, r)
			start = i + n
		}
		i += n
	}
	return append(b, s[start:]...)
}

// plain are the ASCII characters that stand as they are.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = (c >= ' ' || c == '\n' || c == '\t') && c != '&' && c != '<' && c != '>' && c != '"'
	}
	return t
}()

func appendReference(b []byte, r rune) []byte {
	b = append(b, "&#x"...)
	b = strconv.AppendInt(b, int64(r), 16)
	return append(b, ';')
}

// AppendNamespace writes the attribute that declares ns, if there is one.
func AppendNamespace(b []byte, ns, prefix string) []byte {
	if ns == "" {
		return b
	}
	b = append(b, " xmlns"...)
	if prefix != "" {
		b = append(append(b, ':'), prefix...)
	}
	b = append(b, '=', '"')
	b = Append(b, ns)
	return append(b, '"')
}
