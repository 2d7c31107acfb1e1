package policy

import (
	"strings"
	"unicode/utf8"
)

// A pattern is text in which these bytes, that no document's text can hold,
// stand for wildcards. Text that a policy variable is replaced by is thus
// always literal.
const (
	anyText = 0x00 // any number of characters
	anyChar = 0x01 // one character

	allText = "\x00" // the pattern that matches everything
)

// marked is s with its wildcards marked.
func marked(s string) string {
	if !strings.ContainsAny(s, "*?") {
		return s
	}
	return string(appendPattern(make([]byte, 0, len(s)), s, true))
}

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

// work is how many steps of comparing a decision may still take. Policies that
// are made to be dear (thousands of wildcards, each nearly matching everywhere)
// would otherwise let one caller keep a core busy for a tenth of a second.
// Once it is negative nothing matches any more.
type work int

// maxWork is a decision's share: a few milliseconds. Ten of AWS's largest managed policies
// need less than a thousandth of it.
const maxWork work = 2 << 20

// glob tells whether text as a whole matches the pattern; fold ignores the
// case of ASCII letters. It goes back to the last anyText alone, so it takes at
// most len(pattern) × len(text) steps.
func glob[P, T ~string | ~[]byte](pattern P, text T, fold bool, w *work) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last anyText, and where the text after it began
	for t < len(text) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == anyText:
				star, from = p, t
				p++
				if p == len(pattern) {
					*w -= work(t)
					return *w >= 0
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
			*w -= work(t)
			return false
		}
		if *w -= work(1 + t - from); *w < 0 {
			return false
		}
		from += charLen(text, from)
		p, t = star+1, from
	}
	*w -= work(t)
	for p < len(pattern) && pattern[p] == anyText {
		p++
	}
	return p == len(pattern) && *w >= 0
}

// globPrefix tells whether a pattern without anyText matches the beginning of
// text, and how much of it.
func globPrefix[P, T ~string | ~[]byte](pattern P, text T, w *work) (int, bool) {
	t := 0
	for p := range len(pattern) {
		if t >= len(text) || pattern[p] != anyChar && pattern[p] != text[t] {
			*w -= work(t)
			return 0, false
		}
		t += charLen(text, t)
	}
	*w -= work(t)
	return t, *w >= 0
}

// charLen is the length of the character at text[i], 1 if the bytes are none.
func charLen[T ~string | ~[]byte](text T, i int) int {
	if text[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune([]byte(text[i:min(i+utf8.UTFMax, len(text))]))
	return n
}
