package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
)

const (
	groupCount = 1024     // transactions that are committed together, at most
	groupBytes = 16 << 20 // and bytes, but always one transaction
	groupReads = 20_000   // and reads
)

// lingerAtMost bounds what a group is held back for it to grow.
const lingerAtMost = 5 * time.Millisecond

// What becomes of a request. Its caller moves it from waiting to withdrawn.
const (
	waiting   = int32(iota)
	withdrawn // its caller went away before it was taken: nothing of it takes place
	taken
)

// request is a transaction at the committer.
type request struct {
	tx    *tx
	state atomic.Int32
	reply chan reply // of capacity 1
}

// reply is the committer's word to the caller.
type reply struct {
	fate fate
	err  error // with failed and unpacked
}

type fate int

const (
	committed fate = iota // and durable
	conflicted
	unpacked // its events are of an account whose key this node does not know
	failed
)

func (r *request) answer(f fate, err error) { r.reply <- reply{f, err} }

// committer is a goroutine that writes, in a stream of its own. A node has two:
// one for calls, and one for what changes much and has no events, as followers
// of the record do when they index it, so that calls don't wait for that.
type committer struct {
	*Engine
	bulk     bool
	queue    *queue[*request]
	session  *session
	own      position
	id       atomic.Uint64 // of the stream, for others
	doubt    *group        // what may have been committed: the connection was lost
	lasted   time.Duration // how long rounds took lately
	answered int           // how many were answered by the last one, or waited at its end
	wary     int           // so many groups more ask first whether their reads hold
	ended    chan struct{} // closed when the goroutine has ended
}

// position is where a stream stands after a group.
type position struct {
	stream uint64 // 0: there is none to commit to
	seq    uint64 // rises by one with each group
	fence  uint64 // rises when it is asked what became of a commit
	last   uint64 // the last event's number
	head   []byte // the journal's
}

// bulkWrites is how many keys a transaction without events changes for it not
// to go with the calls.
const bulkWrites = 64

// committerOf is the one that t goes to.
func (e *Engine) committerOf(t *tx) *committer {
	if len(t.changes.Events) == 0 && len(t.rows) == 0 && t.changes.Writes.Len() > bulkWrites {
		return e.bulk
	}
	return e.committer
}

// commit brings t to the committer and waits for its word.
func (c *committer) commit(ctx context.Context, t *tx) (reply, error) {
	r := &request{tx: t, reply: make(chan reply, 1)}
	if err := c.queue.push(r); err != nil {
		return reply{}, err
	}
	select {
	case answer := <-r.reply:
		return answer, nil
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return reply{}, ctx.Err()
		}
	}
	return <-r.reply, nil
}

// run commits groups, and renews the lease, until the queue is closed and empty.
func (c *committer) run() {
	defer close(c.ended)
	beat := time.NewTicker(c.heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-c.queue.wake:
			c.linger()
			batch, open := c.take()
			if !open {
				c.finish()
				return
			}
			if len(batch) > 0 {
				began := time.Now()
				c.round(batch)
				c.lasted = (3*c.lasted + time.Since(began)) / 4
				c.answered = len(batch) + c.queue.len()
			}
		case <-beat.C:
			c.beat()
		}
	}
}

// linger lets those come back who were just answered, for at most half
// the time that a commit takes: else half of the callers would always wait for
// the other half's commit. A single caller is not waited for.
func (c *committer) linger() {
	if expected := c.answered - c.answered/8; expected > c.queue.len() {
		c.queue.await(expected, min(c.lasted/2, lingerAtMost))
	}
}

// take takes a group of those that wait, the ones first that were run most often.
func (c *committer) take() (batch []*request, open bool) {
	size, reads := 0, 0
	all, open := c.queue.take(func(n int, r *request) bool {
		size += r.tx.changes.Bytes
		reads += r.tx.reads.size()
		return n < groupCount && size <= groupBytes && reads <= groupReads
	})
	for _, r := range all {
		if r.state.CompareAndSwap(waiting, taken) {
			batch = append(batch, r)
		}
	}
	slices.SortStableFunc(batch, func(a, b *request) int { return cmp.Compare(b.tx.attempt, a.tx.attempt) })
	return batch, open
}

