// Package backup makes a stream of a store and of the blobs that it names, and
// a store of such a stream, on whatever engine.
//
// Values, events and blobs go as they are sealed; the stream is sealed once more,
// frame by frame, under a key of its own that the root key opens. A Hold keeps
// what the snapshot names from being swept meanwhile. What is decided here is
// neither who may make one nor where it goes.
package backup

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/store"
)

// Manifest tells of a backup.
type Manifest struct {
	Release string    `json:"release"` // that made it
	Time    time.Time `json:"time"`    // of its beginning, which the store it holds is not older than
	// Installation is a name of what is backed up, to whoever has given it one.
	Installation string `json:"installation,omitempty"`
}

// Source is what Write makes a stream of.
type Source struct {
	Manifest Manifest
	Store    store.Snapshot
	Blobs    blob.Store // nil: there are none
	// Names tells which keys name blobs: each of those keys' rows names one, which is kept as long as the row is.
	Names  func(key []byte) (blob.ID, bool)
	Sealer store.Sealer // the engine's
	// Head tells whoever has the root key how to come by the key that AEAD seals with, which seals nothing else.
	Head []byte
	AEAD cipher.AEAD
}

// Write writes a backup. It holds a page of the store and 64 KiB of a blob in
// memory, and goes as slowly as w does. What a stream that it did not finish holds no one restores.
func Write(ctx context.Context, w io.Writer, of Source) (Counts, error) {
	sealed, err := newSealer(w, of.AEAD, of.Head)
	if err != nil {
		return Counts{}, err
	}
	b := writing{Source: of, recordWriter: recordWriter{w: sealed, b: make([]byte, 0, 16)}, copying: make([]byte, frame)}
	text, err := json.Marshal(of.Manifest)
	if err != nil {
		return Counts{}, err
	}
	b.kind(kindManifest)
	b.bytes(text)
	if err := b.pairs(ctx); err != nil {
		return b.counts, err
	}
	last, err := b.streams(ctx)
	if err != nil {
		return b.counts, err
	}
	b.kind(kindEnd)
	b.number(last)
	for _, n := range b.counts.numbers() {
		b.number(*n)
	}
	if b.err == nil {
		b.err = sealed.Close()
	}
	return b.counts, b.err
}

// writing is a backup being written.
type writing struct {
	Source
	recordWriter
	counts  Counts
	copying []byte
}

func (b *writing) pairs(ctx context.Context) error {
	mark, err := restored.Sealed(b.Sealer, "", &b.Manifest)
	if err != nil {
		return err
	}
	for pair, err := range with(mark, b.Store.Sealed(ctx, nil, nil)) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		b.counts.Pairs++
		id, naming := b.Names(pair.Key)
		if naming {
			b.kind(kindNaming)
		} else {
			b.kind(kindPair)
		}
		b.bytes(pair.Key)
		b.bytes(pair.Value)
		if naming && b.err == nil {
			b.err = b.blob(ctx, id)
		}
		if b.err != nil {
			return b.err
		}
	}
	return nil
}

// blob writes the blob called id.
func (b *writing) blob(ctx context.Context, id blob.ID) (err error) {
	if b.Blobs == nil {
		return errors.New("backup: the store names blobs, and no place is given that holds them")
	}
	r, err := b.Blobs.Open(ctx, id)
	if err != nil {
		return fmt.Errorf("backup: blob %s, which the store names: %w", id, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	b.bytes([]byte(id))
	b.number(uint64(r.Size()))
	for at := int64(0); at < r.Size(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.ReadAt(b.copying[:min(frame, r.Size()-at)], at)
		if n == 0 && err != nil {
			return fmt.Errorf("backup: blob %s: %w", id, err)
		}
		if b.write(b.copying[:n]); b.err != nil {
			return b.err
		}
		at += int64(n)
	}
	b.counts.Blobs++
	b.counts.BlobBytes += uint64(r.Size())
	return nil
}

// streams writes the record, and answers with the id of the last stream that was given.
func (b *writing) streams(ctx context.Context) (last uint64, err error) {
	ids, last, err := b.Store.Streams(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		b.kind(kindStream)
		b.number(id)
		b.counts.Streams++
		for row, err := range b.Store.Rows(ctx, id) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return 0, err
			}
			b.kind(kindRow)
			b.number(row.First)
			b.number(row.Last)
			if b.bytes(row.Data); b.err != nil {
				return 0, b.err
			}
			b.counts.Events += row.Last - row.First + 1
		}
	}
	return last, nil
}
