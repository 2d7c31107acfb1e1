package pebble

import (
	"errors"
	"time"

	crdb "github.com/cockroachdb/pebble/v2"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/pending"
)

var (
	errEnded    = errors.New("store: the transaction has ended")
	errReadOnly = errors.New("store: a View changes nothing")
	// errStale ends an attempt: what it was about to read has changed since it began. Update and View
	// run fn again and never return it.
	errStale = errors.New("store: read what has changed meanwhile")
)

// tx is one attempt at a transaction. All that it reads is as it was at its
// start, or the attempt ends with errStale: no attempt sees two moments.
type tx struct {
	engine  *Engine
	attempt int
	start   *group      // the last group applied when the attempt began
	from    crdb.Reader // the database, or a snapshot
	// snapshot: from is one, so nothing that is read can be stale and nothing is checked. Views only.
	snapshot bool
	readOnly bool
	ended    bool
	stale    bool

	changes pending.Changes
	reads   []uint32 // counters of the keys read
	ranges  []span
	lead    [12]uint32 // where reads begins, to save an allocation
}

// span is the range from <= key < to; a nil to is no bound.
type span struct{ from, to []byte }

// begin starts an attempt on what is applied now.
func (e *Engine) begin(attempt int, readOnly bool) *tx {
	t := &tx{engine: e, attempt: attempt, start: e.applied.Load(), from: e.db, readOnly: readOnly}
	t.reads = t.lead[:0]
	return t
}

// run calls fn and leaves t dead. It returns how long fn took.
func (t *tx) run(fn func(store.Tx) error) (time.Duration, error) {
	began := time.Now()
	defer func() { t.ended = true }()
	err := fn(t)
	return time.Since(began), err
}

// holds tells whether all that t read is still so.
func (t *tx) holds() bool {
	h, since := &t.engine.history, t.start.number
	if h.newest.Load() <= since {
		return true
	}
	for _, slot := range t.reads {
		if h.changed(slot, since) {
			return false
		}
	}
	for _, s := range t.ranges {
		if key, known := h.first(s.from, s.to, false, since); key != nil || !known {
			return false
		}
	}
	return true
}

// own is t's own write of key, if there is one.
func (t *tx) own(key []byte) (w pending.Write, ok bool, err error) {
	if t.ended {
		return w, false, errEnded
	}
	if t.stale {
		return w, false, errStale
	}
	if err := store.CheckKey(key); err != nil {
		return w, false, err
	}
	if t.changes.Writes.Len() == 0 {
		return w, false, nil
	}
	w, ok = t.changes.Writes.Get(key)
	return w, ok, nil
}

// note records that the key of a counter is read.
func (t *tx) note(slot uint32) error {
	if t.readOnly {
		return nil
	}
	if len(t.reads) == store.MaxReads {
		return store.ErrTooLarge
	}
	t.reads = append(t.reads, slot)
	return nil
}

// fetch is the value that the engine holds under key, opened; the caller has
// noted the read.
func (t *tx) fetch(key []byte, slot uint32) ([]byte, error) {
	sealed, closer, err := t.from.Get(key)
	if !t.snapshot && t.engine.history.changed(slot, t.start.number) {
		t.stale = true
	}
	if err == nil {
		defer closer.Close()
	}
	switch {
	case t.stale:
		return nil, errStale
	case errors.Is(err, crdb.ErrNotFound):
		return nil, store.ErrNotFound
	case err != nil:
		return nil, unavailable(err)
	}
	return t.engine.options.Open(nil, key, sealed)
}

// Get implements store.Tx.
func (t *tx) Get(key []byte) ([]byte, error) {
	w, ok, err := t.own(key)
	switch {
	case err != nil:
		return nil, err
	case ok && w.Delete:
		return nil, store.ErrNotFound
	case ok:
		return t.engine.options.Open(nil, key, w.Sealed)
	}
	slot := t.engine.history.slot(key)
	if err := t.note(slot); err != nil {
		return nil, err
	}
	return t.fetch(key, slot)
}

// Load implements store.Tx.
func (t *tx) Load(key []byte, decode func([]byte) (any, error)) (any, error) {
	w, ok, err := t.own(key)
	if err != nil {
		return nil, err
	}
	if ok || t.snapshot {
		return t.decoded(key, w, ok, decode)
	}
	e := t.engine
	slot := e.history.slot(key)
	changed := e.history.counters[slot].Load()
	if changed > t.start.number {
		t.stale = true
		return nil, errStale
	}
	if err := t.note(slot); err != nil {
		return nil, err
	}
	if v, ok := e.cache.get(slot, key, changed); ok {
		return v, nil
	}
	value, err := t.fetch(key, slot)
	if err != nil {
		return nil, err
	}
	size := len(value)
	v, err := decode(value)
	if err == nil {
		e.cache.put(slot, key, v, size, t.start.number)
	}
	return v, err
}

// decoded is Load past the cache: of t's own write, or from the snapshot.
func (t *tx) decoded(key []byte, w pending.Write, own bool, decode func([]byte) (any, error)) (any, error) {
	var value []byte
	var err error
	switch {
	case !own:
		value, err = t.fetch(key, 0)
	case w.Delete:
		err = store.ErrNotFound
	default:
		value, err = t.engine.options.Open(nil, key, w.Sealed)
	}
	if err != nil {
		return nil, err
	}
	return decode(value)
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
func (t *tx) Discard() { t.changes = pending.Changes{} }

// Attempt implements store.Tx.
func (t *tx) Attempt() int { return t.attempt }
