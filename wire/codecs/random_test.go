package codecs_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"reflect"
	"regexp"
	"regexp/syntax"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/garrison-security/garrison/aws"
)

// random makes values of shapes within their constraints.
type random struct {
	*rand.Rand
	patterns map[string]*syntax.Regexp
	compiled map[string]*regexp.Regexp
}

func newRandom(seed uint64) *random {
	return &random{rand.New(rand.NewPCG(seed, 1)), map[string]*syntax.Regexp{}, map[string]*regexp.Regexp{}}
}

// fill sets v, a value of shape s, and says whether it found one within the
// constraints. Deeper down fewer optional members are set.
func (r *random) fill(s *aws.Shape, m *aws.Member, v reflect.Value, depth int) bool {
	switch s.Kind {
	case aws.Structure, aws.Union:
		return r.structure(s, v, depth)
	case aws.List:
		return r.list(s, v, depth)
	case aws.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for n := r.size(s, depth); v.Len() < n; {
			key, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			if !r.fill(s.Key.Shape, s.Key, key, depth+1) || !r.element(s, e, depth) || v.MapIndex(key).IsValid() && s.Key.Shape.Enum != nil {
				break
			}
			v.SetMapIndex(key, e)
		}
		return !s.HasMin || v.Len() >= int(s.Min)
	case aws.String:
		text, ok := r.text(s)
		v.SetString(text)
		return ok
	case aws.Boolean:
		v.SetBool(r.IntN(2) == 0)
	case aws.Integer, aws.Long:
		return r.integer(s, v)
	case aws.Float, aws.Double:
		low, high := -1e6, 1e6
		if s.HasMin {
			low, high = s.Min, s.Min+1e6
		}
		if s.HasMax {
			low, high = min(low, s.Max), s.Max
		}
		v.SetFloat(low + r.Float64()*(high-low))
		if s.Kind == aws.Float {
			v.SetFloat(float64(float32(v.Float())))
			return (!s.HasMin || v.Float() >= s.Min) && (!s.HasMax || v.Float() <= s.Max)
		}
	case aws.Timestamp:
		t := time.UnixMilli(r.Int64N(4e12)).UTC()
		if m != nil && m.Location != aws.InBody || r.IntN(2) == 0 {
			t = t.Truncate(time.Second)
		}
		v.Set(reflect.ValueOf(t))
	case aws.Blob:
		return r.blob(s, v)
	case aws.Document:
		v.Set(reflect.ValueOf(map[string]any{"a": []any{"b", int64(1), true, 1.5}}))
	}
	return true
}

func (r *random) structure(s *aws.Shape, v reflect.Value, depth int) bool {
	if s.Kind == aws.Union {
		if len(s.Members) == 0 {
			return false
		}
		m := s.Members[r.IntN(len(s.Members))]
		return r.member(m, v, depth)
	}
	for _, m := range s.Members {
		if !m.Required && (depth > 5 || depth > 0 && r.IntN(depth+1) > 0) {
			continue
		}
		if !r.member(m, v, depth) {
			if m.Required {
				return false
			}
			v.FieldByName(m.GoName()).SetZero()
		}
	}
	// A form can't show a structure without members.
	for _, m := range s.Members {
		if !v.IsZero() {
			break
		}
		if !r.member(m, v, depth) {
			v.FieldByName(m.GoName()).SetZero()
		}
	}
	return len(s.Members) == 0 || depth == 0 || !v.IsZero()
}

func (r *random) member(m *aws.Member, v reflect.Value, depth int) bool {
	if m.Shape.EventStream || depth > 24 || m.Name == "Event" && m.Shape.Enum != nil && m.Shape.Kind == aws.String && v.FieldByName("Events").IsValid() {
		return false // S3's Event and Events are both <Event>
	}
	fv := v.FieldByName(m.GoName())
	if fv.Kind() == reflect.Pointer {
		fv.Set(reflect.New(fv.Type().Elem()))
		fv = fv.Elem()
	}
	if m.Location == aws.InHeaders {
		fv.Set(reflect.ValueOf(map[string]string{"a-b": "c", "d": "e, \"f\""}))
		return true
	}
	return r.fill(m.Shape, m, fv, depth+1)
}

func (r *random) size(s *aws.Shape, depth int) int {
	n := 1 + r.IntN(2)
	if depth > 4 {
		n = 1
	}
	if s.HasMin {
		n = max(n, int(s.Min))
	}
	if s.HasMax {
		n = min(n, int(s.Max))
	}
	return n
}

func (r *random) list(s *aws.Shape, v reflect.Value, depth int) bool {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for n := r.size(s, depth); v.Len() < n; {
		e := reflect.New(v.Type().Elem()).Elem()
		if !r.element(s, e, depth) {
			break
		}
		twice := false
		for i := range v.Len() {
			twice = twice || s.UniqueItems && reflect.DeepEqual(v.Index(i).Interface(), e.Interface())
		}
		if twice {
			break
		}
		v.Set(reflect.Append(v, e))
	}
	return !s.HasMin || v.Len() >= int(s.Min)
}

