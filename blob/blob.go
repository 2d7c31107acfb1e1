// Package blob keeps bytes that are too many for a transaction: immutable
// blobs, each whole or absent, under names of their own. Engines (blob/fs, and
// blob/bucket, which several nodes may share) implement Store; blobtest is their contract.
//
// What goes in is sealed before (Seal), under a key that the transaction which
// names the blob keeps. So an engine sees no content, and its names tell nothing.
//
// A blob that no committed row names is garbage: whoever writes one commits the
// row that names it afterwards, and sweeps what a crash left between the two.
package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors of every engine.
var (
	ErrNotFound = errors.New("blob: not found")
	// ErrFull means there is no room for a blob; nothing was kept.
	ErrFull = errors.New("blob: no space left")
	// ErrUnavailable means the engine can't serve now; nothing was changed.
	ErrUnavailable = errors.New("blob: unavailable")
	// ErrDamaged means what is stored is not what was sealed: altered, swapped, moved, cut or under another key.
	ErrDamaged = errors.New("blob: damaged")
)

// ID names a blob: 128 random bits in hexadecimal digits. The zero ID is none.
type ID string

// NewID is the name of a blob to be.
func NewID() ID {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return ID(hex.EncodeToString(b[:]))
}

// Valid tells whether id can be a blob's: nothing else becomes part of a path.
func (id ID) Valid() bool {
	if len(id) != 32 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Store keeps blobs. It is safe for concurrent use.
type Store interface {
	// Create begins the blob called id, which must be new.
	Create(ctx context.Context, id ID) (Writer, error)
	// Open is the blob called id, or ErrNotFound.
	Open(ctx context.Context, id ID) (Reader, error)
	// Remove removes a blob; that there is none is no error. Whoever has it open reads on, or is given an error.
	Remove(ctx context.Context, id ID) error
	// All yields the blobs whose names are > after, in order. One that is kept or removed meanwhile may
	// be among them or not.
	All(ctx context.Context, after ID) iter.Seq2[Info, error]
	// Tidy removes what a crash left of blobs that were begun, where that shows neither in All nor at the next start.
	Tidy(ctx context.Context) error
	Close() error
}

// Info is what an engine tells of a blob.
type Info struct {
	ID   ID
	Size int64     // bytes
	Kept time.Time // when it was committed, or a little before; where the engine can't tell, when it must have been
}

// Writer is a blob being written. It belongs to one goroutine.
type Writer interface {
	io.Writer
	// Commit keeps the blob: when it returns nil the blob is durable. After an error nothing of it is
	// kept, or, where the engine can't tell, the blob is garbage that All shows.
	Commit(ctx context.Context) error
	// Abort drops the blob unless it was committed. It can be called always, and again.
	Abort()
}

// Reader is an open blob. It is safe for concurrent use.
type Reader interface {
	io.ReaderAt
	Size() int64
	Close() error
}
