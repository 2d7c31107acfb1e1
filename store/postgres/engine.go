// Package postgres is the engine of many nodes: any number of processes on one
// database, PostgreSQL or one that speaks its protocol.
//
// Transactions are optimistic. An attempt runs on what this node's cache holds,
// and reads what is missing; it notes the version of each key that it read, and
// the count of a range's pairs with the sum of their versions. A version is a
// new random number at each write. Nothing that an attempt read is believed,
// neither its changes nor its error nor a View's result, before the database
// has said, in one of its serialisable transactions, that all of it is still so.
//
// One goroutine a node, the committer, takes the transactions that wait as a
// group: one round trip asks for the present versions of all that they read;
// a second writes the changes of those that still hold, one row that holds
// their events, and commits. Transactions that read what others have written
// meanwhile are run again.
//
// Each process life has a stream of its own in the database, with a sequence
// that every group moves on and that tells, after a lost connection, whether a
// commit took place. A node that has been silent for the time of its lease
// finds its stream closed by another, can't commit to it any more, and opens a
// new one.
package postgres

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/feed"
)

const (
	// attempts is how often a transaction is run before it is refused with ErrConflict. The ones that
	// were run most often go first.
	attempts = 100
	// optimisticViews is how often a View is tried on the cache before it gets a snapshot.
	optimisticViews = 2
	// tries is how often the database's own conflicts are met before a group is given up.
	tries = 12
	// learnings bounds the scopes that one transaction makes the Sealer ask for.
	learnings = 8
)

// Engine is a store.Engine on a database.
type Engine struct {
	options store.Options
	dialer  *dialer
	pool    *pool
	cache   *cache
	tuning
	measures *store.Measures

	ctx       context.Context // ends with the engine
	cancel    context.CancelFunc
	lookups   *queue[*lookup]
	checks    *queue[*check]
	committer *committer
	bulk      *committer
	feed      feed.Feed     // at once what this node commits; what others commit as often as lookOut looks while someone waits
	wanted    chan struct{} // of capacity 1: someone waits for the feed
	seen      []uint64      // lookOut's: others' streams as they were last seen
	offset    atomic.Int64  // of this machine's clock from the database's, in nanoseconds
	wrong     atomic.Bool   // it is more than clockTolerance, and that was logged

	use     sync.Mutex
	users   int           // under use: who is in a method
	closing bool          // under use
	unused  chan struct{} // closed when closing is set and no one uses the engine
	closed  sync.Once
	workers sync.WaitGroup // those that answer queues
}

var (
	_ store.Engine     = (*Engine)(nil)
	_ store.Measured   = (*Engine)(nil)
	_ store.Shared     = (*Engine)(nil)
	_ store.Clocked    = (*Engine)(nil)
	_ store.Prefetcher = (*tx)(nil)
)

// Shared implements store.Shared.
func (e *Engine) Shared() bool { return true }

// Measures implements store.Measured.
func (e *Engine) Measures() *store.Measures { return e.measures }

// enter lets its caller use the engine until it calls leave. It may be entered
// again from within.
func (e *Engine) enter(ctx context.Context) error {
	e.use.Lock()
	defer e.use.Unlock()
	switch {
	case e.closing:
		return store.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	e.users++
	return nil
}

func (e *Engine) leave() {
	e.use.Lock()
	defer e.use.Unlock()
	if e.users--; e.users == 0 && e.closing {
		close(e.unused)
	}
}

func (e *Engine) usable(ctx context.Context) error {
	e.use.Lock()
	defer e.use.Unlock()
	if e.closing {
		return store.ErrClosed
	}
	return ctx.Err()
}

// View implements store.Engine.
func (e *Engine) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	var met learnt
	for attempt := 1; ; attempt++ {
		if err := e.usable(ctx); err != nil {
			return err
		}
		done, err := false, error(nil)
		if attempt <= optimisticViews {
			t := e.begin(ctx, live{e}, attempt, true)
			err = t.run(fn)
			done, err = e.judge(ctx, t, err, &met)
		} else {
			done, err = e.viewSnapshot(ctx, attempt, fn, &met)
		}
		if done {
			return err
		}
		if attempt == attempts {
			return store.ErrConflict
		}
	}
}

