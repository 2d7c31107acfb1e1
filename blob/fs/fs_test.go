package fs_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/blobtest"
	blobfs "github.com/garrison-security/garrison/blob/fs"
)

func open(t testing.TB, on vfs.FS, dir string) *blobfs.Store {
	t.Helper()
	s, err := blobfs.OpenOn(on, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	blobtest.Run(t, func(t testing.TB) blob.Store { return open(t, vfs.Default, filepath.Join(t.TempDir(), "blob")) })
}

func TestItsOwnerAloneReadsItAndOneProcessHoldsIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blob")
	s := open(t, vfs.Default, dir)
	blobtest.Put(t, s, []byte("x"))
	if _, err := blobfs.Open(dir); err == nil {
		t.Error("opened twice")
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	again := open(t, vfs.Default, dir)
	again.Close()
}

func TestAStrangersFileIsNoBlob(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blob")
	s := open(t, vfs.Default, dir)
	defer s.Close()
	if err := os.MkdirAll(filepath.Join(dir, "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ab", "README"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for info, err := range s.All(t.Context(), "") {
		t.Errorf("%+v, %v", info, err)
	}
}

// What was committed before a loss of power is whole after it, what was not is
// gone, and of what was begun nothing stays.
func TestALossOfPowerLeavesWholeBlobs(t *testing.T) {
	for seed := range uint64(12) {
		disk := vfs.NewCrashableMem()
		s := open(t, disk, "blob")
		kept := map[blob.ID][]byte{}
		for i := range 20 {
			data := blobtest.Bytes(1000*i*i, seed+uint64(i))
			kept[blobtest.Put(t, s, data)] = data
		}
		begun := blob.NewID()
		w, err := s.Create(t.Context(), begun)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(blobtest.Bytes(100_000, seed))
		after := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[seed%3], RNG: rand.New(rand.NewPCG(seed, 1))})
		s = open(t, after, "blob")
		for id, data := range kept {
			if got, err := blobtest.Get(t.Context(), s, id); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("seed %d: %d of %d bytes, %v", seed, len(got), len(data), err)
			}
		}
		if _, err := s.Open(t.Context(), begun); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("what was begun: %v", err)
		}
		if left, err := after.List("blob/begun"); err != nil || len(left) != 0 {
			t.Errorf("left %q, %v", left, err)
		}
		s.Close()
	}
}

// Whichever operation of the file system fails, a blob is whole or absent, its
// writer knows, and nothing is left of it after the next start but a blob that All shows.
func TestEveryFaultLeavesABlobWholeOrAbsent(t *testing.T) {
	data := blobtest.Bytes(300_000, 1)
	for at := 1; ; at++ {
		disk := vfs.NewCrashableMem()
		open(t, disk, "blob").Close()
		n, armed, failed := 0, false, false
		s := open(t, errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if !armed || op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
				return nil
			}
			if n++; n != at {
				return nil
			}
			failed = true
			return syscall.ENOSPC
		})), "blob")
		armed = true
		id := blob.NewID()
		err := write(t, s, id, data)
		s.Close()
		if !failed {
			if at < 5 {
				t.Fatalf("only %d operations", at)
			}
			break
		}
		after := open(t, disk.CrashClone(vfs.CrashCloneCfg{}), "blob")
		got, openErr := blobtest.Get(t.Context(), after, id)
		switch {
		case err == nil && (openErr != nil || !bytes.Equal(got, data)):
			t.Errorf("fault %d: acknowledged, and %d bytes, %v", at, len(got), openErr)
		case err != nil && !errors.Is(err, blob.ErrFull):
			t.Errorf("fault %d: %v, want ErrFull", at, err)
		case err != nil && openErr == nil && !bytes.Equal(got, data):
			t.Errorf("fault %d: a part of a blob", at)
		}
		after.Close()
	}
}

func write(t *testing.T, s blob.Store, id blob.ID, data []byte) error {
	w, err := s.Create(t.Context(), id)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(bytes.Clone(data)); err != nil {
		return err
	}
	return w.Commit(t.Context())
}
