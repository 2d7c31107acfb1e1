package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"sync"

	crdb "github.com/cockroachdb/pebble/v2"

	"github.com/garrison-security/garrison/store"
)

var _ store.Archived = (*Engine)(nil)

// snapshots are those that are open, for Close: the database can't be closed before them.
type snapshots struct {
	mu   sync.Mutex
	open map[*archive]struct{} // under mu
}

// archive is a store.Snapshot. Its database's snapshot is used, and closed, by
// whoever has entered the engine, or has closed it to all others.
type archive struct {
	engine *Engine
	mu     sync.Mutex
	at     *crdb.Snapshot // under mu; nil: closed
}

// Snapshot implements store.Archived.
func (e *Engine) Snapshot(ctx context.Context) (store.Snapshot, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	a := &archive{engine: e, at: e.db.NewSnapshot()}
	e.snapshots.mu.Lock()
	if e.snapshots.open == nil {
		e.snapshots.open = map[*archive]struct{}{}
	}
	e.snapshots.open[a] = struct{}{}
	e.snapshots.mu.Unlock()
	t := &tx{start: e.begun.Load()} // the snapshot holds nothing later
	if err := e.settled(ctx, t, nil); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Close implements store.Snapshot.
func (a *archive) Close() {
	a.engine.snapshots.mu.Lock()
	delete(a.engine.snapshots.open, a)
	a.engine.snapshots.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at != nil {
		a.at.Close()
		a.at = nil
	}
}

// closeAll closes what is still open.
func (s *snapshots) closeAll() {
	s.mu.Lock()
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for a := range open {
		a.Close()
	}
}

// page hands on pairs of the database, own rows included, up to a page's bytes
// of them. The slices are the caller's.
func (a *archive) page(ctx context.Context, from, to []byte, take func(key, value []byte) error) (more bool, err error) {
	if err := a.engine.enter(ctx); err != nil {
		return false, err
	}
	defer a.engine.leave()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == nil {
		return false, store.ErrClosed
	}
	it, err := a.at.NewIter(&crdb.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return false, unavailable(err)
	}
	defer it.Close()
	size := 0
	for ok := it.First(); ok; ok = it.Next() {
		if size >= pageBytes {
			return true, nil
		}
		value, err := it.ValueAndErr()
		if err == nil {
			err = take(append([]byte{}, it.Key()...), append([]byte{}, value...))
		}
		if err != nil {
			return false, unavailable(err)
		}
		size += len(it.Key()) + len(value)
	}
	return false, unavailable(it.Error())
}

// Sealed implements store.Snapshot.
func (a *archive) Sealed(ctx context.Context, from, to []byte) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		lower, upper, more := store.ClipRange(from, to)
		for more {
			var page []store.Pair
			var err error
			more, err = a.page(ctx, lower, upper, func(key, value []byte) error {
				page = append(page, store.Pair{Key: key, Value: value})
				return nil
			})
			for _, pair := range page {
				if !yield(pair, nil) {
					return
				}
				lower = append(pair.Key, 0)
			}
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
		}
	}
}

// Streams implements store.Snapshot.
func (a *archive) Streams(ctx context.Context) (ids []uint64, last uint64, err error) {
	if err := a.engine.enter(ctx); err != nil {
		return nil, 0, err
	}
	defer a.engine.leave()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == nil {
		return nil, 0, store.ErrClosed
	}
	all, err := streams(a.at)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range all {
		last = max(last, id)
		some, err := hasRows(a.at, id)
		if err != nil {
			return nil, 0, err
		}
		if some {
			ids = append(ids, id)
		}
	}
	given, err := streamsGiven(a.at)
	return ids, max(last, given), err
}

// Rows implements store.Snapshot.
func (a *archive) Rows(ctx context.Context, stream uint64) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		lower, upper := rowKey(stream, 0), append(rowKey(stream, 1<<64-1), 0)
		for more := true; more; {
			var page []store.Row
			var err error
			more, err = a.page(ctx, lower, upper, func(key, value []byte) error {
				row, err := decodeRow(key, value)
				if err == nil {
					page, lower = append(page, row), append(key, 0)
				}
				return err
			})
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				yield(store.Row{}, err)
				return
			}
		}
	}
}

// streamsGiven is the id of the last stream that was ever opened, 0 if that is not recorded.
func streamsGiven(db crdb.Reader) (uint64, error) {
	counter, closer, err := db.Get(counterKey)
	switch {
	case errors.Is(err, crdb.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, unavailable(err)
	}
	defer closer.Close()
	if len(counter) != 8 {
		return 0, errCounter
	}
	return binary.BigEndian.Uint64(counter), nil
}
