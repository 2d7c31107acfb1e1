package wire

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// TestPatternsMatchAsRegexps compares the short way for classes with Go's
// regular expressions, on texts near their edges.
func TestPatternsMatchAsRegexps(t *testing.T) {
	patterns := []string{
		`[\w+=,.@-]+`, `[\w+=,.@-]*`, `[a-z]{2,4}`, `^[a-z]{2,4}$`, `([a-z])`, `[^a-z]?`, `.*`, `.+`, `(?s).*`, `[\x{0009}\x{000A}\x{000D}\x{0020}-\x{00FF}]+`,
		`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, `\d{12}`, `\S+`, `(?i)[a-f]+`, `[^\x00-\x1f]{0,3}`, `a|b`, `[a-z]+[0-9]`, `^$`, `x`, `(?m)^[a-z]+$`, `\A[a-z]+\z`, `[a-z]*?`,
	}
	alphabet := []rune("abcxyzAFK09_+=,.@-\n\t\r \x00\x1f\x7fé世😀ÿĀſK\u2028")
	r := rand.New(rand.NewPCG(1, 1))
	short := 0
	for _, text := range patterns {
		p, err := compilePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.re == nil {
			short++
		}
		re := regexp.MustCompile(`\A(?:` + text + `)\z`)
		for range 3000 {
			s := make([]rune, r.IntN(6))
			for i := range s {
				s[i] = alphabet[r.IntN(len(alphabet))]
			}
			if got, want := p.match(string(s)), re.MatchString(string(s)); got != want {
				t.Fatalf("%s on %q: %v, want %v", text, string(s), got, want)
			}
		}
	}
	if short < 12 {
		t.Errorf("only %d patterns went the short way", short)
	}
}

func BenchmarkPattern(b *testing.B) {
	p, err := compilePattern(`[\x{0009}\x{000A}\x{000D}\x{0020}-\x{00FF}]+`)
	if err != nil {
		b.Fatal(err)
	}
	policy := make([]byte, 6144)
	for i := range policy {
		policy[i] = "{\"Action\": \"s3:Get*\"}"[i%21]
	}
	text := string(policy)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if !p.match(text) {
			b.Fatal("no match")
		}
	}
}
