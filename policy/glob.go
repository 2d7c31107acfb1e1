package policy

import "unicode/utf8"

// A pattern is text in which these bytes, that no document's text can hold,
// stand for wildcards. Text that a policy variable is replaced by is thus
// always literal.
const (
	anyText = 0x00 // any number of characters
	anyChar = 0x01 // one character

	allText = "\x00" // the pattern that matches everything
)

// appendPattern appends s with its wildcards marked, if it has such.
func appendPattern(to []byte, s string, wildcards bool) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '*' && wildcards:
			if n := len(to); n == 0 || to[n-1] != anyText {
				to = append(to, anyText)
			}
		case c == '?' && wildcards:
			to = append(to, anyChar)
		default:
			to = append(to, c)
		}
	}
	return to
}

// glob tells whether text as a whole matches the pattern; fold ignores the
// case of ASCII letters. It goes back to the last anyText alone, so its cost
// is at most len(pattern) × len(text).
func glob[P, T ~string | ~[]byte](pattern P, text T, fold bool) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last anyText, and where the text after it began
	for t < len(text) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == anyText:
				star, from = p, t
				p++
				if p == len(pattern) {
					return true
				}
				continue
			case c == anyChar:
				p++
				t += charLen(text, t)
				continue
			case c == text[t] || fold && lower(c) == lower(text[t]):
				p++
				t++
				continue
			}
		}
		if star < 0 {
			return false
		}
		from += charLen(text, from)
		p, t = star+1, from
	}
	for p < len(pattern) && pattern[p] == anyText {
		p++
	}
	return p == len(pattern)
}

// globPrefix tells whether a pattern without anyText matches the beginning of
// text, and how much of it.
func globPrefix[P, T ~string | ~[]byte](pattern P, text T) (int, bool) {
	t := 0
	for p := range len(pattern) {
		switch {
		case t >= len(text):
			return 0, false
		case pattern[p] == anyChar:
			t += charLen(text, t)
		case pattern[p] == text[t]:
			t++
		default:
			return 0, false
		}
	}
	return t, true
}

// charLen is the length of the character at text[i], 1 if the bytes are none.
func charLen[T ~string | ~[]byte](text T, i int) int {
	if text[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune([]byte(text[i:min(i+utf8.UTFMax, len(text))]))
	return n
}
