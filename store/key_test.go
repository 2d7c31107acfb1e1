package store_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/garrison-security/garrison/store"
)

var ctx = context.Background()

func FuzzKey(f *testing.F) {
	f.Add("iam/user", "111122223333", "a", "b", "a", "")
	f.Add("", "", "\x00", "\x00\xff", "\x00\x01", "\x00\x02")
	f.Fuzz(func(t *testing.T, table, scope, a, b, c, d string) {
		one, two := store.Key(table, scope, a, b), store.Key(table, scope, c, d)
		gotTable, gotScope, parts, ok := store.Parts(one)
		if !ok || gotTable != table || gotScope != scope || !slices.Equal(parts, []string{a, b}) {
			t.Errorf("Parts(%q) = %q, %q, %q, %t", one, gotTable, gotScope, parts, ok)
		}
		if got := store.Scope(one); got != scope {
			t.Errorf("Scope(%q) = %q, want %q", one, got, scope)
		}
		if got, want := bytes.Compare(one, two), slices.Compare([]string{a, b}, []string{c, d}); got != want {
			t.Errorf("keys of (%q, %q) and (%q, %q) compare %d, their parts %d", a, b, c, d, got, want)
		}
		from, to := store.Prefix(table, scope, a)
		for _, k := range [][]byte{one, two, store.Key(table, scope, a), store.Key(table, scope, c)} {
			_, _, parts, _ := store.Parts(k)
			inside := bytes.Compare(from, k) <= 0 && bytes.Compare(k, to) < 0
			if inside != (parts[0] == a) {
				t.Errorf("key of %q inside the prefix %q: %t", parts, a, inside)
			}
		}
		if err := store.CheckKey(one); err != nil && len(one) <= store.MaxKey {
			t.Errorf("CheckKey(%q) = %v", one, err)
		}
	})
}

func FuzzParts(f *testing.F) {
	f.Add([]byte("a\x00\x01\x00\x01b\x00\xffc\x00\x01"))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, key []byte) {
		table, scope, parts, ok := store.Parts(key)
		if ok && !bytes.Equal(store.Key(table, scope, parts...), key) {
			t.Errorf("Parts(%q) = %q, %q, %q, which make another key", key, table, scope, parts)
		}
		store.Scope(key)
	})
}
