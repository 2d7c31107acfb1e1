package sigv4_test

import (
	"crypto/sha256"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/wire/sigv4"
)

// refusals are the ways to be refused that a stranger must not tell apart by
// their cost: a wrong secret of a key in use, of a key not in use, no such key.
func refusals(t *testing.T) map[string]func() {
	s := corpus(t)["json"]
	used, idle := sigv4.NewKeyCache(0), sigv4.NewKeyCache(0)
	if err := s.verify(used); err != nil {
		t.Fatal(err)
	}
	wrong := s.clone()
	auth := wrong.header().Get("Authorization")
	wrong.header().Set("Authorization", auth[:strings.Index(auth, "Signature=")+10]+strings.Repeat("0", 64))
	prepare := func() *sigv4.Signature {
		sig, err := sigv4.Parse(&wrong.req, wrong.rules)
		if err == nil {
			err = sig.Admit(signedAt, wrong.scope)
		}
		if err == nil {
			err = sig.Prepare(sha256.Sum256(wrong.body))
		}
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	a, b, c := prepare(), prepare(), prepare()
	return map[string]func(){
		"a key in use":     func() { a.Verify(used, secret) },
		"a key not in use": func() { b.Verify(idle, secret) },
		"no key":           func() { c.VerifyUnknown(used) },
	}
}

// allocations are those of f where every pool has what it is asked for: the
// race detector has pools drop what is put back, at random.
func allocations(f func()) float64 {
	fewest := testing.AllocsPerRun(1, f)
	for range 200 {
		fewest = min(fewest, testing.AllocsPerRun(1, f))
	}
	return fewest
}

// TestRefusalsCostTheSame counts allocations, which differ where the work does.
// With GARRISON_SOAK it also compares the medians of 20,000 timings of each.
func TestRefusalsCostTheSame(t *testing.T) {
	all := refusals(t)
	want := allocations(all["a key in use"])
	for name, refuse := range all {
		if got := allocations(refuse); got < want-1 || got > want+1 { // VerifyUnknown makes a second error
			t.Errorf("%s: %v allocations, a key in use %v", name, got, want)
		}
	}
	if os.Getenv("GARRISON_SOAK") == "" {
		return
	}
	times := map[string][]time.Duration{}
	for range 20000 {
		for name, refuse := range all {
			start := time.Now()
			refuse()
			times[name] = append(times[name], time.Since(start))
		}
	}
	median := func(name string) time.Duration {
		slices.Sort(times[name])
		return times[name][len(times[name])/2]
	}
	base := median("a key in use")
	for name := range times {
		if m := median(name); m < base*9/10 || m > base*11/10 {
			t.Errorf("%s: %v, a key in use %v", name, m, base)
		}
	}
}
