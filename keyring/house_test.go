package keyring

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

// house is a store that outlives its keyrings, as a data directory outlives processes.
type house struct {
	engine store.Engine
	now    *Keyring
}

func (h *house) Seal(dst []byte, scope string, key, plain []byte) ([]byte, error) {
	return h.now.Seal(dst, scope, key, plain)
}

func (h *house) Open(dst []byte, scope string, key, sealed []byte) ([]byte, error) {
	return h.now.Open(dst, scope, key, sealed)
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{now: New()}
	engine, err := mem.Open(store.Options{Sealer: h, Journal: storetest.Journal{}, Release: "v0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	h.engine = engine
	return h
}

// restart is the next process: it knows nothing but the store and root.
func (h *house) restart(t testing.TB, root RootKey) error {
	t.Helper()
	h.now = New()
	return h.now.Load(t.Context(), h.engine, root)
}

func fileRoot(t testing.TB) RootKey {
	t.Helper()
	root, err := CreateRootFile(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func loaded(t testing.TB, scopes ...string) (*house, RootKey) {
	t.Helper()
	h, root := newHouse(t), fileRoot(t)
	check(t, h.restart(t, root))
	for _, s := range scopes {
		check(t, h.now.Ensure(t.Context(), s))
	}
	return h, root
}

// rows are the keyring's own rows, as whoever has the disk sees them.
func (h *house) rows(t testing.TB) map[string][]byte {
	t.Helper()
	rows := map[string][]byte{}
	check(t, h.engine.View(t.Context(), func(tx store.Tx) error {
		from, to := store.Prefix(store.KeyringTable, "")
		for p, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			rows[string(p.Key)] = bytes.Clone(p.Value)
		}
		return nil
	}))
	return rows
}

func (h *house) put(t testing.TB, key string, value []byte) {
	t.Helper()
	check(t, h.engine.Update(t.Context(), func(tx store.Tx) error {
		if value == nil {
			return tx.Delete([]byte(key))
		}
		return tx.Put([]byte(key), value)
	}))
}
