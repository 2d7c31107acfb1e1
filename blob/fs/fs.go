// Package fs keeps blobs as files of one directory: each written beside its
// place, synced, and renamed into it; then the directory is synced. A crash
// leaves a blob whole, or a part that the next Open removes.
package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/blob"
)

// Files lie in one of 256 directories each, by the first two digits of their names; the first makes it.
const (
	begun    = "begun" // what is being written, and what a crash left of it
	shards   = 256
	category = vfs.WriteCategoryUnspecified
)

// Open opens the blobs in dir of the file system, which it makes if need be. One
// process at a time may hold them open.
func Open(dir string) (*Store, error) { return OpenOn(vfs.Default, dir) }

// OpenOn is Open on a file system of the caller's.
func OpenOn(on vfs.FS, dir string) (*Store, error) {
	s := &Store{fs: on, dir: dir}
	if err := s.prepare(); err != nil {
		if s.lock != nil {
			err = errors.Join(err, s.lock.Close())
		}
		return nil, fmt.Errorf("blob/fs: open %s: %w", dir, err)
	}
	return s, nil
}

// Store keeps blobs in a directory. It implements blob.Store.
type Store struct {
	fs   vfs.FS
	dir  string
	lock io.Closer

	making  sync.Mutex // held while a directory is made, so that nobody uses one that is not durable yet
	closing sync.Once
}

var _ blob.Store = (*Store)(nil)

// prepare makes the directories, each for its owner alone, and removes what was begun and never kept.
func (s *Store) prepare() error {
	if err := s.fs.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.lock, err = s.fs.Lock(s.fs.PathJoin(s.dir, "LOCK")); err != nil {
		return err
	}
	if err := s.fs.MkdirAll(s.fs.PathJoin(s.dir, begun), 0o700); err != nil {
		return err
	}
	left, err := s.fs.List(s.fs.PathJoin(s.dir, begun))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := s.fs.Remove(s.fs.PathJoin(s.dir, begun, name)); err != nil {
			return err
		}
	}
	return errors.Join(s.sync(s.dir), s.sync(s.fs.PathDir(s.dir)))
}

// sync makes the names in a directory durable.
func (s *Store) sync(dir string) error {
	d, err := s.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// shelve makes a shard's directory if it is not there.
func (s *Store) shelve(dir string) error {
	s.making.Lock()
	defer s.making.Unlock()
	if _, err := s.fs.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := s.fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := s.sync(s.dir); err != nil {
		return errors.Join(err, s.fs.Remove(dir)) // or it would be taken for durable
	}
	return nil
}

func (s *Store) shard(id blob.ID) string { return s.fs.PathJoin(s.dir, string(id[:2])) }

func (s *Store) path(id blob.ID) string { return s.fs.PathJoin(s.shard(id), string(id)) }

// Create implements blob.Store.
func (s *Store) Create(ctx context.Context, id blob.ID) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !id.Valid() {
		return nil, fmt.Errorf("blob/fs: %q is no name of a blob", id)
	}
	w := &writer{store: s, id: id, path: s.fs.PathJoin(s.dir, begun, string(id))}
	if _, err := s.fs.Stat(s.path(id)); err == nil {
		return nil, fmt.Errorf("blob/fs: %s is there already", id)
	}
	file, err := s.fs.Create(w.path, category)
	if err != nil {
		return nil, failure(err)
	}
	w.file = file
	return w, nil
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, id blob.ID) (blob.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !id.Valid() {
		return nil, blob.ErrNotFound
	}
	file, err := s.fs.Open(s.path(id))
	if err != nil {
		return nil, failure(err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(failure(err), file.Close())
	}
	return &reader{file, info.Size()}, nil
}

// Remove implements blob.Store. Its name may come back after a crash: it is
// garbage then as before.
func (s *Store) Remove(ctx context.Context, id blob.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !id.Valid() {
		return nil
	}
	if err := failure(s.fs.Remove(s.path(id))); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	return nil
}

// All implements blob.Store.
func (s *Store) All(ctx context.Context, after blob.ID) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for i := range shards {
			dir := fmt.Sprintf("%02x", i)
			if len(after) >= 2 && dir < string(after[:2]) {
				continue
			}
			names, err := s.fs.List(s.fs.PathJoin(s.dir, dir))
			if errors.Is(err, os.ErrNotExist) {
				err = nil
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(blob.Info{}, failure(err))
				return
			}
			slices.Sort(names)
			for _, name := range names {
				id := blob.ID(name)
				if !id.Valid() || id <= after {
					continue
				}
				info, err := s.fs.Stat(s.path(id))
				if err = failure(err); errors.Is(err, blob.ErrNotFound) {
					continue // removed meanwhile
				} else if err != nil {
					yield(blob.Info{}, err)
					return
				}
				if !yield(blob.Info{ID: id, Size: info.Size(), Kept: info.ModTime()}, nil) {
					return
				}
			}
		}
	}
}

// Tidy implements blob.Store. What was begun the next Open removes.
func (s *Store) Tidy(ctx context.Context) error { return ctx.Err() }

// Close implements blob.Store. What was committed stays; what is open can be read on.
func (s *Store) Close() (err error) {
	s.closing.Do(func() { err = s.lock.Close() })
	return err
}

// failure is a file system's error as a blob.Store answers it.
func failure(err error) error {
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, os.ErrNotExist):
		return blob.ErrNotFound
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", blob.ErrUnavailable, err)
}

type reader struct {
	vfs.File
	size int64
}

func (r *reader) Size() int64 { return r.size }

// ReadAt implements blob.Reader.
func (r *reader) ReadAt(b []byte, offset int64) (int, error) {
	n, err := r.File.ReadAt(b, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		err = failure(err)
	}
	return n, err
}
