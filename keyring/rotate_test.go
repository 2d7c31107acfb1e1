package keyring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/garrison-security/garrison/store"
)

// stopping is an engine whose process dies at its n-th write from now, before
// the write or just after it.
type stopping struct {
	store.Engine
	left  int
	after bool
}

var errStopped = errors.New("the process was stopped")

func (s *stopping) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.left == 0 {
		return errStopped
	}
	if s.left--; s.left > 0 {
		return s.Engine.Update(ctx, fn)
	}
	if s.after {
		if err := s.Engine.Update(ctx, fn); err != nil {
			return err
		}
	}
	return errStopped
}

func TestRotationSurvivesAStopAtEveryStep(t *testing.T) {
	const accounts = 2*rewrapBatch + 10
	finished := false
	for step := 1; !finished; step++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, after %v", step, after), func(t *testing.T) {
				h := newHouse(t)
				path := filepath.Join(t.TempDir(), "root.key")
				root, err := RootFile(path, true)
				check(t, err)
				check(t, h.restart(t, root))
				old, err := root.With(nil)
				check(t, err)
				sealed := seedAccounts(t, h, accounts)

				broken := &stopping{h.engine, step, after}
				h.now.engine = broken
				finished = h.now.RotateFile(t.Context(), path, nil) == nil

				for range 2 { // the next process, which ends the work, and the one after it
					root, err := ReadRootFile(path)
					check(t, err)
					check(t, h.restart(t, root))
					openAll(t, h, sealed)
					check(t, h.now.Verify(t.Context()))
					if len(h.now.RootIDs()) > 1 || h.now.RootIDs()[0] == old.ID() {
						check(t, h.now.RotateFile(t.Context(), path, nil))
						openAll(t, h, sealed)
					}
				}
				if ids := h.now.RootIDs(); len(ids) != 1 || ids[0] == old.ID() {
					t.Errorf("opened by %v", ids)
				}
				if _, ok := errors.AsType[*WrongRootError](h.restart(t, root)); !ok {
					t.Error("the old root key still opens the store")
				}
				if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
					t.Errorf("files left: %v", names)
				}
			})
		}
	}
}

func seedAccounts(t *testing.T, h *house, n int) map[string][]byte {
	t.Helper()
	check(t, h.now.Ensure(t.Context(), "gone"))
	check(t, h.now.Destroy(t.Context(), "gone", nil))
	sealed := map[string][]byte{}
	check(t, h.engine.Update(t.Context(), func(tx store.Tx) error {
		for i := range n {
			name := fmt.Sprintf("%012d", i)
			data := newSecret()
			s := h.now.masters[h.now.newest].wrap(name, h.now.newest, data)
			if err := tx.Put(scopeKey(name), s.value()); err != nil {
				return err
			}
			h.now.replace(s)
		}
		return nil
	}))
	for i := 0; i < n; i += n / 7 {
		name := fmt.Sprintf("%012d", i)
		b, err := h.now.Seal(nil, name, []byte(name), []byte(name))
		check(t, err)
		sealed[name] = b
	}
	return sealed
}

func openAll(t *testing.T, h *house, sealed map[string][]byte) {
	t.Helper()
	for name, b := range sealed {
		if plain, err := h.now.Open(nil, name, []byte(name), b); err != nil || string(plain) != name {
			t.Fatalf("account %s: %q, %v", name, plain, err)
		}
	}
	if !h.now.Destroyed("gone") {
		t.Fatal("a destroyed account came back")
	}
}

func TestRotationKeepsWhatWasSealedAndChangesTheMaster(t *testing.T) {
	h, root := loaded(t, "111111111111")
	sealed, err := h.now.Seal(nil, "111111111111", []byte("k"), []byte("v"))
	check(t, err)
	before := h.rows(t)
	next := fileRoot(t)
	check(t, h.now.Rotate(t.Context(), next, nil, nil))
	after := h.rows(t)
	for key, value := range after {
		if old, same := before[key]; same && string(old) == string(value) {
			t.Errorf("row %q did not change", key)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d rows after %d", len(after), len(before))
	}
	for range 2 {
		if plain, err := h.now.Open(nil, "111111111111", []byte("k"), sealed); err != nil || string(plain) != "v" {
			t.Errorf("opened %q, %v", plain, err)
		}
		check(t, h.now.Ensure(t.Context(), "222222222222"))
		check(t, h.restart(t, next))
	}
	if err := h.restart(t, root); err == nil {
		t.Error("the old root key still opens")
	}
	check(t, h.restart(t, next))
	if err := h.now.Rotate(t.Context(), next, nil, nil); err == nil {
		t.Error("rotated to the same root key")
	}
	words, err := Passphrase("correct horse battery staple")
	check(t, err)
	check(t, h.now.Rotate(t.Context(), words, nil, nil))
	check(t, h.restart(t, words))
}

func TestAGivenUpRotationIsForgottenByTheNext(t *testing.T) {
	h, root := loaded(t)
	refused := errors.New("no")
	given := fileRoot(t)
	if err := h.now.Rotate(t.Context(), given, func() error { return refused }, nil); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	check(t, h.restart(t, root)) // both open
	check(t, h.restart(t, given))
	check(t, h.restart(t, root))
	next := fileRoot(t)
	check(t, h.now.Rotate(t.Context(), next, nil, nil))
	if h.restart(t, given) == nil || h.restart(t, root) == nil {
		t.Error("a root key that was left still opens")
	}
	check(t, h.restart(t, next))
}

func TestWhatIsNotRecordedIsNotRotated(t *testing.T) {
	h, root := loaded(t)
	refused := errors.New("no")
	next := fileRoot(t)
	check(t, h.restart(t, root))
	if err := h.now.Rotate(t.Context(), next, nil, func(store.Tx, bool) error { return refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if h.restart(t, next) == nil {
		t.Error("the new root key opens what no record says was rotated")
	}
	check(t, h.restart(t, root))
	begun := 0
	note := func(_ store.Tx, done bool) error {
		if done {
			return refused
		}
		begun++
		return nil
	}
	for range 2 { // stopped before the old key is retired, and taken up
		if err := h.now.Rotate(t.Context(), next, nil, note); !errors.Is(err, refused) {
			t.Fatal(err)
		}
		check(t, h.restart(t, next))
		check(t, h.restart(t, root))
	}
	if begun != 2 {
		t.Errorf("begun %d times", begun)
	}
}

func TestRotateFileLeavesAReadableKey(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(t.TempDir(), "root.key")
	root, err := RootFile(path, true)
	check(t, err)
	check(t, h.restart(t, root))
	check(t, h.now.RotateFile(t.Context(), path, nil))
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v", info.Mode())
	}
	next, err := ReadRootFile(path)
	check(t, err)
	check(t, h.restart(t, next))
}
