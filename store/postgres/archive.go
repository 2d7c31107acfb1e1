package postgres

import (
	"context"
	"iter"

	"github.com/garrison-security/garrison/store"
)

var _ store.Archived = (*Engine)(nil)

// A copy's pages are small, since what reads it may be slow and others' memory is bounded, too.
const (
	archivePairs = 128
	archiveRows  = 4
)

// archive is a store.Snapshot: a transaction of the database's, on a connection
// of its own, which may stand idle while its reader is slow. That it sees the commits
// up to one moment is enough: it writes nothing that others would have to be ordered with.
type archive struct {
	engine *Engine
	at     *session
}

// Snapshot implements store.Archived.
func (e *Engine) Snapshot(ctx context.Context) (store.Snapshot, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	config := e.dialer.config.Copy()
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	a := &archive{engine: e, at: &session{dialer: &dialer{config: config, trips: e.dialer.trips}}}
	// The first statement after the beginning says what moment it is.
	if _, err := a.at.do(ctx, answerTime, call{statement: beginArchive}, call{statement: streamsSoFar}); err != nil {
		a.Close()
		return nil, failure(ctx, err)
	}
	return a, nil
}

// Close implements store.Snapshot.
func (a *archive) Close() { a.at.close() }

// ask runs read, if the engine and the transaction are still there.
func (a *archive) ask(ctx context.Context, read func() error) error {
	if err := a.engine.enter(ctx); err != nil {
		return err
	}
	defer a.engine.leave()
	if a.at.conn == nil {
		return store.ErrClosed
	}
	return failure(ctx, read())
}

// page implements paged, without what is large.
func (a *archive) page(ctx context.Context, s *span, reverse bool, limit int) (page []found, more bool, err error) {
	err = a.ask(ctx, func() error {
		page, more, err = readSmall(ctx, a.at, s, reverse, limit)
		return err
	})
	return page, more, err
}

// Sealed implements store.Snapshot.
func (a *archive) Sealed(ctx context.Context, from, to []byte) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		from, to, ok := store.ClipRange(from, to)
		p := pages{from: a, left: span{from: from, to: to}, limit: archivePairs, most: archivePairs, end: !ok}
		for {
			f, err := p.next(ctx)
			if f == nil && err == nil {
				return
			}
			if err == nil && f.sealed == nil {
				err = a.ask(ctx, func() (err error) {
					f.entry, err = readEntry(ctx, a.at, f.key)
					return err
				})
			}
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
			if !yield(store.Pair{Key: f.key, Value: f.sealed}, nil) {
				return
			}
		}
	}
}

// Streams implements store.Snapshot.
func (a *archive) Streams(ctx context.Context) (ids []uint64, last uint64, err error) {
	err = a.ask(ctx, func() error {
		results, err := a.at.do(ctx, answerTime, call{statement: allStreams}, call{statement: streamsSoFar})
		if err != nil {
			return err
		}
		for _, row := range results[0].rows {
			id, err := row.number(0)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if len(results[1].rows) != 1 {
			return errAnswer
		}
		last, err = results[1].rows[0].number(0)
		return err
	})
	return ids, last, err
}

// Rows implements store.Snapshot.
func (a *archive) Rows(ctx context.Context, stream uint64) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		after := uint64(0)
		for more := true; more; {
			var page []store.Row
			err := a.ask(ctx, func() (err error) {
				page, more, err = readRows(ctx, a.at, stream, after, archiveRows)
				return err
			})
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
				after = row.Last
			}
			if err != nil {
				yield(store.Row{}, err)
				return
			}
		}
	}
}
