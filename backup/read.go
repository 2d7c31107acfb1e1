package backup

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/store"
)

// Target is where Read restores to.
type Target struct {
	Store store.Restoration
	Blobs blob.Store // nil: none can be kept
}

// Reader is what Read needs to know.
type Reader struct {
	// Key is asked for the key of a stream with that head.
	Key func(head []byte) (cipher.AEAD, error)
	// Release is the program's; what a newer one has made is refused by name.
	Release string
	Names   func(key []byte) (blob.ID, bool)
	// Begin is asked for the target once the stream has proved to be one that the key opens.
	Begin func(Manifest) (Target, error)
}

// Read restores a stream, and finishes the store when it has proved to be
// whole: each frame as it was sealed, each blob that is named there, the counts
// those that were written. After an error the target is to be aborted; nothing
// of what it holds is served.
func (r Reader) Read(ctx context.Context, from io.Reader) (Manifest, Counts, error) {
	frames, err := newOpener(from, r.Key)
	if err != nil {
		return Manifest{}, Counts{}, err
	}
	b := reading{Reader: r, recordReader: newRecordReader(frames), copying: make([]byte, frame)}
	if err := b.begin(); err != nil {
		return b.manifest, b.counts, err
	}
	for done := false; !done; {
		if err = ctx.Err(); err == nil {
			done, err = b.record(ctx)
		}
		if err != nil {
			return b.manifest, b.counts, err
		}
	}
	return b.manifest, b.counts, b.Store.Finish(ctx, b.last)
}

// reading is a backup being restored.
type reading struct {
	Reader
	*recordReader
	Target
	manifest Manifest
	counts   Counts
	copying  []byte

	key, value, before []byte
	stream             uint64 // the last one that began; 0: pairs are read
	row                uint64 // the last event of its last row
	last               uint64
}

func (b *reading) begin() error {
	kind, err := b.kind()
	if err == nil && kind != kindManifest {
		err = damaged("it does not begin with its manifest")
	}
	if err != nil {
		return err
	}
	text, err := b.bytes(nil, manifestMax)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &b.manifest); err != nil {
		return damaged("its manifest is none")
	}
	if store.Newer(b.manifest.Release, b.Release) {
		return fmt.Errorf("the backup was made by release %s; this is release %s, which is older", b.manifest.Release, b.Release)
	}
	b.Target, err = b.Begin(b.manifest)
	return err
}

// record takes the next record, and is done with the last.
func (b *reading) record(ctx context.Context) (done bool, err error) {
	kind, err := b.kind()
	if err != nil {
		return false, err
	}
	switch {
	case kind == kindPair && b.stream == 0, kind == kindNaming && b.stream == 0:
		return false, b.pair(ctx, kind == kindNaming)
	case kind == kindStream:
		id, err := b.number(1<<64 - 1)
		if err == nil && id <= b.stream {
			err = damaged("streams out of order")
		}
		b.stream, b.row = id, 0
		b.counts.Streams++
		return false, err
	case kind == kindRow && b.stream > 0:
		return false, b.event(ctx)
	case kind == kindEnd:
		return true, b.end()
	}
	return false, damaged("a record of kind %q, where none can stand", kind)
}

func (b *reading) pair(ctx context.Context, naming bool) (err error) {
	b.before = append(b.before[:0], b.key...)
	if b.key, err = b.bytes(b.key, store.MaxKey); err != nil {
		return err
	}
	if b.value, err = b.bytes(b.value, valueMax); err != nil {
		return err
	}
	if b.counts.Pairs > 0 && bytes.Compare(b.key, b.before) <= 0 {
		return damaged("keys out of order")
	}
	b.counts.Pairs++
	id, names := b.Names(b.key)
	switch {
	case names && !naming:
		return damaged("blob %s is missing", id)
	case naming:
		if err := b.blob(ctx, id, names); err != nil {
			return err
		}
	}
	return b.Store.Put(ctx, b.key, b.value)
}

// blob keeps the blob that stands next, which a pair before it names.
func (b *reading) blob(ctx context.Context, named blob.ID, known bool) error {
	name, err := b.bytes(nil, 64)
	if err != nil {
		return err
	}
	id := blob.ID(name)
	if !id.Valid() || known && id != named {
		return damaged("blob %q stands where %s is named", name, named)
	}
	size, err := b.number(blobMax)
	if err != nil {
		return err
	}
	if b.Blobs == nil {
		return errors.New("the backup holds blobs, the contents of objects, and no place for them is given")
	}
	w, err := b.Blobs.Create(ctx, id)
	if err != nil {
		return err
	}
	defer w.Abort()
	for left := size; left > 0; {
		piece := b.copying[:min(left, frame)]
		if _, err := io.ReadFull(b.r, piece); err != nil {
			return short(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		left -= uint64(len(piece))
	}
	b.counts.Blobs++
	b.counts.BlobBytes += size
	return w.Commit(ctx)
}

func (b *reading) event(ctx context.Context) (err error) {
	var row store.Row
	if row.First, err = b.number(1<<64 - 1); err == nil {
		row.Last, err = b.number(1<<64 - 1)
	}
	if err != nil {
		return err
	}
	if b.value, err = b.bytes(b.value, rowMax); err != nil {
		return err
	}
	if row.First <= b.row || row.Last < row.First {
		return damaged("rows of stream %d out of order", b.stream)
	}
	row.Data, b.row = b.value, row.Last
	b.counts.Events += row.Last - row.First + 1
	return b.Store.AddRow(ctx, b.stream, row)
}

// end compares the counts that were written with what has come.
func (b *reading) end() (err error) {
	if b.last, err = b.number(1<<64 - 1); err != nil {
		return err
	}
	for _, have := range b.counts.numbers() {
		n, err := b.number(1<<64 - 1)
		if err != nil {
			return err
		}
		if n != *have {
			return damaged("it counts %d where %d have come", n, *have)
		}
	}
	switch _, err := b.r.Peek(1); {
	case err == nil:
		return damaged("it goes on after its end")
	case !errors.Is(err, io.EOF):
		return err
	}
	return b.frames.end()
}
