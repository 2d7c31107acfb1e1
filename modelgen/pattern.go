package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// goPattern turns a Java regular expression into Go's syntax; an error says
// why there is none. The expression is to match the whole value: whoever uses
// it wraps it as \A(?:…)\z.
func goPattern(java string) (string, error) {
	text, err := goEscapes(java)
	if err != nil {
		return "", err
	}
	if _, err := regexp.Compile(text); err != nil {
		return "", fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return text, nil
}

// javaClasses are Java's names of ASCII classes that Go spells otherwise.
var javaClasses = map[string]string{
	"Alnum": "[:alnum:]", "Alpha": "[:alpha:]", "ASCII": "[:ascii:]", "Blank": "[:blank:]", "Cntrl": "[:cntrl:]",
	"Digit": "[:digit:]", "Graph": "[:graph:]", "Lower": "[:lower:]", "Print": "[:print:]", "Punct": "[:punct:]",
	"Space": "[:space:]", "Upper": "[:upper:]", "XDigit": "[:xdigit:]",
	"IsAlphabetic": `\p{L}\p{Nl}`, "LD": `\p{L}\p{Nd}`,
}

// goEscapes rewrites \uHHHH, surrogate ranges, Java's classes, and control
// characters that stand in the expression as they are.
func goEscapes(java string) (string, error) {
	var out strings.Builder
	inClass := false
	for i := 0; i < len(java); i++ {
		c := java[i]
		switch {
		case c == '\\' && i+1 < len(java):
			text, used, err := goEscape(java[i:], inClass)
			if err != nil {
				return "", err
			}
			out.WriteString(text)
			i += used - 1
			continue
		case c == '[' && !inClass:
			inClass = true
			// A ] right after the opening is an ordinary character to both.
			if rest := java[i+1:]; strings.HasPrefix(rest, "^]") || strings.HasPrefix(rest, "]") {
				return "", fmt.Errorf("] begins a class")
			}
		case c == '[':
			return "", fmt.Errorf("a class within a class")
		case c == '&' && inClass && strings.HasPrefix(java[i:], "&&"):
			return "", fmt.Errorf("intersection of classes")
		case c == ']':
			inClass = false
		case c < ' ':
			fmt.Fprintf(&out, `\x%02x`, c)
			continue
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

// goEscape rewrites the escape that s begins with, and says how many of s's
// bytes it took.
func goEscape(s string, inClass bool) (text string, used int, err error) {
	switch s[1] {
	case 'u':
		return unicodeEscape(s)
	case 'p', 'P':
		end := strings.IndexByte(s, '}')
		if len(s) < 4 || s[2] != '{' || end < 0 {
			return s[:2], 2, nil
		}
		class, ok := javaClasses[s[3:end]]
		switch {
		case !ok:
			return s[:end+1], end + 1, nil
		case s[1] == 'P' && inClass:
			return "", 0, fmt.Errorf("the complement of \\p{%s} within a class", s[3:end])
		case s[1] == 'P':
			return "[^" + class + "]", end + 1, nil
		case inClass:
			return class, end + 1, nil
		}
		return "[" + class + "]", end + 1, nil
	}
	return s[:2], 2, nil
}

// unicodeEscape rewrites \uHHHH. A range of surrogate pairs, which Java's
// UTF-16 needs for what lies beyond the basic plane, becomes a range of characters.
func unicodeEscape(s string) (text string, used int, err error) {
	unit := func(s string) (rune, bool) {
		if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(s[2:6], 16, 32)
		return rune(n), err == nil
	}
	first, ok := unit(s)
	if !ok {
		return "", 0, fmt.Errorf("a \\u without four digits")
	}
	if first < 0xD800 || first > 0xDFFF {
		return fmt.Sprintf(`\x{%04X}`, first), 6, nil
	}
	if strings.HasPrefix(s, `\ud800\udc00-\udbff\udfff`) || strings.HasPrefix(s, `\uD800\uDC00-\uDBFF\uDFFF`) {
		return `\x{10000}-\x{10FFFF}`, 25, nil
	}
	return "", 0, fmt.Errorf("a lone surrogate")
}
