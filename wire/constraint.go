package wire

import (
	"cmp"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/garrison-security/garrison/aws"
)

// constraint is what a shape asks of its values, beside what its kind says.
type constraint struct {
	hasMin, hasMax bool
	min, max       float64
	minText        string
	maxText        string
	pattern        *pattern
	patternText    string
	complaint      string // what is said of a value that the pattern refuses; "" = the pattern
	enum           []string
	enumText       string // "[A, B]", without the values that messages do not list
	unique         bool
}

// constrain reads the constraints of a shape; nil if it has none.
func constrain(s *aws.Shape) (*constraint, error) {
	values := s.Enum
	if s.Open {
		values = nil
	}
	if !s.HasMin && !s.HasMax && s.Pattern == "" && values == nil && !s.UniqueItems {
		return nil, nil
	}
	c := &constraint{hasMin: s.HasMin, hasMax: s.HasMax, min: s.Min, max: s.Max, enum: values, unique: s.UniqueItems,
		minText: limitText(s, s.Min), maxText: limitText(s, s.Max), patternText: cmp.Or(s.PatternText, s.Pattern), complaint: s.Complaint}
	if values != nil {
		b := []byte{'['}
		for _, value := range values {
			if slices.Contains(s.HiddenEnum, value) {
				continue
			}
			if len(b) > 1 {
				b = append(b, ", "...)
			}
			b = append(b, value...)
		}
		c.enumText = string(append(b, ']'))
	}
	if s.Pattern != "" {
		var err error
		if c.pattern, err = compilePattern(s.Pattern); err != nil {
			return nil, fmt.Errorf("pattern of %s: %w", s.Name, err)
		}
	}
	return c, nil
}

func limitText(s *aws.Shape, f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if s.Kind == aws.Float || s.Kind == aws.Double {
		return decimal(text)
	}
	return text
}

// decimal is a whole number as Java writes one that is no integer: "1.0".
func decimal(text string) string {
	if strings.ContainsAny(text, ".eNI") { // NaN, Infinity
		return text
	}
	return text + ".0"
}

// pattern matches whole values. Most of AWS's patterns are one class of
// characters, repeated; those are matched without the regexp machine, which
// takes 30 ns a character and policies have 100,000.
type pattern struct {
	re       *regexp.Regexp
	class    []rune // pairs of bounds, as in regexp/syntax; nil: re matches
	ascii    [4]uint32
	min, max int // how often; max -1: without bound
}

func compilePattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if p := classPattern(tree); p != nil {
		return p, nil
	}
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	return &pattern{re: re}, err
}

// classPattern is the pattern of a tree that is a repeated class, possibly
// between anchors and in a group; else nil.
func classPattern(t *syntax.Regexp) *pattern {
	for {
		switch {
		case t.Op == syntax.OpCapture:
			t = t.Sub[0]
			continue
		case t.Op == syntax.OpConcat:
			subs := slices.Clone(t.Sub)
			subs = slices.DeleteFunc(subs, func(s *syntax.Regexp) bool {
				return s.Op == syntax.OpBeginText || s.Op == syntax.OpEndText
			})
			if len(subs) == len(t.Sub) || len(subs) != 1 {
				return nil
			}
			t = subs[0]
			continue
		}
		break
	}
	p := &pattern{min: 1, max: 1}
	switch t.Op {
	case syntax.OpStar:
		p.min, p.max, t = 0, -1, t.Sub[0]
	case syntax.OpPlus:
		p.max, t = -1, t.Sub[0]
	case syntax.OpQuest:
		p.min, t = 0, t.Sub[0]
	case syntax.OpRepeat:
		p.min, p.max, t = t.Min, t.Max, t.Sub[0]
	}
	switch t.Op {
	case syntax.OpCharClass:
		p.class = t.Rune
	case syntax.OpAnyCharNotNL:
		p.class = []rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune}
	case syntax.OpAnyChar:
		p.class = []rune{0, utf8.MaxRune}
	default:
		return nil
	}
	for r := rune(0); r < utf8.RuneSelf; r++ {
		if inClass(p.class, r) {
			p.ascii[r>>5] |= 1 << (r & 31)
		}
	}
	return p
}

// inClass looks r up in sorted pairs of bounds.
func inClass(class []rune, r rune) bool {
	lo, hi := 0, len(class)/2
	for lo < hi {
		switch mid := (lo + hi) / 2; {
		case r < class[2*mid]:
			hi = mid
		case r > class[2*mid+1]:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// match says whether all of s matches.
func (p *pattern) match(s string) bool {
	if p.re != nil {
		return p.re.MatchString(s)
	}
	n := 0
	for _, r := range s {
		if n++; r < utf8.RuneSelf {
			if p.ascii[r>>5]&(1<<(r&31)) == 0 {
				return false
			}
		} else if !inClass(p.class, r) {
			return false
		}
	}
	return n >= p.min && (p.max < 0 || n <= p.max)
}
