// Package mem is the engine that keeps nothing: for tests, and for `serve
// --engine mem`. Its state is one persistent map: a transaction reads the map
// that stood when it began, without locks, and at commit what it read must
// still be the same entries. Values are sealed as in every engine.
package mem

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/ordered"
)

// stream is the one stream's id: nothing outlives the process, so there is never another.
const stream = 1

// attempts is how often a transaction is run before it is refused with ErrConflict.
const attempts = 24

// Engine is a store.Engine in memory.
type Engine struct {
	options store.Options
	now     atomic.Pointer[state]
	closed  atomic.Bool

	commit sync.Mutex // held to replace now
	head   []byte     // the journal's, under commit

	feed sync.Mutex
	more chan struct{} // under feed: closed and replaced when a row is added, and on Close
}

// state is all that the engine holds. It is never changed, only replaced.
type state struct {
	data ordered.Map[*entry]
	rows ordered.Map[*store.Row] // by rowKey of Last
	last uint64                  // the last event's number
}

// entry is one value that was put. An equal pointer means an unchanged value.
type entry struct {
	sealed  []byte
	decoded atomic.Pointer[any] // what Load made of it
}

// Open returns an empty engine.
func Open(options store.Options) (*Engine, error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	e := &Engine{options: options, more: make(chan struct{})}
	e.now.Store(&state{})
	return e, nil
}

// View implements store.Engine.
func (e *Engine) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.usable(ctx); err != nil {
		return err
	}
	t := &tx{engine: e, begun: e.now.Load(), attempt: 1, readOnly: true}
	defer t.end()
	return fn(t)
}

// Update implements store.Engine.
func (e *Engine) Update(ctx context.Context, fn func(store.Tx) error) error {
	for attempt := 1; attempt <= attempts; attempt++ {
		if err := e.usable(ctx); err != nil {
			return err
		}
		t := &tx{engine: e, begun: e.now.Load(), attempt: attempt}
		if err := t.run(fn); err != nil {
			return err
		}
		if t.changes.Empty() && len(t.rows) == 0 {
			return nil
		}
		if err := e.usable(ctx); err != nil {
			return err
		}
		if done, err := e.apply(t); done || err != nil {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return store.ErrConflict
}

// apply commits t, unless what it read has changed.
func (e *Engine) apply(t *tx) (done bool, err error) {
	e.commit.Lock()
	defer e.commit.Unlock()
	if e.closed.Load() {
		return false, store.ErrClosed
	}
	now := e.now.Load()
	if !t.holds(now) {
		return false, nil
	}
	next := *now
	writes := t.changes.Writes.Cursor(nil, nil, false)
	for key, w, ok := writes.Next(); ok; key, w, ok = writes.Next() {
		if w.Delete {
			next.data = next.data.Without(key)
		} else {
			next.data = next.data.With(key, &entry{sealed: w.Sealed})
		}
	}
	for last, row := range t.rows {
		if row == nil {
			next.rows = next.rows.Without(rowKey(last))
		} else {
			next.rows = next.rows.With(rowKey(last), row)
		}
	}
	if err := e.journal(&next, t.changes.Events); err != nil {
		return false, err
	}
	e.now.Store(&next)
	if next.last > now.last {
		e.wake()
	}
	return true, nil
}

// pause waits a moment, longer at each attempt, before a transaction is run again.
func pause(ctx context.Context, attempt int) error {
	if attempt < 3 {
		return ctx.Err()
	}
	longest := min(10*time.Microsecond<<attempt, 10*time.Millisecond)
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Engine) usable(ctx context.Context) error {
	if e.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

// Free implements store.Engine.
func (e *Engine) Free() float64 { return 1 }

// Close implements store.Engine. What was stored is gone.
func (e *Engine) Close() error {
	e.commit.Lock()
	defer e.commit.Unlock()
	e.closed.Store(true)
	e.wake()
	return nil
}

var _ store.Engine = (*Engine)(nil)
