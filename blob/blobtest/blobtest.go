// Package blobtest is the contract of blob.Store, as tests that every engine
// runs in one line.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/blob"
)

// Run tests that an engine keeps the contract. open opens a new and empty store,
// which is closed at the case's end.
func Run(t *testing.T, open func(testing.TB) blob.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, blob.Store)
	}{
		{"what is committed is read back, at every offset", readBack},
		{"what is not committed is not there", uncommitted},
		{"a name is a name and no path", names},
		{"a blob is written once", once},
		{"blobs are listed in order, from any place", listed},
		{"what is removed is gone, and removing nothing is no error", removed},
		{"a reader never sees other bytes than were committed", readers},
		{"a context that has ended ends what was asked", contexts},
		{"many write at once", crowd},
		{"tidying touches neither what is kept nor what is being written", tidied},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			c.run(t, s)
		})
	}
}

// Put keeps data as a new blob. Each part is a copy: pebble's file system in
// memory, which tests use, spoils what it was given when it is built to find races.
func Put(t testing.TB, s blob.Store, data []byte) blob.ID {
	t.Helper()
	id := blob.NewID()
	w, err := s.Create(t.Context(), id)
	if err != nil {
		t.Fatal("create: ", err)
	}
	defer w.Abort()
	for part := range slices.Chunk(data, 100_000) {
		if n, err := w.Write(bytes.Clone(part)); err != nil || n != len(part) {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal("commit: ", err)
	}
	return id
}

// Get is all of a blob.
func Get(ctx context.Context, s blob.Store, id blob.ID) ([]byte, error) {
	r, err := s.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

// Bytes are n bytes that depend on seed.
func Bytes(n int, seed uint64) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, n)
	source.Read(b)
	return b
}

func want(t *testing.T, s blob.Store, id blob.ID, data []byte) {
	t.Helper()
	if got, err := Get(t.Context(), s, id); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%s: %d bytes, %v; want %d bytes", id, len(got), err, len(data))
	}
}

func all(t *testing.T, s blob.Store, after blob.ID) (ids []blob.ID) {
	t.Helper()
	for info, err := range s.All(t.Context(), after) {
		if err != nil {
			t.Fatal("list: ", err)
		}
		ids = append(ids, info.ID)
	}
	return ids
}