// round decides every request of a batch.
func (c *committer) round(batch []*request) {
	for try := range tries {
		var err error
		if batch, err = c.attempt(batch); len(batch) == 0 {
			return
		}
		switch {
		case errors.Is(err, errOvertaken):
			continue
		case err == nil, conflicting(err):
			jitter(c.ctx, try)
			continue
		case refused(err) && len(batch) > 1: // it may be the fault of one
			for _, r := range batch {
				c.round([]*request{r})
			}
			return
		}
		for _, r := range batch {
			r.answer(failed, unavailable(err))
		}
		return
	}
	for _, r := range batch {
		r.answer(conflicted, nil)
	}
}

// attempt tries to commit a batch and answers those whose fate it decides. It
// returns the others, of which nothing has taken place, and why.
func (c *committer) attempt(batch []*request) (left []*request, err error) {
	if err := c.settle(c.ctx); err != nil {
		return batch, err
	}
	g, left, err := c.group(batch)
	if err != nil || g == nil {
		c.session.leave(c.ctx)
		return left, err
	}
	c.publish(g)
	err = c.write(g)
	switch {
	case err == nil:
		c.ends(g)
		return nil, nil
	case c.session.conn != nil && overtaken(err):
		c.session.leave(c.ctx)
		c.wary = waryFor
		c.withdraw(g)
		return g.requests, errOvertaken
	case c.session.conn != nil && refused(err):
		c.session.leave(c.ctx)
		c.withdraw(g)
		return g.requests, err
	}
	// The connection is lost, and the commit may have taken place.
	c.doubt = g
	ctx, cancel := context.WithTimeout(c.ctx, c.doubtTime)
	defer cancel()
	for try := 0; ctx.Err() == nil; try++ {
		if _, known := c.resolve(ctx); known {
			return g.requests, nil // none, if it was committed
		}
		jitter(ctx, try+4)
	}
	for _, r := range g.requests {
		r.answer(failed, fmt.Errorf("%w: %v", store.ErrUnknownFate, err))
	}
	g.requests = nil
	return nil, nil
}

// waryFor is how many groups ask first, in a round trip of their own, after one was overtaken.
const waryFor = 16

var errOvertaken = errors.New("others have written what was read")

// overtaken tells that the database has found a group's reads changed, or its stream closed or gone.
func overtaken(err error) bool { return code(err, "23514", "22012") }

// group makes of a batch what can be committed together. If none of it has been
// overtaken of late it asks the database nothing: advanceIf does.
func (c *committer) group(batch []*request) (g *group, left []*request, err error) {
	if c.wary > 0 || slices.ContainsFunc(batch, func(r *request) bool { return len(r.tx.reads.ranges)+len(r.tx.reads.rows) > 0 }) {
		c.wary = max(0, c.wary-1)
		return c.choose(batch)
	}
	g = c.gather(batch, nil)
	if c.pack(g); len(g.requests) == 0 {
		c.rerun(g)
		return nil, nil, nil
	}
	return g, nil, nil
}

// settle finds out what became of a commit in doubt, and opens a stream where
// there is none.
func (c *committer) settle(ctx context.Context) error {
	if c.doubt != nil {
		if err, known := c.resolve(ctx); !known {
			return err
		}
	}
	if c.own.stream == 0 {
		return c.openOwn(ctx)
	}
	return nil
}

// resolve asks the database whether the group in doubt was committed. The
// update that asks meets the transaction of a lost connection, or raises the
// fence before it arrives, so that it can't commit afterwards.
func (c *committer) resolve(ctx context.Context) (err error, known bool) {
	g := c.doubt
	answer, err := c.session.one(ctx, answerTime, fenceStream, bigint(g.then.stream))
	if err != nil {
		return err, false
	}
	var seq, fence uint64
	if len(answer.rows) == 1 {
		if seq, err = answer.rows[0].number(0); err == nil {
			fence, err = answer.rows[0].number(1)
		}
		if err != nil {
			return err, false
		}
	}
	c.doubt = nil
	switch seq {
	case g.then.seq:
		g.then.fence = fence
		c.ends(g)
	case g.then.seq - 1:
		c.own.fence = fence
		c.withdraw(g)
	default: // the stream is gone, with what it held
		c.options.Log.Error("the store's stream is gone from the database", "stream", g.then.stream)
		for _, r := range g.requests {
			r.answer(failed, store.ErrUnknownFate)
		}
		g.requests = nil
		c.own.stream = 0
	}
	return nil, true
}
