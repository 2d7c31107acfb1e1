package postgres

import (
	"bytes"
	"iter"

	"github.com/garrison-security/garrison/store"
)

const (
	firstPage = 16   // pairs of a scan's first page; each page is four times the one before,
	lastPage  = 1024 // up to this
	pageBytes = 4 << 20
)

// Scan implements store.Tx.
func (t *tx) Scan(from, to []byte, reverse bool) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		switch {
		case t.ended:
			yield(store.Pair{}, errEnded)
			return
		case t.failed != nil:
			yield(store.Pair{}, t.failed)
			return
		case len(t.reads.ranges) == store.MaxReads:
			yield(store.Pair{}, errTooMany)
			return
		}
		from, to, ok := store.ClipRange(from, to)
		if !ok {
			return
		}
		whole := span{from: bytes.Clone(from), to: bytes.Clone(to)}
		s := scan{tx: t, read: whole, left: whole, reverse: reverse, yield: yield, limit: firstPage}
		t.changes.Merge(s.next, whole.from, whole.to, reverse, s.give)
		t.reads.ranges = append(t.reads.ranges, s.read)
		if s.err != nil && !s.stopped {
			yield(store.Pair{}, s.err)
		}
	}
}

// scan is one range read under way.
type scan struct {
	*tx
	reverse bool
	yield   func(store.Pair, error) bool

	read    span // what counts as read
	left    span // what is still to be read
	page    []found
	limit   int
	end     bool // no page follows
	last    *found
	opened  []byte // the value last yielded
	stopped bool
	err     error
}

// next is the next pair of the database.
func (s *scan) next() (key, sealed []byte, ok bool) {
	if s.err != nil {
		return nil, nil, false
	}
	for len(s.page) == 0 {
		if s.end || !s.turn() {
			return nil, nil, false
		}
	}
	s.last = &s.page[0]
	s.page = s.page[1:]
	s.read.count++
	s.read.sum.add(s.last.version)
	return s.last.key, s.last.sealed, true
}

// turn reads the next page.
func (s *scan) turn() bool {
	if !s.left.holds(s.left.from) {
		return false
	}
	var more bool
	if s.page, more, s.err = s.from.page(s.ctx, &s.left, s.reverse, s.limit); s.err != nil {
		s.failed = s.err
		return false
	}
	if s.end = !more; s.end || len(s.page) == 0 {
		return true
	}
	size := 0
	for _, f := range s.page {
		size += len(f.key) + len(f.sealed)
	}
	edge := s.page[len(s.page)-1].key
	if s.reverse {
		s.left.to = edge
	} else {
		s.left.from = append(bytes.Clone(edge), 0)
	}
	s.limit = max(1, min(4*s.limit, lastPage, pageBytes*len(s.page)/size))
	return true
}

// give opens and yields a pair. Where the scan ends with it, only the range up
// to it counts as read.
func (s *scan) give(key, sealed []byte) bool {
	if s.err == nil && s.ended {
		s.err = errEnded
	}
	if s.err != nil {
		return false
	}
	// Cloned, so that a caller who writes into it does not write into what the engine holds.
	pair := store.Pair{Key: bytes.Clone(key)}
	var err error
	s.opened, err = s.open(s.opened[:0], key, sealed)
	pair.Value = s.opened
	if s.yield(pair, err) && err == nil {
		return true
	}
	s.stopped = true
	if s.reverse {
		s.read.from = bytes.Clone(key)
	} else {
		s.read.to = append(bytes.Clone(key), 0)
	}
	if s.last != nil && !s.read.holds(s.last.key) {
		s.read.count--
		s.read.sum.remove(s.last.version)
	}
	return false
}
