package pebble

import (
	"bytes"
	"iter"

	crdb "github.com/cockroachdb/pebble/v2"

	"github.com/garrison-security/garrison/store"
)

// Scan implements store.Tx.
func (t *tx) Scan(from, to []byte, reverse bool) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		if err := t.scannable(); err != nil {
			yield(store.Pair{}, err)
			return
		}
		from, to, ok := store.ClipRange(from, to)
		if !ok {
			return
		}
		s := scan{tx: t, span: span{from: bytes.Clone(from), to: bytes.Clone(to)}, reverse: reverse, yield: yield}
		s.run()
	}
}

func (t *tx) scannable() error {
	switch {
	case t.ended:
		return errEnded
	case t.stale:
		return errStale
	case len(t.ranges) == store.MaxReads:
		return store.ErrTooLarge
	}
	return nil
}

// scan is one range read under way.
type scan struct {
	*tx
	span
	reverse bool
	yield   func(store.Pair, error) bool

	base    *crdb.Iterator
	begun   bool
	edge    []byte // the first key that has changed since t's start: nothing from there on is as it was
	opened  []byte // the value last yielded
	shut    []byte // the key whose value does not open
	stopped bool
	err     error
}

func (s *scan) run() {
	it, err := s.from().NewIter(&crdb.IterOptions{LowerBound: s.span.from, UpperBound: s.span.to})
	if err != nil {
		s.yield(store.Pair{}, unavailable(err))
		return
	}
	defer it.Close()
	s.base = it
	if !s.snapshot {
		// Asked once the iterator stands: it sees no change that is not noted by now.
		var known bool
		if s.edge, known = s.engine.history.first(s.span.from, s.span.to, s.reverse, s.start.number); !known {
			s.stale, s.err = true, errStale
		}
	}
	if s.err == nil {
		s.changes.Merge(s.next, s.span.from, s.span.to, s.reverse, s.give)
	}
	if !s.readOnly {
		s.ranges = append(s.ranges, s.span)
	}
	if s.err != nil && !s.stopped {
		s.yield(store.Pair{Key: s.shut}, s.err)
	}
}

func (s *scan) from() crdb.Reader { return s.tx.from }

// next is the next pair of the database.
func (s *scan) next() (key, sealed []byte, ok bool) {
	switch {
	case s.err != nil:
		return nil, nil, false
	case !s.begun && s.reverse:
		ok = s.base.Last()
	case !s.begun:
		ok = s.base.First()
	case s.reverse:
		ok = s.base.Prev()
	default:
		ok = s.base.Next()
	}
	s.begun = true
	if err := s.base.Error(); err != nil {
		s.err = unavailable(err)
		return nil, nil, false
	}
	if s.edge != nil && (!ok || bytes.Compare(s.base.Key(), s.edge) >= 0 != s.reverse || bytes.Equal(s.base.Key(), s.edge)) {
		s.stale, s.err = true, errStale
		return nil, nil, false
	}
	if !ok {
		return nil, nil, false
	}
	if sealed, s.err = s.base.ValueAndErr(); s.err != nil {
		s.err = unavailable(s.err)
		return nil, nil, false
	}
	return s.base.Key(), sealed, true
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
	if s.opened, s.err = s.engine.options.Open(s.opened[:0], key, sealed); s.err != nil {
		s.shut = bytes.Clone(key)
		return false
	}
	// Cloned, so that a caller who writes into it does not write into what the engine holds.
	last := bytes.Clone(key)
	if s.yield(store.Pair{Key: last, Value: s.opened}, nil) {
		return true
	}
	s.stopped = true
	if s.reverse {
		s.span.from = bytes.Clone(key)
	} else {
		s.span.to = append(bytes.Clone(key), 0)
	}
	return false
}
