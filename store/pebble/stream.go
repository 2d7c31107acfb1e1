package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	crdb "github.com/cockroachdb/pebble/v2"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/pending"
)

const (
	rowsFormat = 1       // the first byte of a row
	pageBytes  = 1 << 20 // rows are read in pages of about so many bytes
)

func streamKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{0, 0, 's'}, id) }

func rowKey(stream, last uint64) []byte {
	k := binary.BigEndian.AppendUint64([]byte{0, 0, 'r'}, stream)
	return binary.BigEndian.AppendUint64(k, last)
}

// encodeRow is the stored form of a row: its key has the stream and the last number.
func encodeRow(first uint64, data []byte) []byte {
	b := append(make([]byte, 0, len(data)+10), rowsFormat)
	return append(binary.AppendUvarint(b, first), data...)
}

func decodeRow(key, b []byte) (store.Row, error) {
	if len(b) == 0 || b[0] != rowsFormat {
		return store.Row{}, errors.New("store: a row of an unknown format")
	}
	first, n := binary.Uvarint(b[1:])
	last := binary.BigEndian.Uint64(key[len(key)-8:])
	if n <= 0 || first == 0 || first > last {
		return store.Row{}, errors.New("store: a row with bad numbers")
	}
	return store.Row{First: first, Last: last, Data: bytes.Clone(b[1+n:])}, nil
}

// Wait implements store.Engine. The mark is this process's last durable event's number.
func (e *Engine) Wait(ctx context.Context, mark uint64) (uint64, error) {
	return e.feed.Wait(ctx, mark, nil)
}

// Streams implements store.Engine.
func (e *Engine) Streams(ctx context.Context) ([]store.Stream, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	ids, err := streams(e.db)
	if err != nil {
		return nil, err
	}
	var all []store.Stream
	for _, id := range ids {
		if id == e.stream {
			continue
		}
		some, err := hasRows(e.db, id)
		if err != nil {
			return nil, err
		}
		if some {
			all = append(all, store.Stream{ID: id, Closed: true})
		}
	}
	return append(all, store.Stream{ID: e.stream}), nil
}

// streams are the ids of all streams that are recorded.
func streams(db crdb.Reader) (ids []uint64, err error) {
	it, err := db.NewIter(&crdb.IterOptions{LowerBound: streamKey(0), UpperBound: []byte{0, 0, 's' + 1}})
	if err != nil {
		return nil, unavailable(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if key := it.Key(); len(key) == len(streamKey(0)) {
			ids = append(ids, binary.BigEndian.Uint64(key[3:]))
		}
	}
	return ids, unavailable(it.Error())
}

func hasRows(db crdb.Reader, stream uint64) (bool, error) {
	it, err := db.NewIter(&crdb.IterOptions{LowerBound: rowKey(stream, 0), UpperBound: rowKey(stream+1, 0)})
	if err != nil {
		return false, unavailable(err)
	}
	defer it.Close()
	return it.First(), unavailable(it.Error())
}

// Rows implements store.Engine. No iterator stays open while the caller works.
func (e *Engine) Rows(ctx context.Context, stream, after uint64) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for {
			page, err := e.page(ctx, stream, after)
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
				after = row.Last
			}
			if err != nil {
				yield(store.Row{}, err)
			}
			if err != nil || len(page) == 0 {
				return
			}
		}
	}
}

// page is the next durable rows of a stream, none at its end.
func (e *Engine) page(ctx context.Context, stream, after uint64) (page []store.Row, err error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	end := uint64(1<<64 - 1)
	if stream == e.stream {
		end = e.feed.Mark()
	}
	if after >= end {
		return nil, nil
	}
	upper := append(rowKey(stream, end), 0)
	it, err := e.db.NewIter(&crdb.IterOptions{LowerBound: rowKey(stream, after+1), UpperBound: upper})
	if err != nil {
		return nil, unavailable(err)
	}
	defer it.Close()
	size := 0
	for ok := it.First(); ok && size < pageBytes; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return page, unavailable(err)
		}
		row, err := decodeRow(it.Key(), value)
		if err != nil {
			return page, err
		}
		page = append(page, row)
		size += len(value)
	}
	return page, unavailable(it.Error())
}

// ReplaceRow implements store.Engine.
func (e *Engine) ReplaceRow(in store.Tx, stream, last uint64, data []byte) error {
	t, ok := in.(*tx)
	switch {
	case !ok || t.engine != e:
		return errors.New("store: a transaction of another engine")
	case t.ended:
		return errEnded
	case t.readOnly:
		return errReadOnly
	case t.stale:
		return errStale
	}
	key := rowKey(stream, last)
	old, err := t.row(key)
	if err != nil {
		return err
	}
	if data == nil {
		return t.changes.Set(key, pending.Write{Delete: true})
	}
	return t.changes.Set(key, pending.Write{Sealed: encodeRow(old.First, data)})
}

// row is the row under key as t sees it.
func (t *tx) row(key []byte) (store.Row, error) {
	if w, ok := t.changes.Writes.Get(key); ok {
		if w.Delete {
			return store.Row{}, store.ErrNotFound
		}
		return decodeRow(key, w.Sealed)
	}
	if err := t.note(t.engine.history.slot(key)); err != nil {
		return store.Row{}, err
	}
	value, closer, err := t.from.Get(key)
	if errors.Is(err, crdb.ErrNotFound) {
		return store.Row{}, store.ErrNotFound
	}
	if err != nil {
		return store.Row{}, unavailable(err)
	}
	defer closer.Close()
	return decodeRow(key, value)
}

// nextStream records a new stream in b and forgets the ones that hold no rows.
// Whatever streams there are, their writers have ended: the directory is locked.
func nextStream(db *crdb.DB, b *crdb.Batch) (id uint64, err error) {
	ids, err := streams(db)
	if err != nil {
		return 0, err
	}
	for _, old := range ids {
		id = max(id, old)
		some, err := hasRows(db, old)
		if err != nil {
			return 0, err
		}
		if !some {
			if err := b.Delete(streamKey(old), nil); err != nil {
				return 0, err
			}
		}
	}
	given, err := streamsGiven(db)
	if err != nil {
		return 0, err
	}
	id = max(id, given) + 1
	if err := b.Set(counterKey, binary.BigEndian.AppendUint64(nil, id), nil); err != nil {
		return 0, err
	}
	return id, b.Set(streamKey(id), []byte{rowsFormat}, nil)
}

// counterKey holds the last stream's id, so that none is given twice though its record is gone.
var counterKey = []byte{0, 0, 'n'}

var errCounter = fmt.Errorf("%w: the counter of streams is damaged", store.ErrUnavailable)