// judge tells whether an attempt that changes nothing is its transaction's
// last, and what the transaction's fate is.
func (e *Engine) judge(ctx context.Context, t *tx, err error, met *learnt) (done bool, fate error) {
	if t.failed != nil {
		return true, t.failed
	}
	if met.learn(ctx, t) {
		return false, nil
	}
	holds, checking := e.still(ctx, &t.reads)
	if checking != nil {
		return true, checking
	}
	return holds, err
}

// viewSnapshot runs fn on a snapshot of the database, where nothing that it
// reads can change.
func (e *Engine) viewSnapshot(ctx context.Context, attempt int, fn func(store.Tx) error, met *learnt) (done bool, err error) {
	s, err := e.pool.take(ctx)
	if err != nil {
		return true, err
	}
	defer e.pool.give(s)
	if _, err := s.again(ctx, call{statement: beginReading}); err != nil {
		return true, failure(ctx, err)
	}
	t := e.begin(ctx, snapshot{s}, attempt, true)
	err = t.run(fn)
	if conflicting(t.failed) {
		return false, nil
	}
	if t.failed != nil {
		return true, t.failed
	}
	_, ending := s.one(ctx, answerTime, commit)
	switch {
	case conflicting(ending):
		return false, nil
	case ending != nil:
		return true, failure(ctx, ending)
	}
	return !met.learn(ctx, t), err
}

// learnt are the scopes whose keys a transaction made the Sealer look for.
type learnt []string

// learn lets the Sealer look for the key that t met and did not know, once a
// scope, and tells whether it has found it.
func (l *learnt) learn(ctx context.Context, t *tx) bool {
	learner, ok := t.engine.options.Sealer.(store.Learner)
	if t.unknown == nil || !ok || len(*l) == learnings {
		return false
	}
	if slices.Contains(*l, *t.unknown) {
		return false
	}
	*l = append(*l, *t.unknown)
	return learner.Learn(ctx, t.engine, *t.unknown) == nil
}

// learnOf does so for the accounts whose events t has appended.
func (l *learnt) learnOf(ctx context.Context, t *tx) (found bool) {
	for _, event := range t.changes.Events {
		t.unknown = &event.Scope
		found = l.learn(ctx, t) || found
	}
	return found
}

// Update implements store.Engine. If ctx ends before the committer has taken
// the transaction, nothing of it takes place; after that Update waits for its fate.
func (e *Engine) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	var met learnt
	for attempt := 1; attempt <= attempts; attempt++ {
		if err := e.usable(ctx); err != nil {
			return err
		}
		if attempt > 1 {
			e.measures.Conflicts.Inc()
		}
		t := e.begin(ctx, live{e}, attempt, false)
		err := t.run(fn)
		if t.failed != nil || err != nil || t.empty() {
			done, err := e.judge(ctx, t, err, &met)
			if done {
				return err
			}
			continue
		}
		if met.learn(ctx, t) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		answer, err := e.committerOf(t).commit(ctx, t)
		if err != nil {
			return err
		}
		switch answer.fate {
		case committed:
			return nil
		case failed:
			return answer.err
		case unpacked:
			if !met.learnOf(ctx, t) {
				return answer.err
			}
		}
	}
	return store.ErrConflict
}

// jitter waits a moment, at most 64 ms, longer at each try.
func jitter(ctx context.Context, try int) {
	timer := time.NewTimer(rand.N(500 * time.Microsecond << min(try, 7)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Free implements store.Engine: how full the database's disk is, it does not tell.
func (e *Engine) Free() float64 { return 1 }

// ClockOffset is how far this machine's clock was ahead of the database's when
// they were last compared, some seconds ago.
func (e *Engine) ClockOffset() time.Duration { return time.Duration(e.offset.Load()) }

// ClockRight implements store.Clocked.
func (e *Engine) ClockRight() bool { return e.ClockOffset().Abs() <= clockTolerance }

// Close implements store.Engine. It waits for the transactions under way, and
// closes the stream, so that no other node has to wait for its lease.
func (e *Engine) Close() error {
	e.use.Lock()
	if !e.closing {
		if e.closing = true; e.users == 0 {
			close(e.unused)
		}
	}
	e.use.Unlock()
	e.feed.End(store.ErrClosed)
	<-e.unused
	e.closed.Do(func() {
		for _, c := range []*committer{e.committer, e.bulk} {
			c.queue.close(store.ErrClosed)
			<-c.ended
		}
		e.lookups.close(store.ErrClosed)
		e.checks.close(store.ErrClosed)
		e.cancel()
		e.workers.Wait()
		e.pool.close()
	})
	return nil
}
