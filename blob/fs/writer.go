package fs

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/blob"
)

// writer is a blob being written, as a file among those that are begun.
type writer struct {
	store *Store
	id    blob.ID
	path  string
	file  vfs.File // nil: committed or aborted
	err   error
}

var errEnded = errors.New("blob/fs: the blob was committed or aborted")

// Write implements io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	if w.file == nil {
		return 0, errEnded
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(b)
	w.err = failure(err)
	return n, w.err
}

// Commit implements blob.Writer: the file's bytes first, then its name.
func (w *writer) Commit(ctx context.Context) error {
	if w.file == nil {
		return errEnded
	}
	defer w.Abort()
	if err := errors.Join(w.err, ctx.Err()); err != nil {
		return err
	}
	err := w.file.Sync()
	if closed := w.file.Close(); err == nil {
		err = closed
	}
	w.file = nil
	if err == nil {
		if err = w.place(); err == nil {
			return failure(w.store.sync(w.store.shard(w.id)))
		}
	}
	return errors.Join(failure(err), failure(w.store.fs.Remove(w.path)))
}

// place moves the file to its place, whose directory it may be the first in.
func (w *writer) place() error {
	s := w.store
	if err := s.shelve(s.shard(w.id)); err != nil {
		return err
	}
	return s.fs.Rename(w.path, s.path(w.id))
}

// Abort implements blob.Writer. What can't be removed now the next Open removes.
func (w *writer) Abort() {
	if w.file == nil {
		return
	}
	w.file.Close()
	w.file = nil
	w.store.fs.Remove(w.path)
}
