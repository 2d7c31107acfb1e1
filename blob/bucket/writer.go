package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/garrison-security/garrison/blob"
)

// inMemory is what of a blob is spooled in memory; a larger one lies in a file.
const inMemory = 512 << 10

// writer is a blob that is spooled on the node until it is committed.
type writer struct {
	store *Store
	id    blob.ID
	small []byte
	file  *os.File // what is spooled, once it is larger than inMemory
	size  int64
	ended bool
	err   error
}

var errEnded = errors.New("blob/bucket: the blob was committed or aborted")

// Create implements blob.Store. Whether the name is free Commit finds out.
func (s *Store) Create(ctx context.Context, id blob.ID) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !id.Valid() {
		return nil, fmt.Errorf("blob/bucket: %q is no name of a blob", id)
	}
	if err := s.ready(ctx); err != nil { // before the body is received in vain
		return nil, err
	}
	return &writer{store: s, id: id}, nil
}

// Write implements io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	switch {
	case w.ended:
		return 0, errEnded
	case w.err != nil:
		return 0, w.err
	case w.file == nil && len(w.small)+len(b) <= inMemory:
		w.small = append(w.small, b...)
	default:
		if w.err = w.spool(b); w.err != nil {
			return 0, w.err
		}
	}
	w.size += int64(len(b))
	return len(b), nil
}

// spool writes b to the file, after what was kept in memory so far.
func (w *writer) spool(b []byte) error {
	if w.file == nil {
		file, err := os.CreateTemp(w.store.options.Spool, spooled)
		if err != nil {
			return local(err)
		}
		_ = os.Remove(file.Name()) // where a file that is open can't go its end removes it
		w.file = file
		if _, err := file.Write(w.small); err != nil {
			return local(err)
		}
		w.small = nil
	}
	_, err := w.file.Write(b)
	return local(err)
}

// local is an error of the spool's file system as a blob.Store answers it.
func local(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", blob.ErrUnavailable, err)
}

// Commit implements blob.Writer: the object store has acknowledged the object when it returns nil.
func (w *writer) Commit(ctx context.Context) error {
	if w.ended {
		return errEnded
	}
	defer w.Abort()
	if err := errors.Join(w.err, ctx.Err()); err != nil {
		return err
	}
	key, mark := w.store.key(w.id), string(blob.NewID())
	var err error
	switch {
	case w.file == nil:
		err = w.store.put(ctx, key, mark, bytes.NewReader(w.small), w.size)
	case w.size <= w.store.options.PartSize:
		err = w.store.put(ctx, key, mark, io.NewSectionReader(w.file, 0, w.size), w.size)
	default:
		err = w.store.putParts(ctx, key, mark, w.file, w.size)
	}
	if errors.Is(err, errThere) {
		return fmt.Errorf("blob/bucket: %s is there already", w.id)
	}
	return err
}

// Abort implements blob.Writer.
func (w *writer) Abort() {
	w.ended, w.small = true, nil
	if w.file != nil {
		w.file.Close()
		_ = os.Remove(w.file.Name())
		w.file = nil
	}
}
