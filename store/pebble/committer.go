package pebble

import (
	"fmt"
	"time"

	crdb "github.com/cockroachdb/pebble/v2"

	"github.com/garrison-security/garrison/store"
)

// commitAll is the committer: the one goroutine that gives positions. It ends
// when the queue is closed and empty, or when the engine has failed.
func (e *Engine) commitAll() {
	defer close(e.ended)
	for {
		requests := e.queue.take()
		if len(requests) == 0 {
			return
		}
		if !e.round(requests) {
			return
		}
	}
}

// batch is a group on its way to the disk.
type batch struct {
	*group
	b        *crdb.Batch // nil: nothing of the group takes place
	requests []*request
	last     uint64 // the last event's number, 0 if there are no events
}

// round commits requests: those whose reads still hold, as one group; then,
// one by one, those that have to be run again and are quick. All of it is made
// durable together. It answers false if the engine has failed, and never
// returns if Pebble met the failure first; the callers are told by stopped.
func (e *Engine) round(requests []*request) (ok bool) {
	defer func() {
		if cause := recover(); !ok {
			e.fail(fmt.Errorf("commit: %v", cause))
		}
	}()
	began := time.Now()
	number := e.number + 1
	var accepted, again []*request
	var written []*batch
	for _, r := range requests {
		switch {
		case !r.state.CompareAndSwap(waiting, taken): // withdrawn
		case r.tx.stale || !r.tx.holds():
			again = append(again, r)
		case r.alone:
			again = append(again, r)
		default:
			accepted = append(accepted, r)
			e.history.note(number, r.tx.keys())
		}
	}
	if len(accepted) > 0 {
		written = append(written, e.write(accepted))
	}
	for _, r := range again {
		if w := e.writeOne(r); w != nil {
			written = append(written, w)
		}
	}
	for _, w := range written {
		if err := w.sync(); err != nil {
			panic(err)
		}
		if w.last > 0 {
			e.feed.Raise(w.last)
		}
		count := len(w.requests)
		w.end()
		if count > 0 {
			e.measures.Groups.Observe(float64(count))
			e.measures.Commits.Observe(time.Since(began).Seconds())
		}
	}
	return true
}

// writeOne writes r as a group of its own, or tells its caller to run it again;
// it gives the caller the right to do so at once if r is quick.
func (e *Engine) writeOne(r *request) *batch {
	switch {
	case r.alone && !r.tx.stale && r.tx.holds():
	case !r.quick || !e.hold(r):
		r.answer(conflicted, nil)
		return nil
	case r.tx.changes.Empty():
		return nil // its caller has its answer
	}
	e.history.note(e.number+1, r.tx.keys())
	return e.write([]*request{r})
}

// hold lets r's caller run it again while nothing is committed. It answers
// false if the caller took longer than heldAtMost, or was never to be found:
// what it has read may then be stale, and others have waited long enough.
func (e *Engine) hold(r *request) bool {
	r.over = make(chan struct{})
	r.state.Store(held)
	r.answer(granted, nil)
	e.patience.Reset(heldAtMost)
	select {
	case <-r.over:
		e.patience.Stop()
		return true
	case <-e.patience.C:
		if r.state.CompareAndSwap(held, revoked) {
			return false
		}
		<-r.over
		return true
	}
}

// write applies requests, whose reads hold and whose changes are noted, as the
// next group: all their changes, and one row with all their events.
func (e *Engine) write(requests []*request) *batch {
	e.number++
	w := &batch{group: &group{number: e.number, done: make(chan struct{})}, requests: requests}
	b := e.db.NewBatch()
	changed := false
	var events []store.Event
	for _, r := range requests {
		writes := r.tx.changes.Writes.Cursor(nil, nil, false)
		for key, write, ok := writes.Next(); ok; key, write, ok = writes.Next() {
			changed = true
			if write.Delete {
				must(b.Delete(key, nil))
			} else {
				must(b.Set(key, write.Sealed, nil))
			}
		}
		events = append(events, r.tx.changes.Events...)
	}
	if len(events) > 0 {
		if err := e.pack(w, b, events); err != nil {
			must(b.Close())
			e.unpacked(w, err)
			return w
		}
	}
	e.begun.Store(w.group)
	must(e.db.ApplyNoSyncWait(b, crdb.Sync))
	w.b = b
	e.events += uint64(len(events))
	if changed {
		e.applied.Store(w.group) // events alone change nothing that a transaction reads
	}
	return w
}

// pack adds the row of events to b.
func (e *Engine) pack(w *batch, b *crdb.Batch, events []store.Event) error {
	first := e.events + 1
	row, head, err := e.options.Journal.Pack(e.stream, first, e.head, events)
	if err != nil {
		return fmt.Errorf("pack events: %w", err)
	}
	w.last = e.events + uint64(len(events))
	e.head = head
	must(b.Set(rowKey(e.stream, w.last), encodeRow(first, row), nil))
	return nil
}

// unpacked ends a group whose events could not be packed: a single transaction
// fails, several are tried again one by one. The group's number stands in
// counters by now and must become applied, or nothing could read these keys.
func (e *Engine) unpacked(w *batch, err error) {
	for _, r := range w.requests {
		if len(w.requests) == 1 {
			r.answer(failed, err)
		} else {
			r.answer(repack, nil)
		}
	}
	w.requests = nil
	e.begun.Store(w.group)
	e.applied.Store(w.group)
}

// sync returns when the batch is on disk.
func (w *batch) sync() error {
	if w.b == nil {
		return nil
	}
	if err := w.b.SyncWait(); err != nil {
		return err
	}
	return w.b.Close()
}

// end tells all who wait for the group that it is durable.
func (w *batch) end() {
	close(w.done)
	for _, r := range w.requests {
		r.answer(committed, nil)
	}
}

// must panics on what a batch in memory, or a closed database, answers; round
// turns it into the engine's failure.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fail stops the engine: what is durable is not known until it is opened again.
func (e *Engine) fail(cause error) {
	e.failOnce.Do(func() {
		e.log("the store has stopped: what is durable is unknown until it is opened again", cause)
		err := unavailable(cause)
		e.failed.Store(&err)
		e.queue.close(err)
		e.feed.End(err)
		close(e.stopped)
	})
}

// failure is why the engine has failed, nil if it has not.
func (e *Engine) failure() error {
	if err := e.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// keys are those that t changes.
func (t *tx) keys() [][]byte {
	keys := make([][]byte, 0, t.changes.Writes.Len())
	writes := t.changes.Writes.Cursor(nil, nil, false)
	for key, _, ok := writes.Next(); ok; key, _, ok = writes.Next() {
		keys = append(keys, key)
	}
	return keys
}

// patienceTimer is a timer that is not running.
func patienceTimer() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}
