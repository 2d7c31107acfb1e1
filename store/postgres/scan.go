package postgres

import (
	"bytes"
	"context"
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
		s := scan{tx: t, read: whole, pages: pages{from: t.from, left: whole, reverse: reverse, limit: firstPage, most: lastPage}, yield: yield}
		t.changes.Merge(s.next, whole.from, whole.to, reverse, s.give)
		t.reads.ranges = append(t.reads.ranges, s.read)
		if s.err != nil && !s.stopped {
			yield(store.Pair{}, s.err)
		}
	}
}

// pages are the pairs of a range, read a page at a time.
type pages struct {
	from    paged
	left    span // what is still to be read
	reverse bool
	page    []found
	limit   int // pairs of the next page; most bounds it
	most    int
	end     bool // no page follows
}

// next is the next pair; nil at the end.
func (p *pages) next(ctx context.Context) (*found, error) {
	for len(p.page) == 0 {
		if p.end || !p.left.holds(p.left.from) {
			return nil, nil
		}
		if err := p.turn(ctx); err != nil {
			return nil, err
		}
	}
	f := &p.page[0]
	p.page = p.page[1:]
	return f, nil
}

// turn reads the next page.
func (p *pages) turn(ctx context.Context) error {
	page, more, err := p.from.page(ctx, &p.left, p.reverse, p.limit)
	if err != nil {
		return err
	}
	p.page = page
	if p.end = !more; p.end || len(p.page) == 0 {
		return nil
	}
	size := 0
	for _, f := range p.page {
		size += len(f.key) + len(f.sealed)
	}
	edge := p.page[len(p.page)-1].key
	if p.reverse {
		p.left.to = edge
	} else {
		p.left.from = append(bytes.Clone(edge), 0)
	}
	p.limit = max(1, min(4*p.limit, p.most, pageBytes*len(p.page)/size))
	return nil
}

// scan is one range read under way.
type scan struct {
	*tx
	pages
	yield func(store.Pair, error) bool

	read    span // what counts as read
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
	last, err := s.pages.next(s.ctx)
	if err != nil {
		s.err, s.failed = err, err
		return nil, nil, false
	}
	if last == nil {
		return nil, nil, false
	}
	s.read.count++
	s.read.sum.add(last.version)
	s.last = last
	return last.key, last.sealed, true
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
