package postgres

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/ordered"
	"github.com/garrison-security/garrison/store/internal/pending"
)

// group is transactions that are committed together.
type group struct {
	requests []*request
	again    []*request        // those that have read what others write, or have written
	asked    bool              // the database has been asked whether their reads hold, in the transaction that is to be committed
	writes   map[string]*entry // version 0: deleted
	rows     map[rowName]*replacement
	events   []store.Event
	packed   []byte
	then     position
	began    time.Time
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
		c.feed.Add()
	}
	for _, r := range g.requests {
		r.answer(committed, nil)
	}
	g.requests = nil
}

// publish lets others read what the group writes while it is on its way. They
// can't be committed, nor answered, unless the group is. It lets those run
// again that are not part of it.
func (c *committer) publish(g *group) {
	for key, e := range g.writes {
		c.cache.wrote(key, e)
	}
	c.rerun(g)
}

// withdraw takes back what was published of a group that was not committed.
func (c *committer) withdraw(g *group) {
	for key, e := range g.writes {
		c.cache.forget(key, e)
	}
}

func (c *committer) rerun(g *group) {
	for _, r := range g.again {
		r.answer(conflicted, nil)
	}
	g.again = nil
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
	g = c.gather(batch, q)
	if c.pack(g); len(g.requests) == 0 {
		c.rerun(g)
		return nil, nil, nil
	}
	return g, nil, nil
}

// gather makes a group of those whose reads hold by the answer to q, or, where
// that is nil and the database not asked yet, by what this node has written
// itself, and have not read what others of the group write.
func (c *committer) gather(batch []*request, q *question) *group {
	g := &group{began: time.Now(), asked: q != nil, writes: map[string]*entry{}, rows: map[rowName]*replacement{}}
	var written ordered.Map[bool]
	read := map[string]uint64{}
	for _, r := range batch {
		stale := q != nil && !q.holds(&r.tx.reads) || q == nil && c.cache.contradicts(&r.tx.reads)
		if stale || meets(&r.tx.reads, written, g.rows) || !agree(&r.tx.reads, read) {
			g.again = append(g.again, r)
			continue
		}
		writes := r.tx.changes.Writes.Cursor(nil, nil, false)
		for key, _, ok := writes.Next(); ok; key, _, ok = writes.Next() {
			written = written.With(key, true)
		}
		g.add(r)
	}
	return g
}

// agree adds what was read to the versions that others of the group have read,
// and tells whether it is the same. Of two that differ one is stale.
func agree(r *reads, versions map[string]uint64) bool {
	for key, e := range r.keys {
		if version, ok := versions[key]; ok && version != e.version {
			return false
		}
	}
	for key, e := range r.keys {
		versions[key] = e.version
	}
	return true
}

// add lets r take part.
func (g *group) add(r *request) {
	writes := r.tx.changes.Writes.Cursor(nil, nil, false)
	for key, w, ok := writes.Next(); ok; key, w, ok = writes.Next() {
		g.writes[string(key)] = entryOf(w)
	}
	for name, replaced := range r.tx.rows {
		g.rows[name] = replaced
	}
	g.requests = append(g.requests, r)
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
	all := g.requests
	g.requests, g.writes, g.rows = nil, map[string]*entry{}, map[rowName]*replacement{}
	for _, r := range all {
		if _, _, err := c.packed(r.tx.changes.Events); err != nil {
			r.answer(unpackable(err), err)
		} else {
			g.add(r)
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
	g.then = position{stream: c.own.stream, seq: c.own.seq + 1, fence: c.own.fence, last: c.own.last + uint64(len(g.events))}
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

// advance moves the stream on, in the transaction that has asked, or in a new
// one in which the database compares the versions.
func (c *committer) advance(g *group) []call {
	place := [][]byte{bigint(c.own.stream), bigint(c.own.seq), bigint(g.then.last)}
	if g.asked {
		return []call{{advanceStream, place}}
	}
	var keys, versions [][]byte
	seen := map[string]bool{}
	for _, r := range g.requests {
		for key, e := range r.tx.reads.keys {
			if !seen[key] {
				seen[key] = true
				keys, versions = append(keys, []byte(key)), append(versions, bigint(e.version))
			}
		}
	}
	return []call{
		{statement: beginWriting}, {theStream, place[:1]}, {advanceIf, append(place, bigint(c.own.fence), byteArray(keys), array(oidBigint, versions))},
	}
}

// write sends a group's changes and commits, in one round trip. It changes keys
// in order, so that nodes which change the same ones wait for each other and never in a ring:
// what that costs is the database's deadlock_timeout, a second.
func (c *committer) write(g *group) error {
	calls := c.advance(g)
	var put, versions, values, deleted [][]byte
	for _, key := range slices.Sorted(maps.Keys(g.writes)) {
		e := g.writes[key]
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
	advancing := 0
	if !g.asked {
		advancing = 2
	}
	results, err := c.session.do(c.ctx, c.commitTime, append(calls, call{statement: commit})...)
	switch {
	case err != nil:
		return err
	case c.session.warned:
		// Such as that it is on no standby: committed here, and not as durable as was asked for.
		c.session.close()
		return errors.New("the database warned of the commit")
	case results[advancing].tag.RowsAffected() != 1 || results[len(results)-1].tag.String() != "COMMIT":
		c.session.close()
		return errors.New("the database did not do as it was told")
	}
	return nil
}
