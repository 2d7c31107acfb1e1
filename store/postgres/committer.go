package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/ordered"
	"github.com/garrison-security/garrison/store/internal/pending"
)

const (
	groupCount = 1024     // transactions that are committed together, at most
	groupBytes = 16 << 20 // and bytes, but always one transaction
	groupReads = 20_000   // and reads
)

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

// committer is the one goroutine that writes, in this node's stream.
type committer struct {
	*Engine
	queue   *queue[*request]
	session *session
	own     position
	id      atomic.Uint64 // of the stream, for others
	doubt   *group        // what may have been committed: the connection was lost
	ended   chan struct{} // closed when the goroutine has ended
}

// position is where a stream stands after a group.
type position struct {
	stream uint64 // 0: there is none to commit to
	seq    uint64 // rises by one with each group
	last   uint64 // the last event's number
	head   []byte // the journal's
}

// group is transactions that are committed together.
type group struct {
	requests []*request
	writes   map[string]*entry // version 0: deleted
	rows     map[rowName]*replacement
	events   []store.Event
	packed   []byte
	then     position
	began    time.Time
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
			batch, open := c.take()
			if !open {
				c.finish()
				return
			}
			if len(batch) > 0 {
				c.round(batch)
			}
		case <-beat.C:
			c.beat()
		}
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
	g, left, err := c.choose(batch)
	if err != nil || g == nil {
		c.session.leave(c.ctx)
		return left, err
	}
	if err = c.write(g); err == nil {
		c.ends(g)
		return nil, nil
	}
	if c.session.conn != nil && refused(err) {
		c.session.leave(c.ctx)
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
// update that asks meets the transaction of a lost connection, so that it can't
// commit afterwards.
func (c *committer) resolve(ctx context.Context) (err error, known bool) {
	g := c.doubt
	answer, err := c.session.one(ctx, answerTime, fenceStream, bigint(g.then.stream))
	if err != nil {
		return err, false
	}
	seq := uint64(0)
	if len(answer.rows) == 1 {
		if seq, err = answer.rows[0].number(0); err != nil {
			return err, false
		}
	}
	c.doubt = nil
	switch seq {
	case g.then.seq:
		c.ends(g)
	case g.then.seq - 1:
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

// ends takes in that a group was committed.
func (c *committer) ends(g *group) {
	c.own = g.then
	c.measures.Groups.Observe(float64(len(g.requests)))
	c.measures.Commits.Observe(time.Since(g.began).Seconds())
	for key, e := range g.writes {
		c.cache.wrote(key, e)
	}
	if len(g.events) > 0 {
		c.feed.advance()
	}
	for _, r := range g.requests {
		r.answer(committed, nil)
	}
	g.requests = nil
}

// choose begins the database's transaction and finds the requests that can be
// committed in it together: what they read still holds, and none has read what
// another one writes. The rest are told to run again.
func (c *committer) choose(batch []*request) (g *group, left []*request, err error) {
	q := ask()
	for _, r := range batch {
		q.add(&r.tx.reads)
	}
	calls := append([]call{{statement: beginWriting}, {ownStream, [][]byte{bigint(c.own.stream)}}}, q.calls()...)
	results, err := c.session.again(c.ctx, calls...)
	if err != nil {
		return nil, batch, err
	}
	if !c.stillOwn(results[1].rows) {
		c.options.Log.Warn("the store's lease had ended; a new stream begins", "stream", c.own.stream)
		c.own = position{}
		return nil, batch, nil
	}
	if _, err := q.answered(results[2:]); err != nil {
		return nil, batch, err
	}
	q.refresh(c.cache)
	g = &group{began: time.Now(), writes: map[string]*entry{}, rows: map[rowName]*replacement{}}
	var written ordered.Map[bool]
	for _, r := range batch {
		if !q.holds(&r.tx.reads) || meets(&r.tx.reads, written, g.rows) {
			r.answer(conflicted, nil)
			continue
		}
		writes := r.tx.changes.Writes.Cursor(nil, nil, false)
		for key, w, ok := writes.Next(); ok; key, w, ok = writes.Next() {
			written = written.With(key, true)
			g.writes[string(key)] = entryOf(w)
		}
		for name, replaced := range r.tx.rows {
			g.rows[name] = replaced
		}
		g.requests = append(g.requests, r)
	}
	if c.pack(g); len(g.requests) == 0 {
		return nil, nil, nil
	}
	return g, nil, nil
}

// stillOwn tells whether the node may commit to its stream, whose row was read.
func (c *committer) stillOwn(rows []row) bool {
	if len(rows) != 1 {
		return false
	}
	seq, err := rows[0].number(0)
	closed, err2 := rows[0].truth(1)
	return err == nil && err2 == nil && seq == c.own.seq && !closed
}

func entryOf(w pending.Write) *entry {
	if w.Delete {
		return &entry{}
	}
	return &entry{version: newVersion(), sealed: w.Sealed}
}

// newVersion is a random number of 63 bits that is not 0.
func newVersion() uint64 { return 1 + rand.Uint64N(maxNumber) }

// meets tells whether something was read that others, whose changes these are, write.
func meets(r *reads, written ordered.Map[bool], rows map[rowName]*replacement) bool {
	if written.Len() > 0 {
		for key := range r.keys {
			if _, ok := written.Get([]byte(key)); ok {
				return true
			}
		}
		for i := range r.ranges {
			within := written.Cursor(r.ranges[i].from, r.ranges[i].to, false)
			if _, _, ok := within.Next(); ok {
				return true
			}
		}
	}
	for name := range r.rows {
		if rows[name] != nil {
			return true
		}
	}
	return false
}

// pack makes the row of a group's events. Requests whose events can't be packed
// are told so and leave the group.
func (c *committer) pack(g *group) {
	err := c.packAll(g)
	if err == nil {
		return
	}
	fit := g.requests[:0:0]
	for _, r := range g.requests {
		if _, _, err := c.packed(r.tx.changes.Events); err != nil {
			r.answer(unpackable(err), err)
		} else {
			fit = append(fit, r)
		}
	}
	g.requests = fit
	g.writes, g.rows = map[string]*entry{}, map[rowName]*replacement{}
	for _, r := range fit {
		writes := r.tx.changes.Writes.Cursor(nil, nil, false)
		for key, w, ok := writes.Next(); ok; key, w, ok = writes.Next() {
			g.writes[string(key)] = entryOf(w)
		}
		for name, replaced := range r.tx.rows {
			g.rows[name] = replaced
		}
	}
	if err := c.packAll(g); err != nil {
		for _, r := range g.requests {
			r.answer(unpackable(err), err)
		}
		g.requests = nil
	}
}

func unpackable(err error) fate {
	if errors.Is(err, store.ErrUnknownScope) {
		return unpacked
	}
	return failed
}

func (c *committer) packAll(g *group) (err error) {
	g.events = nil
	for _, r := range g.requests {
		g.events = append(g.events, r.tx.changes.Events...)
	}
	g.then = position{stream: c.own.stream, seq: c.own.seq + 1, last: c.own.last + uint64(len(g.events))}
	g.packed, g.then.head, err = c.packed(g.events)
	return err
}

func (c *committer) packed(events []store.Event) (row, head []byte, err error) {
	if len(events) == 0 {
		return nil, c.own.head, nil
	}
	row, head, err = c.options.Journal.Pack(c.own.stream, c.own.last+1, c.own.head, events)
	if err != nil {
		return nil, nil, fmt.Errorf("pack events: %w", err)
	}
	return row, head, nil
}

// write sends a group's changes and commits, in one round trip.
func (c *committer) write(g *group) error {
	calls := []call{{advanceStream, [][]byte{bigint(c.own.stream), bigint(c.own.seq), bigint(g.then.last)}}}
	var put, versions, values, deleted [][]byte
	for key, e := range g.writes {
		if e.version == 0 {
			deleted = append(deleted, []byte(key))
			continue
		}
		put, versions, values = append(put, []byte(key)), append(versions, bigint(e.version)), append(values, e.sealed)
	}
	if len(put) > 0 {
		calls = append(calls, call{putKeys, [][]byte{byteArray(put), array(oidBigint, versions), byteArray(values)}})
	}
	if len(deleted) > 0 {
		calls = append(calls, call{deleteKeys, [][]byte{byteArray(deleted)}})
	}
	for name, r := range g.rows {
		place := [][]byte{bigint(name.stream), bigint(name.last)}
		if r.data == nil {
			calls = append(calls, call{deleteRow, place})
		} else {
			calls = append(calls, call{replaceRow, append(place, bigint(newVersion()), r.data)})
		}
	}
	if len(g.events) > 0 {
		calls = append(calls, call{putRow, [][]byte{
			bigint(c.own.stream), bigint(g.then.last), bigint(c.own.last + 1), bigint(newVersion()), g.packed,
		}})
	}
	results, err := c.session.do(c.ctx, c.commitTime, append(calls, call{statement: commit})...)
	switch {
	case err != nil:
		return err
	case c.session.warned:
		// Such as that it is on no standby: committed here, and not as durable as was asked for.
		c.session.close()
		return errors.New("the database warned of the commit")
	case results[0].tag.RowsAffected() != 1 || results[len(results)-1].tag.String() != "COMMIT":
		c.session.close()
		return errors.New("the database did not do as it was told")
	}
	return nil
}
