package pebble_test

import (
	"testing"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	opts := storetest.Options()
	for range 3 {
		e, err := pebble.Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		k := store.Key("t", "1", "a")
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			tx.Append(store.Event{Data: []byte("x")})
			return tx.Put(k, []byte("v"))
		}); err != nil {
			t.Fatal(err)
		}
		if err := e.View(t.Context(), func(tx store.Tx) error {
			for p, err := range tx.Scan(nil, nil, true) {
				t.Logf("%q %q %v", p.Key, p.Value, err)
			}
			v, err := tx.Get(k)
			t.Logf("%q %v", v, err)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		t.Log(e.Streams(t.Context()))
		for r, err := range e.Rows(t.Context(), 1, 0) {
			t.Log(r.First, r.Last, err)
		}
		t.Log(e.Free())
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
