package mem

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/pending"
)

var (
	errEnded    = errors.New("store: the transaction has ended")
	errReadOnly = errors.New("store: a View changes nothing")
)

// tx is one attempt at a transaction.
type tx struct {
	engine   *Engine
	begun    *state
	attempt  int
	readOnly bool
	ended    bool
	changes  pending.Changes
	rows     map[uint64]*store.Row // rows replaced, or nil: removed

	reads   []read
	ranges  []span
	rowsGot []uint64
}

// read is a key that was read and the entry that was found, nil if there was none.
type read struct {
	key   []byte
	found *entry
}

// span is the range from <= key < to; a nil to is no bound.
type span struct{ from, to []byte }

func (t *tx) end() { t.ended = true }

// run calls fn, and leaves t dead.
func (t *tx) run(fn func(store.Tx) error) error {
	defer t.end()
	return fn(t)
}

// holds tells whether all that t read is still so.
func (t *tx) holds(now *state) bool {
	if now == t.begun {
		return true
	}
	for _, r := range t.reads {
		if found, _ := now.data.Get(r.key); found != r.found {
			return false
		}
	}
	for _, last := range t.rowsGot {
		was, _ := t.begun.rows.Get(rowKey(last))
		if is, _ := now.rows.Get(rowKey(last)); is != was {
			return false
		}
	}
	return !slices.ContainsFunc(t.ranges, func(s span) bool { return !sameRange(t.begun, now, s) })
}

func sameRange(a, b *state, s span) bool {
	ca, cb := a.data.Cursor(s.from, s.to, false), b.data.Cursor(s.from, s.to, false)
	for {
		ka, va, oka := ca.Next()
		kb, vb, okb := cb.Next()
		if !oka || !okb {
			return oka == okb
		}
		if va != vb || !bytes.Equal(ka, kb) {
			return false
		}
	}
}

// entry is what key holds for this transaction: a write of its own, or an entry.
func (t *tx) entry(key []byte) (own *pending.Write, e *entry, err error) {
	if t.ended {
		return nil, nil, errEnded
	}
	if err := store.CheckKey(key); err != nil {
		return nil, nil, err
	}
	if w, ok := t.changes.Writes.Get(key); ok {
		if w.Delete {
			return nil, nil, store.ErrNotFound
		}
		return &w, nil, nil
	}
	e, _ = t.begun.data.Get(key)
	if !t.readOnly {
		if len(t.reads) == store.MaxReads {
			return nil, nil, store.ErrTooLarge
		}
		t.reads = append(t.reads, read{key: bytes.Clone(key), found: e})
	}
	if e == nil {
		return nil, nil, store.ErrNotFound
	}
	return nil, e, nil
}

// Get implements store.Tx.
func (t *tx) Get(key []byte) ([]byte, error) {
	own, e, err := t.entry(key)
	if err != nil {
		return nil, err
	}
	if own != nil {
		return t.engine.options.Open(nil, key, own.Sealed)
	}
	return t.engine.options.Open(nil, key, e.sealed)
}

// Load implements store.Tx.
func (t *tx) Load(key []byte, decode func([]byte) (any, error)) (any, error) {
	own, e, err := t.entry(key)
	if err != nil {
		return nil, err
	}
	var sealed []byte
	if own != nil {
		sealed = own.Sealed
	} else if kept := e.decoded.Load(); kept != nil {
		return *kept, nil
	} else {
		sealed = e.sealed
	}
	value, err := t.engine.options.Open(nil, key, sealed)
	if err != nil {
		return nil, err
	}
	decoded, err := decode(value)
	if err == nil && e != nil {
		e.decoded.Store(&decoded)
	}
	return decoded, err
}

// Put implements store.Tx.
func (t *tx) Put(key, value []byte) error {
	if err := t.writable(key); err != nil {
		return err
	}
	sealed, err := t.engine.options.Seal(key, value)
	if err != nil {
		return err
	}
	return t.changes.Set(key, pending.Write{Sealed: sealed})
}

// Delete implements store.Tx.
func (t *tx) Delete(key []byte) error {
	if err := t.writable(key); err != nil {
		return err
	}
	return t.changes.Set(key, pending.Write{Delete: true})
}

func (t *tx) writable(key []byte) error {
	switch {
	case t.ended:
		return errEnded
	case t.readOnly:
		return errReadOnly
	}
	return store.CheckKey(key)
}

// Scan implements store.Tx.
func (t *tx) Scan(from, to []byte, reverse bool) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		if t.ended {
			yield(store.Pair{}, errEnded)
			return
		}
		if len(t.ranges) == store.MaxReads {
			yield(store.Pair{}, store.ErrTooLarge)
			return
		}
		from, to, ok := store.ClipRange(from, to)
		if !ok {
			return
		}
		s := span{from: bytes.Clone(from), to: bytes.Clone(to)}
		cursor := t.begun.data.Cursor(s.from, s.to, reverse)
		base := func() (key, sealed []byte, ok bool) {
			key, e, ok := cursor.Next()
			if ok {
				sealed = e.sealed
			}
			return key, sealed, ok
		}
		var keyCopy, opened []byte
		seen := s
		t.changes.Merge(base, s.from, s.to, reverse, func(key, sealed []byte) bool {
			keyCopy = append(keyCopy[:0], key...)
			var err error
			switch opened, err = t.engine.options.Open(opened[:0], key, sealed); {
			case t.ended:
				yield(store.Pair{}, errEnded)
			case err != nil:
				yield(store.Pair{Key: keyCopy}, err)
			case yield(store.Pair{Key: keyCopy, Value: opened}, nil):
				return true
			}
			if reverse {
				seen.from = bytes.Clone(key)
			} else {
				seen.to = append(bytes.Clone(key), 0)
			}
			return false
		})
		t.saw(seen)
	}
}

// saw notes a range that was read.
func (t *tx) saw(s span) {
	if !t.readOnly {
		t.ranges = append(t.ranges, s)
	}
}

// Append implements store.Tx.
func (t *tx) Append(e store.Event) error {
	switch {
	case t.ended:
		return errEnded
	case t.readOnly:
		return errReadOnly
	}
	return t.changes.Append(e)
}

// Discard implements store.Tx.
func (t *tx) Discard() {
	t.changes = pending.Changes{}
	t.rows = nil
}

// Attempt implements store.Tx.
func (t *tx) Attempt() int { return t.attempt }
