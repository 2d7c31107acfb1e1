package strictjson

import (
	"strings"
	"testing"
)

var (
	roomy = Limits{Bytes: 1 << 20, Depth: 20, Values: 1000}
	tight = Limits{Bytes: 4096, Depth: 5, Values: 100}
)

func TestJSONIsReadStrictly(t *testing.T) {
	for _, c := range []struct {
		doc string
		ok  bool
	}{
		{`{"a":[1,-2.5e+3,true,false,null,"x"]}`, true},
		{` { } `, true},
		{`"\u00e9\ud83d\ude00\"\\\/\n\r\t"`, true},
		{`{"a":1,}`, false}, {`[1,]`, false}, {`{a:1}`, false}, {`{"a" 1}`, false}, {`{"a":1 "b":2}`, false},
		{`[1 2]`, false}, {`01`, false}, {`1.`, false}, {`.5`, false}, {`+1`, false}, {`1e`, false}, {`-`, false}, {`tru`, false}, {`NaN`, false},
		{`"`, false}, {`"\`, false}, {`"\x"`, false}, {`"\u12"`, false}, {`"\b"`, false}, {"\"\n\"", false}, {"\"\\t\n\"", false},
		{`"\u0000"`, false}, {`"\u0001"`, false}, {`"\ud83d"`, false}, {`"\ud83dx"`, false}, {`"\ude00\ud83d"`, false}, {`"\ud83d\u0041"`, false},
		{"\"\xff\"", false}, {"\"\\n\xff\"", false}, {"\ufeff{}", false}, {`{"a":1,"\u0061":2}`, false}, {``, false}, {`{} {}`, false}, {"\v{}", false},
	} {
		if _, err := Read([]byte(c.doc), roomy); (err == nil) != c.ok {
			t.Errorf("Read(%q) = %v, want it read: %v", c.doc, err, c.ok)
		}
	}
	if n, _ := Read([]byte(`"\u00e9\ud83d\ude00\t"`), roomy); n.Text != "é😀\t" {
		t.Errorf("escapes read as %q", n.Text)
	}
}

// TestJSONIsBounded: what is within a bound is read, what is beyond is not.
func TestJSONIsBounded(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(n int) string { return "[" + strings.Repeat("0,", n-2) + "0]" }
	for name, c := range map[string]struct{ within, beyond string }{
		"depth":  {deep(tight.Depth + 1), deep(tight.Depth + 2)},
		"values": {many(tight.Values), many(tight.Values + 1)},
		"size":   {strings.Repeat(" ", tight.Bytes-1) + "0", strings.Repeat(" ", tight.Bytes) + "0"},
	} {
		if _, err := Read([]byte(c.within), tight); err != nil {
			t.Errorf("%s: what is within the bound is refused", name)
		}
		if _, err := Read([]byte(c.beyond), tight); err == nil {
			t.Errorf("%s: what is beyond the bound is read", name)
		}
	}
}

// TestErrorSaysWhere: the place is where reading stopped, a repeated name's where it stands again.
func TestErrorSaysWhere(t *testing.T) {
	for doc, want := range map[string]Error{
		`{"a":1,"a":2}`: {7, "a name stands twice"},
		`{"a":x}`:       {5, "this is not JSON"},
		`{"a":1} x`:     {8, "there is more after the end"},
		`{"a":1`:        {6, "the text ends too early"},
		`[[[[[[[`:       {6, "the text is nested too deep or holds too many values"},
	} {
		_, err := Read([]byte(doc), tight)
		if got, ok := err.(*Error); !ok || *got != want {
			t.Errorf("Read(%s) = %+v, want %+v", doc, err, want)
		}
	}
}

// TestManyNames: a name that stands twice is found among few and among many.
func TestManyNames(t *testing.T) {
	for _, n := range []int{2, fewMembers - 1, fewMembers, fewMembers + 1, 60} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strings.Repeat("n", i+1) + `":0,`)
		}
		for _, again := range []int{1, n} {
			if _, err := Read([]byte("{"+b.String()+`"`+strings.Repeat("n", again)+`":0}`), roomy); err == nil {
				t.Errorf("name %d of %d stands twice and is taken", again, n)
			}
		}
		if _, err := Read([]byte("{"+b.String()+`"x":0}`), roomy); err != nil {
			t.Errorf("%d names: %v", n+1, err)
		}
	}
}
