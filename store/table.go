package store

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrExists means that a record stands where one was to be inserted, or that
// another record holds its place in a unique index.
var ErrExists = errors.New("store: exists already")

// Table keeps records of V, each in a scope (an account, or "" for the
// installation) under one or more parts that name it. Declare it once, as a
// package variable; it holds no state and is safe for concurrent use.
//
//	var users = store.NewTable("iam/user", usersByID)
//
//	user, err := users.Get(tx, account, name)
//
// V is a struct with exported fields; see recordFormat for what may change in
// it from release to release.
type Table[V any] struct {
	name    string
	indexes []*Index[V]
	decode  func([]byte) (any, error)
}

// Entry is a record with its place.
type Entry[V any] struct {
	Scope string
	Parts []string
	Value *V     // shared: never change it
	At    []byte // the place in this listing, to go on after
}

// NewTable declares the table of that name, which no other table has, with the
// indexes that are kept in step with it.
func NewTable[V any](name string, indexes ...*Index[V]) *Table[V] {
	if name == "" || strings.Contains(name, "#") {
		panic("store: bad table name " + name)
	}
	t := &Table[V]{name: name, indexes: indexes}
	for _, x := range indexes {
		if x.Name == "" || x.Of == nil || x.table != "" {
			panic("store: bad index of table " + name)
		}
		x.table = name + "#" + x.Name
	}
	t.decode = func(b []byte) (any, error) {
		v := new(V)
		if err := decodeRecord(b, v); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		return v, nil
	}
	return t
}

// Get is the record, or ErrNotFound. It is shared with other transactions:
// never change it, nor anything it points to (use Edit or Update).
func (t *Table[V]) Get(tx Tx, scope string, parts ...string) (*V, error) {
	return t.load(tx, Key(t.name, scope, parts...))
}

func (t *Table[V]) load(tx Tx, key []byte) (*V, error) {
	loaded, err := tx.Load(key, t.decode)
	if err != nil {
		return nil, err
	}
	v, ok := loaded.(*V)
	if !ok {
		return nil, fmt.Errorf("table %s: two tables share the name", t.name)
	}
	return v, nil
}

