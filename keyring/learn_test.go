package keyring

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/garrison-security/garrison/store"
)

// another is a second process on the same store, with the same root key.
func another(t *testing.T, h *house, root RootKey) *Keyring {
	t.Helper()
	k := New()
	check(t, k.Load(t.Context(), h.engine, root))
	return k
}

func opens(t *testing.T, from, to *Keyring, scope string) error {
	t.Helper()
	sealed, err := from.Seal(nil, scope, []byte("key"), []byte("value"))
	check(t, err)
	value, err := to.Open(nil, scope, []byte("key"), sealed)
	if err == nil && string(value) != "value" {
		t.Errorf("opened %q", value)
	}
	return err
}

func TestLearnFindsKeysOfOtherProcesses(t *testing.T) {
	h, root := loaded(t)
	other := another(t, h, root)
	check(t, h.now.Ensure(t.Context(), "111122223333"))
	if err := opens(t, h.now, other, "111122223333"); !errors.Is(err, store.ErrUnknownScope) || !errors.Is(err, ErrUnknownScope) {
		t.Errorf("before Learn: %v", err)
	}
	check(t, other.Learn(t.Context(), h.engine, "111122223333"))
	check(t, opens(t, h.now, other, "111122223333"))
	check(t, opens(t, other, h.now, "111122223333"))
	check(t, other.Learn(t.Context(), h.engine, "111122223333"))

	if err := other.Learn(t.Context(), h.engine, "444455556666"); !errors.Is(err, ErrUnknownScope) {
		t.Errorf("Learn of what nobody has made: %v", err)
	}
	if _, err := other.Seal(nil, "444455556666", nil, nil); !errors.Is(err, ErrUnknownScope) {
		t.Errorf("and then: %v", err)
	}
	check(t, h.now.Ensure(t.Context(), "777788889999"))
	check(t, h.now.Destroy(t.Context(), "777788889999", nil))
	check(t, other.Learn(t.Context(), h.engine, "777788889999"))
	if !other.Destroyed("777788889999") {
		t.Error("a key that was destroyed elsewhere is not known as such")
	}
	other.Close()
	if err := other.Learn(t.Context(), h.engine, "111122223333"); !errors.Is(err, ErrLocked) {
		t.Errorf("Learn of a locked keyring: %v", err)
	}
}

// A key made while another process rotates the root key is wrapped by a master
// key that this one has not read.
func TestLearnDuringARotationElsewhere(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(t.TempDir(), "root.key")
	root, err := RootFile(path, true)
	check(t, err)
	check(t, h.restart(t, root))
	other, next := another(t, h, root), fileRoot(t)
	if err := h.now.Rotate(t.Context(), next, func() error { return errStopped }, nil); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	rotating := another(t, h, next)
	check(t, rotating.Ensure(t.Context(), "111122223333"))
	check(t, other.Learn(t.Context(), h.engine, "111122223333"))
	check(t, opens(t, rotating, other, "111122223333"))

	check(t, rotating.Rotate(t.Context(), next, nil, nil))
	check(t, rotating.Ensure(t.Context(), "444455556666"))
	if err := other.Learn(t.Context(), h.engine, "444455556666"); err != nil {
		t.Errorf("with the old root key, and the new master key known: %v", err)
	}
	check(t, opens(t, rotating, other, "111122223333"))
	late := fileRoot(t)
	check(t, rotating.Rotate(t.Context(), late, nil, nil))
	check(t, rotating.Ensure(t.Context(), "777788889999"))
	if wrong, ok := errors.AsType[*WrongRootError](other.Learn(t.Context(), h.engine, "777788889999")); !ok {
		t.Errorf("after another rotation the first root key learns: %v", wrong)
	}
	check(t, opens(t, rotating, other, "111122223333")) // what it knew it still knows
}

func TestHolds(t *testing.T) {
	h, root := newHouse(t), fileRoot(t)
	for _, want := range []bool{false, true} {
		if got, err := Holds(t.Context(), h.engine); got != want || err != nil {
			t.Errorf("Holds = %t, %v, want %t", got, err, want)
		}
		check(t, h.restart(t, root))
	}
}
