package keyring

import (
	"fmt"
	"testing"

	"github.com/garrison-security/garrison/store"
)

func BenchmarkSeal1KiB(b *testing.B) {
	h, _ := loaded(b, "111111111111")
	key, plain, dst := store.Key("iam/user", "111111111111", "alice"), make([]byte, 1024), make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.now.Seal(dst, "111111111111", key, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen1KiB(b *testing.B) {
	h, _ := loaded(b, "111111111111")
	key, dst := store.Key("iam/user", "111111111111", "alice"), make([]byte, 0, 2048)
	sealed, err := h.now.Seal(nil, "111111111111", key, make([]byte, 1024))
	check(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.now.Open(dst, "111111111111", key, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealManyAccounts(b *testing.B) {
	h, _ := loaded(b)
	var names []string
	for i := range 100_000 {
		s := h.now.masters[1].wrap(fmt.Sprintf("%012d", i), 1, newSecret())
		h.now.replace(s)
		names = append(names, s.name)
	}
	i, dst := 0, make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.now.Seal(dst, names[i%len(names)], nil, nil); err != nil {
			b.Fatal(err)
		}
		i += 7919
	}
}

// BenchmarkLoad is the start of a process on a store of 100,000 accounts.
func BenchmarkLoad100kAccounts(b *testing.B) {
	h, root := loaded(b)
	for from := 0; from < 100_000; from += 10_000 {
		check(b, h.engine.Update(b.Context(), func(tx store.Tx) error {
			for i := range 10_000 {
				s := h.now.masters[1].wrap(fmt.Sprintf("%012d", from+i), 1, newSecret())
				if err := tx.Put(scopeKey(s.name), s.value()); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for b.Loop() {
		check(b, h.restart(b, root))
	}
}

func TestSealingAllocatesNothing(t *testing.T) {
	h, _ := loaded(t, "111111111111")
	key, plain, dst := store.Key("t", "111111111111", "k"), make([]byte, 512), make([]byte, 0, 1024)
	sealed, err := h.now.Seal(nil, "111111111111", key, plain)
	check(t, err)
	out := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(1000, func() {
		h.now.Seal(dst, "111111111111", key, plain)
		h.now.Open(out, "111111111111", key, sealed)
	})
	if n >= 1 && !raceEnabled {
		t.Errorf("%.1f allocations", n)
	}
}
