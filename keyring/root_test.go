package keyring

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestWrongRootKeyIsRefusedByName(t *testing.T) {
	h, root := loaded(t)
	want, _ := root.With(nil)
	words, err := Passphrase("correct horse battery staple")
	check(t, err)
	for name, given := range map[string]RootKey{"file": fileRoot(t), "fleeting": FleetingRoot(), "passphrase": words} {
		err := h.restart(t, given)
		wrong, ok := errors.AsType[*WrongRootError](err)
		if !ok || !slices.Equal(wrong.Store, []string{want.ID()}) || !strings.Contains(err.Error(), "this store was made with another root key (the store's key id "+want.ID()+", given ") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.now.Seal(nil, "", nil, nil); err != ErrLocked {
			t.Errorf("%s: the keyring is open: %v", name, err)
		}
	}
}

func TestPassphraseOpensItsStoreAgain(t *testing.T) {
	h := newHouse(t)
	t.Setenv(PassphraseVariable, "correct horse battery staple")
	root, err := FromEnvironment()
	check(t, err)
	if _, set := os.LookupEnv(PassphraseVariable); set {
		t.Error("the passphrase is still in the environment")
	}
	check(t, h.restart(t, root))
	sealed, err := h.now.Seal(nil, "", []byte("k"), []byte("v"))
	check(t, err)
	again, err := Passphrase("correct horse battery staple")
	check(t, err)
	check(t, h.restart(t, again))
	if plain, err := h.now.Open(nil, "", []byte("k"), sealed); err != nil || string(plain) != "v" {
		t.Errorf("opened %q, %v", plain, err)
	}
	other, err := Passphrase("correct horse battery stable")
	check(t, err)
	if _, ok := errors.AsType[*WrongRootError](h.restart(t, other)); !ok {
		t.Error("another passphrase opened the store")
	}
	if _, err := Passphrase("too short"); err == nil {
		t.Error("a short passphrase was taken")
	}
	if none, err := FromEnvironment(); none != nil || err != nil {
		t.Errorf("no passphrase: %v, %v", none, err)
	}
	for _, parameters := range [][]byte{nil, {1}, append([]byte{1, 0, 0, 0, 1}, make([]byte, saltSize)...), append([]byte{1, 0xFF, 0, 0, 0}, make([]byte, saltSize)...)} {
		if _, err := again.With(parameters); err == nil {
			t.Errorf("parameters %x were taken", parameters)
		}
	}
}

func TestRootFileIsPrivateAndNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	if _, err := RootFile(path, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	_, err := RootFile(path, true)
	check(t, err)
	info, err := os.Stat(path)
	check(t, err)
	if runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := CreateRootFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	text, err := os.ReadFile(path)
	check(t, err)
	if runtime.GOOS != "windows" {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o601} {
			check(t, os.Chmod(path, mode))
			if _, err := ReadRootFile(path); err == nil {
				t.Errorf("mode %v was taken", mode)
			}
		}
		check(t, os.Chmod(path, 0o400))
		if _, err := ReadRootFile(path); err != nil {
			t.Errorf("mode 0400: %v", err)
		}
		check(t, os.Chmod(path, 0o600))
	}
	for _, bad := range [][]byte{nil, []byte("hello"), text[:len(text)-3], bytes.Replace(text, []byte("-1 "), []byte("-2 "), 1), append(bytes.TrimSpace(text), "AAAA"...)} {
		check(t, os.WriteFile(path, bad, 0o600))
		_, err := ReadRootFile(path)
		if err == nil {
			t.Errorf("%q was taken", bad)
		} else if len(text) > 30 && strings.Contains(err.Error(), string(text[25:40])) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if _, err := ReadRootFile(filepath.Dir(path)); err == nil {
		t.Error("a directory was taken")
	}
}
