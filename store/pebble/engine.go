// Package pebble is the embedded engine: one process, one data directory.
//
// Transactions are optimistic. An attempt notes the counters of the keys it
// reads, and the ranges; one goroutine, the committer, checks in order that
// they have not changed since the attempt began, and writes a group of
// transactions as one batch: all their changes, and one row that holds their
// events. One fsync answers all. A transaction that met others' writes is run
// again, if it is quick while nothing else is committed, so that it can't meet
// them twice.
//
// In the database, keys that begin 0x00 0x00 are the engine's own; all others
// are its callers', with sealed values.
package pebble

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	crdb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/feed"
)

// attempts is how often a transaction is run before it is refused with ErrConflict.
const attempts = 24

// patience is how often others are kept waiting for a transaction that was
// quick once and is not when it is run again: the machine may be busy.
const patience = 4

// Engine is a store.Engine on a directory.
type Engine struct {
	options store.Options
	db      *crdb.DB
	lock    *crdb.Lock
	fs      vfs.FS
	dir     string
	stream  uint64

	measures *store.Measures

	history history
	cache   cache
	queue   queue
	feed    feed.Feed
	// begun is the last group that may be seen in the database; applied the last that changed something
	// and is seen there by now. Attempts start at applied.
	begun, applied atomic.Pointer[group]

	// The committer's.
	number   uint64 // of the last group
	events   uint64 // the last event's number
	head     []byte // the journal's
	patience *time.Timer
	ended    chan struct{} // closed when the committer has ended

	open      sync.RWMutex // read-held by whoever uses db
	closing   atomic.Bool
	closed    bool // under open
	failOnce  sync.Once
	stopped   chan struct{} // closed when the engine has failed
	failed    atomic.Pointer[error]
	free      freeSpace
	snapshots snapshots
	backoff   time.Duration // the constant, or shorter in tests
}

var (
	_ store.Engine   = (*Engine)(nil)
	_ store.Measured = (*Engine)(nil)
)

// Measures implements store.Measured.
func (e *Engine) Measures() *store.Measures { return e.measures }

// enter lets its caller use the database until it calls leave.
func (e *Engine) enter(ctx context.Context) error {
	if err := e.usable(ctx); err != nil {
		return err
	}
	e.open.RLock()
	if err := e.usable(ctx); err != nil {
		e.open.RUnlock()
		return err
	}
	return nil
}

func (e *Engine) leave() { e.open.RUnlock() }

func (e *Engine) usable(ctx context.Context) error {
	switch {
	case e.closing.Load():
		return store.ErrClosed
	case e.failed.Load() != nil:
		return e.failure()
	}
	return ctx.Err()
}

// View implements store.Engine. The first attempt reads the database as it
// goes; if what it reads is changed meanwhile, a second one reads a snapshot.
func (e *Engine) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	t := e.begin(1, true)
	_, err := t.run(fn)
	if t.stale {
		snapshot := e.db.NewSnapshot()
		defer snapshot.Close()
		t = e.begin(2, true)
		t.from, t.snapshot = snapshot, true
		t.start = e.begun.Load() // the snapshot holds nothing later
		_, err = t.run(fn)
	}
	return e.settled(ctx, t, err)
}

