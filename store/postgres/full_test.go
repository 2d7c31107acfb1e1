package postgres_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
)

// TestTheDatabasesDiskIsFull lets the database's files grow no further: what was acknowledged stays, what was
// not is not there, reads go on, and so do writes when there is room again.
func TestTheDatabasesDiskIsFull(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	s.Halt()
	s.Limit(17 << 20) // more than a segment of its log
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	e := open(t, s.TCP(""), postgres.Tuning{Heartbeat: 50 * time.Millisecond})
	key := func(n int) []byte { return store.Key("t/full", "111122223333", fmt.Sprintf("%03d", n)) }
	value := make([]byte, 500_000)
	rand.Read(value)
	put := func(n int) error {
		return e.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Put(key(n), value), tx.Append(store.Event{Scope: "111122223333", Data: fmt.Append(nil, n)}))
		})
	}
	count := func() (n int) {
		t.Helper()
		if err := e.View(t.Context(), func(tx store.Tx) error {
			n = 0
			for pair, err := range tx.Scan(nil, nil, false) {
				if err != nil {
					return err
				}
				if !bytes.Equal(pair.Value, value) {
					t.Errorf("%q is not what was put", pair.Key)
				}
				n++
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		return n
	}
	var err error
	kept := 0
	for kept < 100 && err == nil {
		if err = put(kept); err == nil {
			kept++
		}
	}
	if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownFate) {
		t.Fatalf("after %d values: %v, want ErrUnavailable", kept, err)
	}
	if n := count(); n != kept || kept == 0 {
		t.Errorf("%d values are there, %d were acknowledged", n, kept)
	}
	s.Halt()
	s.Limit(0)
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = put(kept); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("with room again: %v", err)
		}
	}
	if n := count(); n != kept+1 {
		t.Errorf("%d values, want %d", n, kept+1)
	}
	events := 0
	streams, err := e.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range streams {
		for row, err := range e.Rows(t.Context(), stream.ID, 0) {
			if err != nil {
				t.Fatal(err)
			}
			events += int(row.Last - row.First + 1)
		}
	}
	if events != kept+1 {
		t.Errorf("%d events of %d changes", events, kept+1)
	}
}