func (r *random) element(s *aws.Shape, v reflect.Value, depth int) bool {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	return r.fill(s.Elem.Shape, s.Elem, v, depth+1)
}

func (r *random) integer(s *aws.Shape, v reflect.Value) bool {
	if s.Enum != nil {
		n, err := strconv.ParseInt(s.Enum[r.IntN(len(s.Enum))], 10, 64)
		v.SetInt(n)
		return err == nil
	}
	low, high := int64(-100), int64(100)
	if s.HasMin {
		low, high = int64(s.Min), int64(s.Min)+200
	}
	if s.HasMax {
		high = int64(s.Max)
		low = min(low, high)
		if s.HasMin {
			low = int64(s.Min)
		}
	}
	if s.Bits == 8 {
		low, high = max(low, -100), min(high, 100)
	}
	v.SetInt(low)
	if high-low > 0 {
		v.SetInt(low + r.Int64N(high-low+1))
	}
	return true
}

func (r *random) blob(s *aws.Shape, v reflect.Value) bool {
	n := 1 + r.IntN(20)
	if s.HasMin {
		n = max(n, int(s.Min))
	}
	if s.HasMax {
		n = min(n, int(s.Max))
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if v.Kind() == reflect.Interface {
		v.Set(reflect.ValueOf(io.NopCloser(bytes.NewReader(b))))
	} else {
		v.SetBytes(b)
	}
	return true
}

// text is a text of s, and whether one was found.
func (r *random) text(s *aws.Shape) (string, bool) {
	if s.Enum != nil {
		return s.Enum[r.IntN(len(s.Enum))], true
	}
	low, high := 0, 20
	if s.HasMin {
		low = int(s.Min)
		high = max(high, low)
	}
	if s.HasMax {
		high = min(high, int(s.Max))
	}
	if s.Pattern != "" {
		re := r.compiled[s.Pattern]
		if re == nil {
			re = regexp.MustCompile(`\A(?:` + s.Pattern + `)\z`)
			r.compiled[s.Pattern] = re
		}
		for range 40 {
			text := string(r.match(nil, r.tree(s.Pattern), low))
			if n := utf8.RuneCountInString(text); re.MatchString(text) && n >= low && (!s.HasMax || n <= int(s.Max)) && safe(text) {
				return text, true
			}
		}
		return "", false
	}
	const letters = "abcXYZ019 <&>\"'%+/=:;,é世😀-_.~"
	runes := []rune(letters)
	n := low
	if high > low {
		n += r.IntN(high - low + 1)
	}
	if s.HasMax && s.Max == 0 {
		return "", true
	}
	out := []rune("x")
	for len(out) < n {
		out = append(out, runes[r.IntN(len(runes))])
	}
	if len(out) > 1 {
		out[len(out)-1] = 'y' // header fields lose spaces at their ends
	}
	return string(out), true
}

// safe says whether a header field and XML can carry s.
func safe(s string) bool {
	for _, c := range s {
		if c < ' ' || c == 0x7f || c == 0xFFFE || c == 0xFFFF {
			return false
		}
	}
	return s != "" && s[0] != ' ' && s[len(s)-1] != ' '
}

func (r *random) tree(pattern string) *syntax.Regexp {
	t := r.patterns[pattern]
	if t == nil {
		t, _ = syntax.Parse(pattern, syntax.Perl)
		r.patterns[pattern] = t
	}
	return t
}

// match appends a text that t matches, of about at least so many characters.
func (r *random) match(b []byte, t *syntax.Regexp, least int) []byte {
	repeat := func(low, high int) {
		n := max(low, min(least, 300)+r.IntN(3))
		if high >= 0 {
			n = min(n, high)
		}
		for range n {
			b = r.match(b, t.Sub[0], 0)
		}
	}
	switch t.Op {
	case syntax.OpLiteral:
		for _, c := range t.Rune {
			b = utf8.AppendRune(b, c)
		}
	case syntax.OpCharClass:
		i := 2 * r.IntN(min(len(t.Rune)/2, 4))
		low, high := t.Rune[i], t.Rune[i+1]
		if low < '0' && high >= '~' {
			low, high = '0', '9'
		}
		b = utf8.AppendRune(b, low+rune(r.IntN(int(min(high-low, 25))+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b = append(b, "abcdefghij"[r.IntN(10)])
	case syntax.OpCapture:
		b = r.match(b, t.Sub[0], least)
	case syntax.OpConcat:
		for _, sub := range t.Sub {
			b = r.match(b, sub, least)
		}
	case syntax.OpAlternate:
		b = r.match(b, t.Sub[r.IntN(len(t.Sub))], least)
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(t.Min, t.Max)
	}
	return b
}
