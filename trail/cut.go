package trail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/store"
)

// Cut is what is to be removed from the record, and why.
type Cut struct {
	Before time.Time // events at or after it stay, and all that follow one in its stream
	// Through, if its Stream is not 0, cuts that stream alone, at most up to the event there.
	Through Position
	Reason  string
	Now     time.Time
	By      *UserIdentity // nil: the installation itself
}

// CutReport says what was removed.
type CutReport struct {
	Events uint64
	// HeldBy names a follower that has not handled the events at which a stream's cut stopped; "" if none did.
	HeldBy string
}

// cutBatch is how many rows one transaction removes at most.
const cutBatch = 1000

// Cut removes the oldest events, whole rows of them from each stream's
// beginning, and leaves in the same transaction a checkpoint, which is itself
// an event: CutTrail, with stream, position, head, time and reason. It never
// removes what a follower has not handled, nor the last row of a stream that
// is being written, nor rows that the chain does not hold together: those it
// answers an error for, and Verify names them.
func (t *Trail) Cut(ctx context.Context, c Cut) (CutReport, error) {
	var report CutReport
	if c.Reason == "" || c.Now.IsZero() {
		return report, errors.New("trail: a cut needs a reason and a time")
	}
	if c.Before.IsZero() && c.Through.Stream == 0 {
		return report, errors.New("trail: a cut needs a time or a position to end at")
	}
	streams, err := t.Engine.Streams(ctx)
	if err != nil {
		return report, err
	}
	for _, s := range streams {
		if c.Through.Stream != 0 && c.Through.Stream != s.ID {
			continue
		}
		for more := true; more; {
			if more, err = t.cutSome(ctx, &c, s, &report); err != nil {
				return report, fmt.Errorf("cut stream %d: %w", s.ID, err)
			}
		}
	}
	return report, nil
}

// cutSome removes up to cutBatch rows of s; more is true if there may be others.
func (t *Trail) cutSome(ctx context.Context, c *Cut, s store.Stream, report *CutReport) (more bool, err error) {
	var from *checkpoint
	var limit uint64
	var holder string
	err = t.Engine.View(ctx, func(tx store.Tx) (err error) {
		if from, err = checkpointOf(tx, s.ID); err != nil {
			return err
		}
		limit, holder, err = handled(tx, s.ID)
		return err
	})
	if err != nil {
		return false, err
	}
	if c.Through.Stream != 0 {
		limit = min(limit, c.Through.Number)
	}
	to := *from
	to.before, to.reason = c.Before, c.Reason
	var gone []uint64
	var held *parsed // the row before the last one seen, in an open stream
	for row, err := range t.Engine.Rows(ctx, s.ID, from.number) {
		if err != nil {
			return false, err
		}
		old, err := t.old(s.ID, row, c.Before)
		if err != nil {
			return false, err
		}
		if held != nil { // not the last, since another follows
			gone, to.number, to.head = append(gone, held.last()), held.last(), held.head
			held = nil
		}
		if len(gone) == cutBatch {
			more = true
			break
		}
		if !old {
			break
		}
		if row.Last > limit {
			if holder != "" && (c.Through.Stream == 0 || row.Last <= c.Through.Number) {
				report.HeldBy = holder
			}
			break
		}
		p, err := parse(row.Data)
		if err != nil {
			return false, err
		}
		if before := to.head; p.first != to.number+1 || p.chain(before) != p.head || t.Journal.vouched(p) != nil {
			return false, fmt.Errorf("events %d to %d: %w", row.First, row.Last, ErrBroken)
		}
		if s.Closed {
			gone, to.number, to.head = append(gone, p.last()), p.last(), p.head
		} else {
			held = p
		}
	}
	if len(gone) == 0 {
		return false, nil
	}
	if err := t.remove(ctx, c, s.ID, from, &to, gone); err != nil {
		return false, err
	}
	report.Events += to.number - from.number
	return more, nil
}

// ErrBroken means that the chain does not hold over some rows.
var ErrBroken = errors.New("trail: the chain is broken")

// old tells whether all of a row's events are from before the time; those
// that were erased have none, and keep nothing.
func (t *Trail) old(stream uint64, row store.Row, before time.Time) (bool, error) {
	if before.IsZero() {
		return true, nil
	}
	records, err := t.Journal.Open(stream, row)
	if err != nil {
		return false, err
	}
	for i := range records {
		if e := records[i].Event; e != nil && !e.EventTime.Before(before) {
			return false, nil
		}
	}
	return true, nil
}

// handled is the number up to which every follower has handled the stream, and
// the follower that has handled least.
func handled(tx store.Tx, stream uint64) (limit uint64, holder string, err error) {
	limit = 1<<64 - 1
	from, to := store.Prefix(table, "", "follower")
	var names []string
	for pair, err := range tx.Scan(from, to, false) {
		if err != nil {
			return 0, "", err
		}
		if _, _, parts, _ := store.Parts(pair.Key); len(parts) == 2 {
			names = append(names, parts[1])
		}
	}
	for _, name := range names {
		var at cursor
		value, err := tx.Get(cursorKey(name, stream))
		if err == nil {
			at, err = parseCursor(value)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return 0, "", err
		}
		if at.number < limit {
			limit, holder = at.number, name
		}
	}
	return limit, holder, nil
}

// remove takes rows away and leaves the checkpoint, in one transaction.
func (t *Trail) remove(ctx context.Context, c *Cut, stream uint64, from, to *checkpoint, gone []uint64) error {
	e := own("CutTrail", c.Now)
	if c.By != nil {
		e.UserIdentity = *c.By
	}
	details := struct {
		streamHead
		Events uint64 `json:"events"`
		Before string `json:"before,omitempty"`
		Reason string `json:"reason"`
	}{streamHead{stream, to.number, headText(to.head)}, to.number - from.number, "", c.Reason}
	if !c.Before.IsZero() {
		details.Before = string(appendTime(nil, c.Before))
	}
	var err error
	if e.ServiceEventDetails, err = json.Marshal(details); err != nil {
		return err
	}
	return t.Engine.Update(ctx, func(tx store.Tx) error {
		have, err := checkpointOf(tx, stream)
		if err != nil {
			return err
		}
		if have.number != from.number {
			return errors.New("trail: another process is cutting the stream")
		}
		for _, last := range gone {
			if err := t.Engine.ReplaceRow(tx, stream, last, nil); err != nil {
				return err
			}
		}
		if err := tx.Put(checkpointKey(stream), to.value()); err != nil {
			return err
		}
		return Append(tx, &e)
	})
}