func readBack(t *testing.T, s blob.Store) {
	for i, n := range []int{0, 1, 4095, 64 << 10, 1<<20 + 1} {
		data := Bytes(n, uint64(i))
		id := Put(t, s, data)
		want(t, s, id, data)
		r, err := s.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(n) {
			t.Errorf("size %d of %d bytes", r.Size(), n)
		}
		for _, from := range []int{0, n / 3, n - 1, n, n + 1} {
			if from < 0 {
				continue
			}
			b := make([]byte, 100)
			got, err := r.ReadAt(b, int64(from))
			rest := data[min(from, n):]
			if got != min(len(rest), len(b)) || !bytes.Equal(b[:got], rest[:got]) || (got < len(b)) != (err != nil) || err != nil && err != io.EOF {
				t.Errorf("%d bytes of %d at %d, %v", got, n, from, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error("close: ", err)
		}
	}
}

func uncommitted(t *testing.T, s blob.Store) {
	begun, aborted := blob.NewID(), blob.NewID()
	w, err := s.Create(t.Context(), begun)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.Create(t.Context(), aborted)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.Writer{w, gone} {
		if _, err := w.Write(Bytes(1<<20, 1)); err != nil {
			t.Fatal(err)
		}
	}
	gone.Abort()
	gone.Abort()
	if err := gone.Commit(t.Context()); err == nil {
		t.Error("committed after Abort")
	}
	for _, id := range []blob.ID{begun, aborted} {
		if _, err := s.Open(t.Context(), id); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("open = %v, want ErrNotFound", err)
		}
	}
	if ids := all(t, s, ""); len(ids) != 0 {
		t.Errorf("listed %q", ids)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err == nil {
		t.Error("committed twice")
	}
	w.Abort()
	if n, err := w.Write([]byte("more")); err == nil {
		t.Errorf("wrote %d bytes after Commit", n)
	}
	want(t, s, begun, Bytes(1<<20, 1))
}

func names(t *testing.T, s blob.Store) {
	for _, id := range []blob.ID{"", "..", "../../etc/passwd", "a/b", blob.ID(strings.Repeat("A", 32)), blob.ID(strings.Repeat("a", 31) + "/"),
		blob.ID(strings.Repeat("a", 33)), blob.ID(strings.Repeat("a", 31) + "\x00")} {
		if w, err := s.Create(t.Context(), id); err == nil {
			w.Abort()
			t.Errorf("created %q", id)
		}
		if _, err := s.Open(t.Context(), id); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("open %q = %v", id, err)
		}
		if err := s.Remove(t.Context(), id); err != nil {
			t.Errorf("remove %q = %v", id, err)
		}
	}
}

func once(t *testing.T, s blob.Store) {
	id := Put(t, s, []byte("first"))
	if w, err := s.Create(t.Context(), id); err == nil {
		w.Write([]byte("second"))
		if err := w.Commit(t.Context()); err == nil {
			t.Error("a blob was written again")
		}
	}
	want(t, s, id, []byte("first"))
}

func listed(t *testing.T, s blob.Store) {
	var ids []blob.ID
	began := time.Now().Add(-time.Minute)
	for i := range 100 {
		ids = append(ids, Put(t, s, Bytes(i, uint64(i))))
	}
	sizes := map[blob.ID]int64{}
	for i, id := range ids {
		sizes[id] = int64(i)
	}
	slices.Sort(ids)
	if got := all(t, s, ""); !slices.Equal(got, ids) {
		t.Errorf("listed %d of %d, or in another order", len(got), len(ids))
	}
	for _, i := range []int{0, 42, 99} {
		if got := all(t, s, ids[i]); !slices.Equal(got, ids[i+1:]) {
			t.Errorf("after the one at %d: %d", i, len(got))
		}
	}
	for info, err := range s.All(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != sizes[info.ID] || info.Kept.Before(began) || info.Kept.After(time.Now().Add(time.Minute)) {
			t.Errorf("%+v", info)
		}
		if info.ID == ids[50] {
			break
		}
	}
}

func removed(t *testing.T, s blob.Store) {
	gone, kept := Put(t, s, []byte("gone")), Put(t, s, []byte("kept"))
	for range 2 {
		if err := s.Remove(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Open(t.Context(), gone); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("open = %v", err)
	}
	want(t, s, kept, []byte("kept"))
	if ids := all(t, s, ""); !slices.Equal(ids, []blob.ID{kept}) {
		t.Errorf("listed %q", ids)
	}
}

func readers(t *testing.T, s blob.Store) {
	data := Bytes(1<<20, 7)
	id := Put(t, s, data)
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for from := 0; from < len(data); from += 10_007 {
				b := make([]byte, 5000)
				n, err := r.ReadAt(b, int64(from))
				if !bytes.Equal(b[:n], data[from:from+n]) {
					t.Errorf("other bytes at %d", from)
				}
				if err != nil && n == 0 {
					return
				}
			}
		})
	}
	if err := s.Remove(t.Context(), id); err != nil {
		t.Error(err)
	}
	group.Wait()
}

func contexts(t *testing.T, s blob.Store) {
	id := Put(t, s, []byte("x"))
	w, err := s.Create(t.Context(), blob.NewID())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, created := s.Create(ctx, blob.NewID())
	_, opened := s.Open(ctx, id)
	var listed error
	for _, err := range s.All(ctx, "") {
		listed = err
	}
	for what, err := range map[string]error{"create": created, "open": opened, "list": listed, "remove": s.Remove(ctx, id), "tidy": s.Tidy(ctx), "commit": w.Commit(ctx)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v", what, err)
		}
	}
	if got := all(t, s, ""); !slices.Equal(got, []blob.ID{id}) {
		t.Errorf("listed %q", got)
	}
}

func crowd(t *testing.T, s blob.Store) {
	var group sync.WaitGroup
	for c := range 8 {
		group.Go(func() {
			for i := range 10 {
				data := fmt.Appendf(nil, "%d of %d", i, c)
				if got, err := Get(t.Context(), s, Put(t, s, data)); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
	if ids := all(t, s, ""); len(ids) != 80 {
		t.Errorf("%d blobs", len(ids))
	}
}

func tidied(t *testing.T, s blob.Store) {
	kept, begun := Put(t, s, []byte("kept")), blob.NewID()
	w, err := s.Create(t.Context(), begun)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write(Bytes(1<<20, 3)); err != nil {
		t.Fatal(err)
	}
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, s, kept, []byte("kept"))
	want(t, s, begun, Bytes(1<<20, 3))
}
