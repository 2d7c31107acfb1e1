// Package mem keeps blobs in memory, for a store that is gone with its process.
package mem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/garrison-security/garrison/blob"
)

// Store keeps blobs in memory. It implements blob.Store.
type Store struct {
	mu    sync.RWMutex
	blobs map[blob.ID]kept // under mu
}

type kept struct {
	data []byte
	at   time.Time
}

var _ blob.Store = (*Store)(nil)

// New is an empty store.
func New() *Store { return &Store{blobs: map[blob.ID]kept{}} }

// Create implements blob.Store.
func (s *Store) Create(ctx context.Context, id blob.ID) (blob.Writer, error) {
	if !id.Valid() {
		return nil, fmt.Errorf("blob/mem: %q is no name of a blob", id)
	}
	return &writer{store: s, id: id}, ctx.Err()
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, id blob.ID) (blob.Reader, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.blobs[id]
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, blob.ErrNotFound
	}
	return reader{bytes.NewReader(b.data)}, nil
}

// Remove implements blob.Store.
func (s *Store) Remove(ctx context.Context, id blob.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, id)
	return nil
}

// All implements blob.Store.
func (s *Store) All(ctx context.Context, after blob.ID) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		s.mu.RLock()
		all := maps.Clone(s.blobs)
		s.mu.RUnlock()
		if err := ctx.Err(); err != nil {
			yield(blob.Info{}, err)
			return
		}
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if id > after && !yield(blob.Info{ID: id, Size: int64(len(all[id].data)), Kept: all[id].at}, nil) {
				return
			}
		}
	}
}

// Tidy implements blob.Store: nothing outlives a crash.
func (*Store) Tidy(ctx context.Context) error { return ctx.Err() }

// Close implements blob.Store.
func (*Store) Close() error { return nil }

// writer is a blob being written.
type writer struct {
	store *Store
	id    blob.ID
	data  []byte
	ended bool
}

var errEnded = errors.New("blob/mem: the blob was committed or aborted")

// Write implements io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	if w.ended {
		return 0, errEnded
	}
	w.data = append(w.data, b...)
	return len(b), nil
}

// Commit implements blob.Writer.
func (w *writer) Commit(ctx context.Context) error {
	if w.ended {
		return errEnded
	}
	w.ended = true
	if err := ctx.Err(); err != nil {
		return err
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if _, ok := w.store.blobs[w.id]; ok {
		return fmt.Errorf("blob/mem: %s is there already", w.id)
	}
	w.store.blobs[w.id] = kept{w.data, time.Now()}
	return nil
}

// Abort implements blob.Writer.
func (w *writer) Abort() { w.ended, w.data = true, nil }

type reader struct{ *bytes.Reader }

// Close implements blob.Reader.
func (reader) Close() error { return nil }
