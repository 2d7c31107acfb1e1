package pebble_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	crdb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		{"a store of a newer release, by name", func(t *testing.T, dir string) {
			o := storetest.Options()
			o.Release = "v0.10.0"
			openClose(t, dir, o)
		}, "written by release v0.10.0"},
		{"a database that is not a store", func(t *testing.T, dir string) {
			db, err := crdb.Open(dir, &crdb.Options{Logger: quiet{}})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Set([]byte("k"), nil, crdb.Sync), db.Close()); err != nil {
				t.Fatal(err)
			}
		}, "no store of Garrison's"},
		{"a store that is open already", func(t *testing.T, dir string) {
			e, err := pebble.Open(dir, storetest.Options())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.Close() })
		}, "in use"},
		{"a file in place of the directory", func(t *testing.T, dir string) {
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "open store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			c.prepare(t, dir)
			o := storetest.Options()
			o.Release = "v0.9.3"
			e, err := pebble.Open(dir, o)
			if err == nil {
				e.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q", err, c.want)
			}
		})
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func openClose(t *testing.T, dir string, o store.Options) {
	t.Helper()
	e, err := pebble.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderStoreIsOpenedAndStamped(t *testing.T) {
	dir, o := t.TempDir(), storetest.Options()
	for _, release := range []string{"v0.1.0", "v0.1.0", "devel", "v0.1.0", "v0.2.0-rc.1"} {
		o.Release = release
		openClose(t, dir, o)
	}
	o.Release = "v0.1.9"
	if _, err := pebble.Open(dir, o); err == nil || !strings.Contains(err.Error(), "v0.2.0-rc.1") {
		t.Errorf("Open = %v", err)
	}
}

func TestNobodyElseReadsTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "store")
	e, err := pebble.Open(dir, storetest.Options())
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"the value of a record", "what an event says"}
	for range 3 {
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Put(key("name"), []byte(secrets[0])), tx.Put(key("big"), make([]byte, 3<<20)))
		}); err != nil {
			t.Fatal(err)
		}
	}
	look := func() {
		t.Helper()
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			info, statErr := d.Info()
			if errors.Is(statErr, fs.ErrNotExist) { // compacted away meanwhile
				return nil
			}
			if err := errors.Join(err, statErr); err != nil {
				t.Fatal(err)
			}
			want := fs.FileMode(0o600)
			if d.IsDir() {
				want = 0o700
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", path, got, want)
			}
			if content, _ := os.ReadFile(path); bytes.Contains(content, []byte(secrets[0])) {
				t.Errorf("%s holds a value in the clear", path)
			}
			return nil
		})
	}
	look()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	look()
}

func TestAReadThatFailsIsNotTakenForAMissingKey(t *testing.T) {
	mem, fail := vfs.NewMem(), new(atomic.Bool)
	disk := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if fail.Load() && op.Kind == errorfs.OpFileReadAt {
			return errDisk
		}
		return nil
	}))
	o := storetest.Options()
	for range 2 { // the first life fills tables, the second reads them
		e, err := pebble.OpenOn(disk, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Put(key("a"), make([]byte, 50_000)), tx.Put(key("b"), make([]byte, 50_000)))
		}); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e, err := pebble.OpenOn(disk, o)
	if err != nil {
		t.Fatal(err)
	}
	fail.Store(true)
	err = e.Update(t.Context(), func(tx store.Tx) error {
		_, getErr := tx.Get(key("b"))
		var scanErr error
		for _, err := range tx.Scan(nil, nil, false) {
			scanErr = err
		}
		for _, err := range []error{getErr, scanErr} {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("err = %v, want ErrUnavailable", err)
			}
		}
		return getErr
	})
	if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "pebble") {
		t.Errorf("Update = %v", err)
	}
	fail.Store(false)
	e.Close()
}
