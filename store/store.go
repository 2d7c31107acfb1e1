// Package store keeps ordered byte keys in serialisable transactions, with a
// feed of events in commit order. Engines (store/mem, store/pebble,
// store/postgres) implement Engine; storetest is their contract. Table gives Go
// values and indexes on top.
//
// Every value is sealed at the engine's boundary under its key, so nothing
// reaches a disk or a database in the clear. Keys are not: no secret may stand
// in one.
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
)

// Errors of every engine. Drivers' own errors never leave an engine unwrapped.
var (
	ErrNotFound = errors.New("store: not found")
	// ErrConflict means a transaction was run again as often as is allowed and still met others' writes.
	ErrConflict = errors.New("store: too much contention")
	// ErrUnavailable means the engine can't serve now; nothing was changed, or, where the engine says
	// so by stopping, what is durable is unknown until it is opened again.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrUnknownFate is an ErrUnavailable: the connection was lost while the transaction was being
	// committed, and whether it was could not be found out in time.
	ErrUnknownFate = fmt.Errorf("%w: whether the transaction took place is not known", ErrUnavailable)
	ErrClosed      = errors.New("store: closed")
	ErrTooLarge    = errors.New("store: transaction too large")
	// ErrSealed means a stored value does not open under its key: altered, moved, or of another root key.
	ErrSealed = errors.New("store: value does not open")
	// ErrUnknownScope is an ErrSealed: the Sealer has no key for the scope.
	ErrUnknownScope = fmt.Errorf("%w: its scope has no key", ErrSealed)
)

// Engine is a store of ordered keys.
type Engine interface {
	// View runs fn on a consistent state: what it read was true at one moment. It returns when all that
	// fn read is durable. fn may be run again and must touch nothing but its Tx.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn as if alone (serialisable), and returns when its changes and events are durable,
	// or an error when nothing of it took place (but for ErrUnknownFate). fn may be run again and must
	// touch nothing but its Tx. An error of fn's own undoes all it did and is returned as it is.
	//
	// What fn returns counts only if all that it has read was true at one moment. On an engine that several
	// processes share, an attempt that is to be run again may have seen two; fn must bear that.
	Update(ctx context.Context, fn func(Tx) error) error

	// Streams lists the closed event streams that still hold rows, in the order in which they were
	// opened, and last, with rows or without, this process's own.
	Streams(ctx context.Context) ([]Stream, error)
	// Rows yields the durable rows of a stream whose last event's number is > after, in order.
	Rows(ctx context.Context, stream uint64, after uint64) iter.Seq2[Row, error]
	// Wait returns when a durable row of any stream has been added since the Engine last returned mark
	// (0: at the start), with the new mark; or with ctx's error.
	Wait(ctx context.Context, mark uint64) (uint64, error)
	// ReplaceRow rewrites (row non-nil) or removes the row that holds event number last, for retention
	// and re-sealing. It is part of tx.
	ReplaceRow(tx Tx, stream, last uint64, row []byte) error

	// Free is the share of free space where the engine writes (1: unbounded or unknown).
	Free() float64
	Close() error
}

// Stream is the events of one writer: one process life.
type Stream struct {
	ID     uint64
	Closed bool // its writer has ended: no row will be added
}

// Row is the events that one group of transactions appended, packed by the Journal.
type Row struct {
	First, Last uint64 // event numbers in the stream, from 1, without gaps
	Data        []byte
}

// Tx is one transaction. It belongs to one goroutine and is dead when fn returns.
type Tx interface {
	// Get is the value of key, or ErrNotFound. The slice belongs to the caller.
	Get(key []byte) ([]byte, error)
	// Load is decode(value of key), or ErrNotFound; what decode returned may have been kept from an
	// earlier call with the same key if the value has not changed since. It is shared: never change it.
	// decode may keep value.
	Load(key []byte, decode func(value []byte) (any, error)) (any, error)
	// Put sets key. The engine keeps neither slice.
	Put(key, value []byte) error
	// Delete removes key; that there is none is no error.
	Delete(key []byte) error
	// Scan yields the pairs with from <= key < to in order, or in reverse, this transaction's own
	// changes included as they are when it begins. An empty to is no bound. The slices are valid until the
	// next step. Only what was yielded, and the end if it was reached, counts as read. An error ends it; with
	// ErrSealed comes the key whose value does not open, so that whoever checks a store can go on beyond it.
	Scan(from, to []byte, reverse bool) iter.Seq2[Pair, error]
	// Append adds an event to this process's stream. It is given its number at commit. A View refuses it.
	// The engine does not keep e.Data.
	Append(e Event) error
	// Discard forgets the changes and events made so far and keeps the reads, so that a call refused half-way
	// can record its refusal, still in the transaction whose state refused it.
	Discard()
	// Attempt counts the runs of fn, from 1.
	Attempt() int
}

// Pair is a key and its value.
type Pair struct{ Key, Value []byte }

// Event is what a transaction appends to the record.
type Event struct {
	Scope string // the account whose key seals it; "" = the installation's
	Data  []byte
}

// Journal packs the events of a group of transactions into the one row that
// is written for them. The trail implements it.
type Journal interface {
	// Pack makes the row of events, the first of which is numbered first, given the head after the row
	// before (nil at a stream's start). It returns the row and the new head. It is called by one
	// goroutine at a time and must not do I/O or hold up; it may be called again for a group that was
	// not written.
	Pack(stream, first uint64, head []byte, events []Event) (row, newHead []byte, err error)
	// Head is the head that the row leaves behind: what Pack returned with it.
	Head(row []byte) ([]byte, error)
}

// Sealer seals values before they reach the engine's medium. The keyring
// implements it. Both append to dst and are safe for concurrent use.
type Sealer interface {
	Seal(dst []byte, scope string, key, plaintext []byte) ([]byte, error)
	// Open answers ErrSealed for what was not sealed under scope and key.
	Open(dst []byte, scope string, key, sealed []byte) ([]byte, error)
}

// Learner is a Sealer that can learn of keys which other processes have made.
type Learner interface {
	Sealer
	// Learn looks in engine for the scope's key, and answers nil if Seal and Open know it from now on.
	// An engine that several processes share calls it between attempts at a transaction that has met ErrUnknownScope.
	Learn(ctx context.Context, engine Engine, scope string) error
}

// Prefetcher is a Tx that can read several keys at less cost than one by one.
type Prefetcher interface {
	// Prefetch reads keys ahead of Get and Load. It counts as reading them.
	Prefetch(keys ...[]byte) error
}

// Options are what every engine is opened with.
type Options struct {
	Sealer  Sealer
	Journal Journal
	// Release is what a new store is stamped with, and compared: a store written by a newer one is refused by name.
	// Releases are "v" and dotted numbers; what is none is not compared, and the store's format alone decides.
	Release string
	// Log takes what an engine can tell no caller, such as a failed compaction; nil: nobody.
	Log *slog.Logger
}
