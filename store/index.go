package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Index finds records by something other than the parts that name them. It is
// declared with its Table and kept in step by it:
//
//	var usersByID = &store.Index[User]{Name: "id", Unique: true,
//		Of: func(u *User, add func(parts ...string)) { add(u.ID) }}
//
// What it orders by stands in keys and is therefore not sealed: no secret may
// be among it.
type Index[V any] struct {
	Name string
	// Of calls add for each place of v in the index: none, one or several. It depends on v alone.
	Of func(v *V, add func(parts ...string))
	// Unique: a place holds one record; another that claims it is refused with ErrExists.
	Unique bool
	// Global: places are the installation's, whatever the record's scope, as with names that no two
	// accounts may share.
	Global bool

	table string // of its rows, whose values are the records' keys; set by NewTable
}

// Find is the record at a place of a unique index, or ErrNotFound.
func (t *Table[V]) Find(tx Tx, index *Index[V], scope string, parts ...string) (Entry[V], error) {
	if !index.Unique {
		return Entry[V]{}, fmt.Errorf("index %s is not unique", index.table)
	}
	loaded, err := tx.Load(index.key(scope, parts, nil), placed)
	if err != nil {
		return Entry[V]{}, err
	}
	place, ok := loaded.(*place)
	if !ok || place.table != t.name {
		return Entry[V]{}, fmt.Errorf("table %s: an index row names no record of it", t.name)
	}
	return t.named(tx, place, nil)
}

// place is what a row of an index names: a record's key, and its parts.
type place struct {
	key          []byte
	table, scope string
	parts        []string
}

// placed reads a row of an index.
func placed(row []byte) (any, error) {
	p := &place{key: bytes.Clone(row)}
	var ok bool
	if p.table, p.scope, p.parts, ok = Parts(row); !ok {
		return nil, errors.New("store: an index row names no record")
	}
	return p, nil
}

// ListBy yields the records whose places in index begin with prefix, in the
// order of their places, from the first one beyond after (an Entry's At; nil:
// from the beginning). With a Global index scope is "".
func (t *Table[V]) ListBy(tx Tx, index *Index[V], scope string, after []byte, prefix ...string) iter.Seq2[Entry[V], error] {
	base := len(Key(index.table, scope))
	return func(yield func(Entry[V], error) bool) {
		from, to := Prefix(index.table, scope, prefix...)
		from = beyond(from, base, after)
		ahead, _ := tx.(Prefetcher)
		rows := listed[V]{Table: t, tx: tx, ahead: ahead, yield: yield, hold: 1}
		for pair, err := range tx.Scan(from, to, false) {
			if err != nil {
				if rows.give() {
					yield(Entry[V]{}, err)
				}
				return
			}
			if !rows.take(bytes.Clone(pair.Value), bytes.Clone(pair.Key[base:])) {
				return
			}
		}
		rows.give()
	}
}

// listed holds rows of an index until their records are read together, where
// that costs less than one by one: one row, then twice as many each time.
type listed[V any] struct {
	*Table[V]
	tx    Tx
	ahead Prefetcher // nil: one by one
	yield func(Entry[V], error) bool
	rows  [][2][]byte // values, and places in the listing
	hold  int
}

// listedAtOnce is how many records of a listing are read together at most.
const listedAtOnce = 128

func (l *listed[V]) take(row, at []byte) bool {
	if l.rows = append(l.rows, [2][]byte{row, at}); len(l.rows) < l.hold {
		return true
	}
	if l.ahead != nil {
		l.hold = min(2*l.hold, listedAtOnce)
	}
	return l.give()
}

// give yields what is held, and tells whether more is wanted.
func (l *listed[V]) give() bool {
	if len(l.rows) > 1 {
		keys := make([][]byte, len(l.rows))
		for i, row := range l.rows {
			keys[i] = row[0]
		}
		if err := l.ahead.Prefetch(keys...); err != nil {
			l.yield(Entry[V]{}, err)
			return false
		}
	}
	for _, row := range l.rows {
		entry, err := l.indexed(l.tx, row[0], row[1])
		if !l.yield(entry, err) || err != nil {
			return false
		}
	}
	l.rows = l.rows[:0]
	return true
}

// indexed is the record that an index row names.
func (t *Table[V]) indexed(tx Tx, row, at []byte) (Entry[V], error) {
	table, scope, parts, ok := Parts(row)
	if !ok || table != t.name {
		return Entry[V]{}, fmt.Errorf("table %s: an index row names no record of it", t.name)
	}
	return t.named(tx, &place{row, table, scope, parts}, at)
}

func (t *Table[V]) named(tx Tx, p *place, at []byte) (Entry[V], error) {
	v, err := t.load(tx, p.key)
	if errors.Is(err, ErrNotFound) {
		return Entry[V]{}, fmt.Errorf("table %s: an index row names a record that is gone", t.name)
	}
	return Entry[V]{Scope: p.scope, Parts: slices.Clone(p.parts), Value: v, At: at}, err
}

// key is the key of the index row at a place; record is the record's own key,
// which sets apart the rows of one place where the index is not unique.
func (x *Index[V]) key(scope string, place []string, record []byte) []byte {
	if x.Global {
		scope = ""
	}
	if !x.Unique {
		place = append(place[:len(place):len(place)], string(record))
	}
	return Key(x.table, scope, place...)
}

// keys are the index rows of v, nil having none.
func (x *Index[V]) keys(scope string, record []byte, v *V) map[string]bool {
	rows := map[string]bool{}
	if v != nil {
		x.Of(v, func(place ...string) { rows[string(x.key(scope, place, record))] = true })
	}
	return rows
}

// reindex moves the record under key from its places as old to those as v. It
// looks before it changes anything.
func (t *Table[V]) reindex(tx Tx, scope string, key []byte, old, v *V) error {
	var add, remove []string
	for _, x := range t.indexes {
		was, is := x.keys(scope, key, old), x.keys(scope, key, v)
		for row := range was {
			if !is[row] {
				remove = append(remove, row)
			}
		}
		for row := range is {
			if was[row] {
				continue
			}
			add = append(add, row)
			if !x.Unique {
				continue
			}
			switch _, err := tx.Get([]byte(row)); {
			case err == nil:
				return fmt.Errorf("index %s: %w", x.table, ErrExists)
			case !errors.Is(err, ErrNotFound):
				return err
			}
		}
	}
	for _, row := range remove {
		if err := tx.Delete([]byte(row)); err != nil {
			return err
		}
	}
	for _, row := range add {
		if err := tx.Put([]byte(row), key); err != nil {
			return err
		}
	}
	return nil
}
