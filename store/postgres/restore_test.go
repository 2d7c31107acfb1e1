package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

// finishing is a connection that breaks when it stamps a restored store, whether or not that arrives.
type finishing struct {
	net.Conn
	arrives bool
}

func (f finishing) Write(b []byte) (int, error) {
	if !bytes.Contains(b, []byte("\x00sm\x00")) {
		return f.Conn.Write(b)
	}
	if f.arrives {
		_, _ = f.Conn.Write(b)
		_, _ = f.Conn.Read(make([]byte, 1)) // it is carried out, and the answer is lost
	}
	return 0, errors.Join(errCut, f.Conn.Close())
}

// TestWhatBecameOfARestoreThatLosesItsAnswerIsNotKnown, so that nobody removes what it may need; nor does Abort, if it is finished.
func TestWhatBecameOfARestoreThatLosesItsAnswerIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, arrives := range []bool{true, false} {
		url, options := pgtest.URL(t), storetest.Options()
		to, err := postgres.RestoreBy(t.Context(), url, options, func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return finishing{conn, arrives}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := options.Seal(key("a"), []byte("value"))
		if err == nil {
			err = to.Put(t.Context(), key("a"), sealed)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Finish(t.Context(), 3); !errors.Is(err, store.ErrUnknownFate) {
			t.Errorf("arrives %t: %v", arrives, err)
		}
		to.Abort()
		e := openWith(t, url, options, postgres.Tuning{})
		err = e.View(t.Context(), func(tx store.Tx) error {
			_, err := tx.Get(key("a"))
			return err
		})
		if arrives && err != nil || !arrives && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("arrives %t: then %v", arrives, err)
		}
	}
}