// settled returns fn's error when all that t read is durable.
func (e *Engine) settled(ctx context.Context, t *tx, err error) error {
	select {
	case <-t.start.done:
		return err
	default:
	}
	select {
	case <-t.start.done:
		return err
	case <-e.stopped:
		return e.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Update implements store.Engine. If ctx ends before the committer has taken
// the transaction, nothing of it takes place; after that Update waits for its fate.
func (e *Engine) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	u := update{engine: e, fn: fn, quickest: time.Hour}
	defer func() {
		if u.attempt > 1 {
			e.measures.Conflicts.Add(float64(u.attempt - 1))
		}
	}()
	for u.attempt < attempts {
		if err := e.usable(ctx); err != nil {
			return err
		}
		done, err := u.try(ctx)
		if done || err != nil {
			return err
		}
		if err := pause(ctx, u.attempt); err != nil {
			return err
		}
	}
	return store.ErrConflict
}

// update is a transaction with what was learnt from its attempts.
type update struct {
	engine   *Engine
	fn       func(store.Tx) error
	attempt  int
	quickest time.Duration // of the attempts
	revoked  int           // how often it has kept others waiting too long
	alone    bool
}

// try makes an attempt, or two. It answers done when the transaction's fate is
// err; else the transaction has to be run again.
func (u *update) try(ctx context.Context) (done bool, err error) {
	t, err := u.run()
	if !t.stale && (err != nil || t.changes.Empty()) {
		return true, u.engine.settled(ctx, t, err)
	}
	quick := u.revoked < patience && u.quickest <= heldAtMost
	if t.stale && !quick {
		return false, nil
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	r := &request{tx: t, quick: quick, alone: u.alone, reply: make(chan reply, 1)}
	answer, err := u.engine.ask(ctx, r)
	if err != nil {
		return false, err
	}
	if answer.fate == granted {
		if t, err = u.runHeld(r); t == nil {
			u.revoked++
			return false, nil
		}
		if t.stale {
			return false, nil
		}
		if err != nil || t.changes.Empty() {
			return true, u.engine.settled(ctx, t, err)
		}
		answer = u.engine.word(r)
	}
	switch answer.fate {
	case committed:
		return true, nil
	case failed:
		return true, answer.err
	case repack:
		u.alone = true
		u.attempt-- // it met nobody
	}
	return false, nil
}

// run makes an attempt.
func (u *update) run() (*tx, error) {
	u.attempt++
	t := u.engine.begin(u.attempt, false)
	took, err := t.run(u.fn)
	u.quickest = min(u.quickest, took)
	return t, err
}

// runHeld makes an attempt while the committer waits. It answers no tx if the
// committer gave up waiting.
func (u *update) runHeld(r *request) (_ *tx, err error) {
	r.tx = nil
	var t *tx
	defer func() {
		if t == nil { // fn has panicked
			r.tx = &tx{}
			r.finish()
		}
	}()
	t, err = u.run()
	if err != nil || t.stale {
		t.Discard() // nothing of it is to be committed
	}
	r.tx = t
	if !r.finish() {
		return nil, nil
	}
	return t, err
}

// ask brings r to the committer and waits for its word.
func (e *Engine) ask(ctx context.Context, r *request) (reply, error) {
	if err := e.queue.push(r); err != nil {
		return reply{}, err
	}
	select {
	case answer := <-r.reply:
		return answer, nil
	case <-e.stopped:
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return reply{}, ctx.Err()
		}
	}
	return e.word(r), nil
}

// word is the committer's on r, or that the engine has failed.
func (e *Engine) word(r *request) reply {
	select {
	case answer := <-r.reply:
		return answer
	case <-e.stopped:
		return reply{failed, e.failure()}
	}
}

// pause waits a moment, longer at each attempt, before a transaction is run again.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(rand.N(min(20*time.Microsecond<<attempt, 20*time.Millisecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements store.Engine. It waits for the transactions under way, and
// flushes, so that the next Open has no log to replay. After a failure it leaves
// the database as it is, which may hold locks that nothing will release.
func (e *Engine) Close() error {
	e.closing.Store(true)
	e.feed.End(store.ErrClosed)
	if err := e.failure(); err != nil {
		return err
	}
	e.open.Lock()
	defer e.open.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.queue.close(store.ErrClosed)
	select {
	case <-e.ended:
	case <-e.stopped:
		return e.failure()
	}
	e.snapshots.closeAll()
	if err := e.guard(func() error { return errors.Join(e.db.Flush(), e.db.Close()) }); err != nil {
		return unavailable(err)
	}
	return unavailable(e.lock.Close())
}
