package store

import (
	"context"
	"errors"
	"iter"
)

// ErrNotEmpty means that a store is to be restored where there is one already.
var ErrNotEmpty = errors.New("store: there is a store already")

// ErrUnfinished means that a store was being restored when that broke off: it can't be opened, only restored anew.
var ErrUnfinished = errors.New("store: it holds a part of one: a restore broke off; restore it again")

// Archived is an Engine whose store can be copied whole while it is used: to
// another engine, with every value sealed as it is.
type Archived interface {
	Engine
	// Snapshot is the store as it was at one moment between the call and the return, all of it durable.
	Snapshot(ctx context.Context) (Snapshot, error)
}

// Snapshot is a store as it was at one moment. What changes meanwhile takes
// room until it is closed. It belongs to one goroutine, and holds no more in
// memory than a page; after its Engine is closed it answers ErrClosed.
type Snapshot interface {
	// Sealed yields the pairs with from <= key < to in order, their values as the engine keeps them. An
	// empty to is no bound. The slices are valid until the next step.
	Sealed(ctx context.Context, from, to []byte) iter.Seq2[Pair, error]
	// Streams lists the streams that hold rows, by their ids, and last is the last id that was ever given.
	Streams(ctx context.Context) (ids []uint64, last uint64, err error)
	// Rows yields the rows of a stream in order.
	Rows(ctx context.Context, stream uint64) iter.Seq2[Row, error]
	Close()
}

// Restoration makes a store of what a Snapshot yielded. Until Finish no engine
// opens it, in whatever way it ends. It belongs to one goroutine.
type Restoration interface {
	// Again tells that an earlier restore broke off here, whose leavings were removed.
	Again() bool
	// Put sets a key to a value that is sealed already. The engine keeps neither slice.
	Put(ctx context.Context, key, sealed []byte) error
	// AddRow adds the next row of a stream. Streams are added one after another; all are closed.
	AddRow(ctx context.Context, stream uint64, row Row) error
	// Finish makes the store whole and durable, to be opened. last is the last stream's id that was given.
	// It answers ErrUnknownFate where the store may be finished nevertheless.
	Finish(ctx context.Context, last uint64) error
	// Abort removes what was written, unless Finish has succeeded; what it can't remove stays unfinished.
	// It can be called always, and again.
	Abort()
}