// Has tells whether the record exists.
func (t *Table[V]) Has(tx Tx, scope string, parts ...string) (bool, error) {
	_, err := t.Get(tx, scope, parts...)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Edit is a copy of the record that belongs to the caller, to change and Put;
// or ErrNotFound.
func (t *Table[V]) Edit(tx Tx, scope string, parts ...string) (*V, error) {
	b, err := tx.Get(Key(t.name, scope, parts...))
	if err != nil {
		return nil, err
	}
	v, err := t.decode(b)
	if err != nil {
		return nil, err
	}
	return v.(*V), nil
}

// Update changes the record by change, which is given a copy of it; or
// answers ErrNotFound, or change's error, and changes nothing.
func (t *Table[V]) Update(tx Tx, scope string, change func(*V) error, parts ...string) error {
	v, err := t.Edit(tx, scope, parts...)
	if err != nil {
		return err
	}
	if err := change(v); err != nil {
		return err
	}
	return t.Put(tx, scope, v, parts...)
}

// Put sets the record, whether or not there was one. It answers ErrExists,
// changing nothing, if another record holds its place in a unique index. It
// does not keep v.
func (t *Table[V]) Put(tx Tx, scope string, v *V, parts ...string) error {
	key := Key(t.name, scope, parts...)
	var old *V
	if len(t.indexes) > 0 {
		err := t.ahead(tx, scope, key, v)
		if err != nil {
			return err
		}
		if old, err = t.load(tx, key); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return t.set(tx, scope, key, old, v)
}

// Insert sets the record, or answers ErrExists if there is one, or if another
// holds its place in a unique index. It does not keep v.
func (t *Table[V]) Insert(tx Tx, scope string, v *V, parts ...string) error {
	key := Key(t.name, scope, parts...)
	if err := t.ahead(tx, scope, key, v); err != nil {
		return err
	}
	switch _, err := t.load(tx, key); {
	case err == nil:
		return fmt.Errorf("table %s: %w", t.name, ErrExists)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return t.set(tx, scope, key, nil, v)
}

// ahead reads at once all that setting the record to v looks at, where that
// costs less than one by one.
func (t *Table[V]) ahead(tx Tx, scope string, key []byte, v *V) error {
	p, ok := tx.(Prefetcher)
	if !ok {
		return nil
	}
	keys := [][]byte{key}
	for _, x := range t.indexes {
		if x.Unique {
			for row := range x.keys(scope, key, v) {
				keys = append(keys, []byte(row))
			}
		}
	}
	return p.Prefetch(keys...)
}

// Sealed is the pair that a Snapshot of an engine with this sealer would yield for the
// record, whose table has no indexes.
func (t *Table[V]) Sealed(sealer Sealer, scope string, v *V, parts ...string) (Pair, error) {
	if len(t.indexes) > 0 {
		return Pair{}, fmt.Errorf("table %s: its indexes would lack the record", t.name)
	}
	encoded, err := encodeRecord(v)
	if err != nil {
		return Pair{}, fmt.Errorf("table %s: %w", t.name, err)
	}
	key := Key(t.name, scope, parts...)
	sealed, err := Options{Sealer: sealer}.Seal(key, encoded)
	return Pair{Key: key, Value: sealed}, err
}

// Delete removes the record, or answers ErrNotFound if there is none.
func (t *Table[V]) Delete(tx Tx, scope string, parts ...string) error {
	key := Key(t.name, scope, parts...)
	old, err := t.load(tx, key)
	if err != nil {
		return err
	}
	return t.set(tx, scope, key, old, nil)
}

// DeleteAll removes the records of scope whose first parts are prefix. They are
// as few as a transaction can change.
func (t *Table[V]) DeleteAll(tx Tx, scope string, prefix ...string) error {
	var all [][]string
	for entry, err := range t.List(tx, scope, nil, prefix...) {
		if err != nil {
			return err
		}
		all = append(all, entry.Parts)
	}
	for _, parts := range all {
		if err := t.Delete(tx, scope, parts...); err != nil {
			return err
		}
	}
	return nil
}

// set replaces old (nil: none) by v (nil: none) under key, indexes included.
func (t *Table[V]) set(tx Tx, scope string, key []byte, old, v *V) error {
	var encoded []byte
	if v != nil {
		var err error
		if encoded, err = encodeRecord(v); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	if err := t.reindex(tx, scope, key, old, v); err != nil {
		return err
	}
	if v == nil {
		return tx.Delete(key)
	}
	return tx.Put(key, encoded)
}

// List yields the records of scope whose first parts are prefix, in the order
// of their parts, from the first one beyond after (an Entry's At; nil: from the
// beginning).
func (t *Table[V]) List(tx Tx, scope string, after []byte, prefix ...string) iter.Seq2[Entry[V], error] {
	base := len(Key(t.name, scope))
	return func(yield func(Entry[V], error) bool) {
		from, to := Prefix(t.name, scope, prefix...)
		from = beyond(from, base, after)
		for pair, err := range tx.Scan(from, to, false) {
			entry, err := t.entry(pair, base, err)
			if !yield(entry, err) || err != nil {
				return
			}
		}
	}
}

// entry decodes a scanned record.
func (t *Table[V]) entry(pair Pair, base int, err error) (Entry[V], error) {
	if err != nil {
		return Entry[V]{}, err
	}
	v, err := t.decode(pair.Value)
	if err != nil {
		return Entry[V]{}, err
	}
	_, scope, parts, _ := Parts(pair.Key)
	return Entry[V]{Scope: scope, Parts: parts, Value: v.(*V), At: append([]byte(nil), pair.Key[base:]...)}, nil
}

// beyond is where a listing that begins at from goes on after the place after,
// base being the length of what stands before a place in a key.
func beyond(from []byte, base int, after []byte) []byte {
	if after == nil {
		return from
	}
	next := append(append(append([]byte(nil), from[:base]...), after...), 0)
	if string(next) < string(from) {
		return from
	}
	return next
}
