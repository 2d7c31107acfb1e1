package rest

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// splitList appends the elements of a header's list to all. They are divided
// by commas; http-dates hold one each; a quoted element may hold any.
func splitList(all []string, s string, elem *aws.Shape, format aws.TimestampFormat) (_ []string, ok bool) {
	if strings.Trim(s, " \t") == "" {
		return all, true
	}
	dates := elem.Kind == aws.Timestamp && format == aws.RFC822
	for rest := s; ; {
		if len(all) > maxPairs {
			return nil, false
		}
		rest = strings.TrimLeft(rest, " \t")
		var e string
		more := false
		if strings.HasPrefix(rest, `"`) {
			if e, rest, ok = quoted(rest[1:]); !ok {
				return nil, false
			}
			rest = strings.TrimLeft(rest, " \t")
			if rest != "" {
				if rest[0] != ',' {
					return nil, false
				}
				rest, more = rest[1:], true
			}
		} else {
			from := 0
			if dates {
				from = strings.IndexByte(rest, ',') + 1
			}
			if end := strings.IndexByte(rest[from:], ','); end >= 0 {
				e, rest, more = rest[:from+end], rest[from+end+1:], true
			} else {
				e, rest = rest, ""
			}
			e = strings.TrimRight(e, " \t")
		}
		all = append(all, e)
		if !more {
			return all, true
		}
	}
}

// quoted reads up to the closing quotation mark, undoing backslashes.
func quoted(s string) (e, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i >= len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// appendListItem writes one element of a header's list, in quotes where it
// would else be read as more, or as less.
func appendListItem(b []byte, text string, isText bool) []byte {
	if !isText || text != "" && !strings.ContainsAny(text, "\",\\") && strings.Trim(text, " \t") == text {
		return append(b, text...)
	}
	b = append(b, '"')
	for _, c := range []byte(text) {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '"')
}
