package mem

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/garrison-security/garrison/store"
)

// rowKey orders rows by their last event's number.
func rowKey(last uint64) []byte { return binary.BigEndian.AppendUint64(nil, last) }

// journal adds the row of events to next. The caller holds commit.
func (e *Engine) journal(next *state, events []store.Event) error {
	if len(events) == 0 {
		return nil
	}
	row := &store.Row{First: next.last + 1, Last: next.last + uint64(len(events))}
	data, head, err := e.options.Journal.Pack(stream, row.First, e.head, events)
	if err != nil {
		return fmt.Errorf("pack events: %w", err)
	}
	row.Data = data
	e.head, next.last = head, row.Last
	next.rows = next.rows.With(rowKey(row.Last), row)
	return nil
}

// wake lets every Wait look again.
func (e *Engine) wake() {
	e.feed.Lock()
	defer e.feed.Unlock()
	close(e.more)
	e.more = make(chan struct{})
}

// Streams implements store.Engine.
func (e *Engine) Streams(ctx context.Context) ([]store.Stream, error) {
	if err := e.usable(ctx); err != nil {
		return nil, err
	}
	return []store.Stream{{ID: stream}}, nil
}

// Rows implements store.Engine.
func (e *Engine) Rows(ctx context.Context, id, after uint64) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		if err := e.usable(ctx); err != nil || id != stream || after == 1<<64-1 {
			if err != nil {
				yield(store.Row{}, err)
			}
			return
		}
		rows := e.now.Load().rows.Cursor(rowKey(after+1), nil, false)
		for _, row, ok := rows.Next(); ok; _, row, ok = rows.Next() {
			if err := e.usable(ctx); err != nil {
				yield(store.Row{}, err)
				return
			}
			if !yield(store.Row{First: row.First, Last: row.Last, Data: bytes.Clone(row.Data)}, nil) {
				return
			}
		}
	}
}

// Wait implements store.Engine.
func (e *Engine) Wait(ctx context.Context, mark uint64) (uint64, error) {
	for {
		e.feed.Lock()
		more := e.more
		e.feed.Unlock()
		if err := e.usable(ctx); err != nil {
			return mark, err
		}
		if last := e.now.Load().last; last > mark {
			return last, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return mark, ctx.Err()
		}
	}
}

// ReplaceRow implements store.Engine.
func (e *Engine) ReplaceRow(in store.Tx, id, last uint64, data []byte) error {
	t, ok := in.(*tx)
	switch {
	case !ok || t.engine != e:
		return errors.New("store: a transaction of another engine")
	case t.ended:
		return errEnded
	case t.readOnly:
		return errReadOnly
	case len(data) > store.MaxBytes:
		return store.ErrTooLarge
	}
	row, _ := t.begun.rows.Get(rowKey(last))
	t.rowsGot = append(t.rowsGot, last)
	if own, replaced := t.rows[last]; replaced {
		row = own
	}
	if id != stream || row == nil {
		return store.ErrNotFound
	}
	if t.rows == nil {
		t.rows = map[uint64]*store.Row{}
	}
	t.rows[last] = nil
	if data != nil {
		t.rows[last] = &store.Row{First: row.First, Last: last, Data: bytes.Clone(data)}
	}
	return nil
}
