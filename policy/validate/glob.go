package validate

import "strings"

// work is how many steps of comparing a document may still take. Once it is
// negative nothing matches any more, and the document is refused.
type work int

// maxWork is some tens of milliseconds.
const maxWork work = 16 << 20

// spend takes steps, and tells whether there were as many.
func (c *checker) spend(steps int) bool {
	c.left -= work(steps)
	return c.left >= 0
}

// covers tells whether all that text may stand for (it may be a pattern
// itself) is matched by pattern.
func (c *checker) covers(pattern, text string, fold bool) bool {
	p, t, star, from := 0, 0, -1, 0
	for t < len(text) {
		if !c.spend(1) {
			return false
		}
		if p < len(pattern) {
			switch {
			case pattern[p] == '*':
				star, from = p, t
				p++
				continue
			case pattern[p] == '?' && text[t] != '*', pattern[p] == text[t] && text[t] != '*', fold && lower(pattern[p]) == lower(text[t]):
				p++
				t++
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		p, t = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func wild(s string) bool { return strings.ContainsAny(s, "*?") }

// meets tells whether some text is matched by both patterns.
func (c *checker) meets(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] && a[i] != '*' && a[i] != '?' {
		i++
	}
	a, b = a[i:], b[i:]
	if a == "" || b == "" || !wild(a[:1]) && !wild(b[:1]) {
		return strings.Trim(a, "*") == "" && strings.Trim(b, "*") == ""
	}
	if !c.spend(len(a) * len(b)) {
		return false
	}
	// row[j]: what is left of a from i on, and of b from j on, meet. From the end.
	row := make([]bool, len(b)+1)
	next := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		row, next = next, row
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				row[j] = true
			case i < len(a) && a[i] == '*':
				row[j] = next[j] || j < len(b) && row[j+1]
			case j < len(b) && b[j] == '*':
				row[j] = row[j+1] || i < len(a) && next[j]
			case i == len(a) || j == len(b):
				row[j] = false
			default:
				row[j] = (a[i] == b[j] || a[i] == '?' || b[j] == '?') && next[j+1]
			}
		}
	}
	return row[0]
}

// distance is how many letters must be put in, left out or changed to make one
// name of another, up to most; case does not count. More is most+1.
func (c *checker) distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	if !c.spend(len(a) * len(b)) {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := corner
			if lower(a[i-1]) != lower(b[j-1]) {
				cost++
			}
			corner = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
			least = min(least, row[j])
		}
		if least > most {
			return most + 1
		}
	}
	return row[len(b)]
}
