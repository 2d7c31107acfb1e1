package postgres

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/garrison-security/garrison/store"
)

// rowsAtOnce is how many rows of events are read together.
const rowsAtOnce = 64

// Streams implements store.Engine: closed streams that hold rows, those of
// other nodes, and last this process's own.
func (e *Engine) Streams(ctx context.Context) ([]store.Stream, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	results, err := e.pool.read(ctx, call{statement: listStreams})
	if err != nil {
		return nil, err
	}
	own := store.Stream{ID: e.committer.id.Load()}
	var all []store.Stream
	for _, row := range results[0].rows {
		s := store.Stream{}
		if s.ID, err = row.number(0); err == nil {
			s.Closed, err = row.truth(1)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		if s.ID == own.ID {
			own = s // closed, if its lease has ended and no new one is opened yet
			continue
		}
		all = append(all, s)
	}
	return append(all, own), nil
}

// Rows implements store.Engine. A stream's rows are committed in their order,
// so what is there has no gap. No session is held while the caller works.
func (e *Engine) Rows(ctx context.Context, stream, after uint64) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for {
			page, more, err := e.rowPage(ctx, stream, after)
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
				after = row.Last
			}
			if err != nil {
				yield(store.Row{}, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func (e *Engine) rowPage(ctx context.Context, stream, after uint64) (page []store.Row, more bool, err error) {
	if err := e.enter(ctx); err != nil {
		return nil, false, err
	}
	defer e.leave()
	if stream > maxNumber || after >= maxNumber {
		return nil, false, nil
	}
	s, err := e.pool.take(ctx)
	if err != nil {
		return nil, false, err
	}
	defer e.pool.give(s)
	page, more, err = readRows(ctx, s, stream, after, rowsAtOnce)
	return page, more, failure(ctx, err)
}

// readRows reads the first rows of a stream whose last event's number is > after.
func readRows(ctx context.Context, s *session, stream, after uint64, limit int) (page []store.Row, more bool, err error) {
	answer, err := s.read(ctx, pageOfRows, [][]byte{bigint(stream), bigint(after), bigint(uint64(limit)), bigint(4 * inlineBytes)})
	if err != nil {
		return nil, false, err
	}
	for _, row := range answer.rows {
		r, err := readRowOf(ctx, s, stream, row)
		if err != nil {
			return page, false, err
		}
		if r.Data != nil {
			page = append(page, r)
		}
	}
	return page, len(answer.rows) == limit && len(page) > 0, nil
}

// readRowOf is a row as a page tells it, with its data if that is large; without, if it is gone.
func readRowOf(ctx context.Context, s *session, stream uint64, of row) (r store.Row, err error) {
	if r.Last, err = of.number(0); err == nil {
		r.First, err = of.number(1)
	}
	if err != nil || len(of) != 3 {
		return r, errAnswer
	}
	if r.Data = of[2]; r.Data != nil {
		return r, nil
	}
	answer, err := s.read(ctx, rowData, [][]byte{bigint(stream), bigint(r.Last)})
	if err == nil && len(answer.rows) == 1 && len(answer.rows[0]) == 1 {
		r.Data = answer.rows[0][0]
	}
	return r, err
}

// Wait implements store.Engine. Marks count what this node has learnt of.
func (e *Engine) Wait(ctx context.Context, mark uint64) (uint64, error) {
	return e.feed.Wait(ctx, mark, e.want)
}

// want has lookOut look, soon.
func (e *Engine) want() {
	select {
	case e.wanted <- struct{}{}:
	default:
	}
}

// lookOut looks at others' streams while someone waits: ten times a second
// while they grow, less often when they have not for a while.
func (e *Engine) lookOut() {
	s := &session{dialer: e.dialer}
	defer s.close()
	pause := e.poll
	for {
		select {
		case <-e.wanted:
		case <-e.ctx.Done():
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-e.ctx.Done():
			timer.Stop()
			return
		}
		now, err := e.others(s)
		grown := err == nil && !slices.Equal(now, e.seen)
		if grown {
			e.seen = now
			e.feed.Add()
		}
		if pause = min(pause+e.poll/10, 4*e.poll); grown {
			pause = e.poll
		}
		if e.feed.Waited() {
			e.want()
		}
	}
}

// others is what tells whether any other node has added rows: how many streams
// there ever were, and each open one with its last event's number. A stream that
// is closed leaves the list, which is a change as well.
func (e *Engine) others(s *session) ([]uint64, error) {
	results, err := s.again(e.ctx, call{statement: streamsSoFar}, call{openStreams, [][]byte{bigint(e.committer.id.Load())}})
	if err != nil {
		return nil, err
	}
	var seen []uint64
	for _, r := range results {
		for _, row := range r.rows {
			for i := range row {
				n, err := row.number(i)
				if err != nil {
					return nil, err
				}
				seen = append(seen, n)
			}
		}
	}
	return seen, nil
}
