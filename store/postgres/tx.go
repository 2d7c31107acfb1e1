package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/pending"
)

var (
	errEnded    = errors.New("store: the transaction has ended")
	errReadOnly = errors.New("store: a View changes nothing")
)

// tx is one attempt at a transaction. What it reads may be of several moments,
// and is believed only after the database has said that all of it is still so.
type tx struct {
	engine   *Engine
	ctx      context.Context
	from     source
	attempt  int
	readOnly bool
	ended    bool
	// failed is why something could not be read: the attempt comes to nothing, whatever fn makes of it.
	failed error
	// unknown is a scope whose key this node does not know, if one was met.
	unknown *string

	changes pending.Changes
	rows    map[rowName]*replacement
	reads   reads
}

// replacement is what becomes of a row of events.
type replacement struct {
	first uint64
	data  []byte // nil: it is removed
}

// source is where a transaction reads.
type source interface {
	entries(ctx context.Context, keys []string) ([]*entry, error)
	paged
	row(ctx context.Context, name rowName) (first, version uint64, err error)
}

// paged is where the pairs of a range are read, a page at a time.
type paged interface {
	page(ctx context.Context, s *span, reverse bool, limit int) (page []found, more bool, err error)
}

func (e *Engine) begin(ctx context.Context, from source, attempt int, readOnly bool) *tx {
	return &tx{engine: e, ctx: ctx, from: from, attempt: attempt, readOnly: readOnly, reads: reads{keys: map[string]*entry{}}}
}

// run calls fn and leaves t dead.
func (t *tx) run(fn func(store.Tx) error) error {
	defer func() { t.ended = true }()
	return fn(t)
}

// empty tells that t changes nothing.
func (t *tx) empty() bool { return t.changes.Empty() && len(t.rows) == 0 }

// own is t's own write of key, if there is one.
func (t *tx) own(key []byte) (w pending.Write, ok bool, err error) {
	if t.ended {
		return w, false, errEnded
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

// read is the entry under key, as it was when t first read it.
func (t *tx) read(key []byte) (*entry, error) {
	if e := t.reads.keys[string(key)]; e != nil {
		return e, nil
	}
	if err := t.fetch(string(key)); err != nil {
		return nil, err
	}
	return t.reads.keys[string(key)], nil
}

// fetch reads keys that t has not read yet.
func (t *tx) fetch(keys ...string) error {
	if t.failed != nil {
		return t.failed
	}
	if len(t.reads.keys)+len(keys) > store.MaxReads {
		return errTooMany
	}
	found, err := t.from.entries(t.ctx, keys)
	if err != nil {
		t.failed = err
		return err
	}
	for i, key := range keys {
		t.reads.keys[key] = found[i]
	}
	return nil
}

// Prefetch implements store.Prefetcher.
func (t *tx) Prefetch(keys ...[]byte) error {
	var missing []string
	for _, key := range keys {
		_, own, err := t.own(key)
		if err != nil {
			return err
		}
		if !own && t.reads.keys[string(key)] == nil && !slices.Contains(missing, string(key)) {
			missing = append(missing, string(key))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return t.fetch(missing...)
}

// open opens what is kept under key.
func (t *tx) open(dst, key, sealed []byte) ([]byte, error) {
	value, err := t.engine.options.Open(dst, key, sealed)
	return value, t.met(key, err)
}

// met notes an error that a Sealer may learn its way out of.
func (t *tx) met(key []byte, err error) error {
	if errors.Is(err, store.ErrUnknownScope) {
		t.unknown = new(store.Scope(key))
	}
	return err
}

// Get implements store.Tx.
func (t *tx) Get(key []byte) ([]byte, error) {
	w, own, err := t.own(key)
	switch {
	case err != nil:
		return nil, err
	case own && w.Delete:
		return nil, store.ErrNotFound
	case own:
		return t.open(nil, key, w.Sealed)
	}
	e, err := t.read(key)
	if err != nil {
		return nil, err
	}
	if e.version == 0 {
		return nil, store.ErrNotFound
	}
	return t.open(nil, key, e.sealed)
}

// Load implements store.Tx.
func (t *tx) Load(key []byte, decode func([]byte) (any, error)) (any, error) {
	w, own, err := t.own(key)
	if err != nil {
		return nil, err
	}
	if own {
		if w.Delete {
			return nil, store.ErrNotFound
		}
		value, err := t.open(nil, key, w.Sealed)
		if err != nil {
			return nil, err
		}
		return decode(value)
	}
	e, err := t.read(key)
	if err != nil {
		return nil, err
	}
	if e.version == 0 {
		return nil, store.ErrNotFound
	}
	if kept := e.decoded.Load(); kept != nil {
		return *kept, nil
	}
	value, err := t.open(nil, key, e.sealed)
	if err != nil {
		return nil, err
	}
	decoded, err := decode(value)
	if err == nil {
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
		return t.met(key, err)
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
	if err := t.changing(); err != nil {
		return err
	}
	return store.CheckKey(key)
}

func (t *tx) changing() error {
	switch {
	case t.ended:
		return errEnded
	case t.readOnly:
		return errReadOnly
	}
	return nil
}

// Append implements store.Tx.
func (t *tx) Append(e store.Event) error {
	if err := t.changing(); err != nil {
		return err
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

// ReplaceRow implements store.Engine.
func (e *Engine) ReplaceRow(in store.Tx, stream, last uint64, data []byte) error {
	t, ok := in.(*tx)
	if !ok || t.engine != e {
		return errors.New("store: a transaction of another engine")
	}
	if err := t.changing(); err != nil {
		return err
	}
	return t.replaceRow(rowName{stream, last}, data)
}

func (t *tx) replaceRow(name rowName, data []byte) error {
	first := uint64(0)
	if own := t.rows[name]; own != nil {
		if own.data == nil {
			return store.ErrNotFound
		}
		first = own.first
		t.changes.Bytes -= len(own.data)
	} else {
		if t.failed != nil {
			return t.failed
		}
		if len(t.reads.rows) == store.MaxReads {
			return errTooMany
		}
		var version uint64
		var err error
		if first, version, err = t.from.row(t.ctx, name); err != nil {
			t.failed = err
			return err
		}
		if t.reads.rows == nil {
			t.reads.rows = map[rowName]uint64{}
		}
		if t.reads.rows[name] = version; version == 0 {
			return store.ErrNotFound
		}
	}
	if t.changes.Bytes+len(data) > store.MaxBytes || len(t.rows) == store.MaxChanges {
		return store.ErrTooLarge
	}
	if t.rows == nil {
		t.rows = map[rowName]*replacement{}
	}
	r := &replacement{first: first}
	if data != nil {
		r.data = append([]byte{}, data...)
	}
	t.rows[name] = r
	t.changes.Bytes += len(data)
	return nil
}
