package backup

import (
	"bytes"
	"errors"
	"testing"
	"time"

	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/storetest"
)

// TestARestoredStoreSaysSoUntilItIsRecorded from the moment on that it can be opened.
func TestARestoredStoreSaysSoUntilItIsRecorded(t *testing.T) {
	options, aead := storetest.Options(), newAEAD(t)
	from := open(t, onPebble(t), options, blobmem.New())
	if err := from.put(t.Context(), "d", []byte("content")); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if _, err := from.backUp(&stream, aead); err != nil {
		t.Fatal(err)
	}
	to := onPebble(t)
	blobs, _, err := restore(t, to, options, aead, &stream)
	if err != nil {
		t.Fatal(err)
	}
	says := func(p *plant) (of *Manifest) {
		t.Helper()
		if err := p.engine.View(t.Context(), func(tx store.Tx) (err error) {
			of, err = Restored(tx)
			return err
		}); err != nil {
			t.Error(err)
		}
		return of
	}
	p := open(t, to, options, blobs)
	if of := says(p); of == nil || of.Release != "v0.1.0" || time.Since(of.Time) > time.Hour {
		t.Errorf("the restored store says %+v", of)
	}
	if of := says(from); of != nil {
		t.Errorf("the store that was backed up says %+v", of)
	}
	if err := p.engine.Update(t.Context(), Recorded); err != nil {
		t.Error(err)
	}
	if of := says(p); of != nil {
		t.Errorf("once recorded the restored store says %+v", of)
	}
}

func TestWithKeepsTheOrder(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		have string
		err  error
		want string
	}{
		{"", nil, "m"},
		{"ac", nil, "acm"},
		{"xz", nil, "mxz"},
		{"amz", nil, "amz"},
		{"az", nil, "amz"},
		{"a", broken, "a"},
	} {
		pairs := func(yield func(store.Pair, error) bool) {
			for _, k := range []byte(c.have) {
				if !yield(store.Pair{Key: []byte{k}, Value: []byte("old")}, nil) {
					return
				}
			}
			if c.err != nil {
				yield(store.Pair{}, c.err)
			}
		}
		var got []byte
		var failed error
		for pair, err := range with(store.Pair{Key: []byte("m"), Value: []byte("new")}, pairs) {
			if failed = err; err != nil {
				continue
			}
			if got = append(got, pair.Key...); (string(pair.Key) == "m") != (string(pair.Value) == "new") {
				t.Errorf("%q: %s is %s", c.have, pair.Key, pair.Value)
			}
		}
		if string(got) != c.want || failed != c.err {
			t.Errorf("%q, %v: %q, %v; want %q", c.have, c.err, got, failed, c.want)
		}
		for range with(store.Pair{Key: []byte("m")}, pairs) {
			break // goes no further, or it panics
		}
	}
}
