package trail

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/store"
)

// rewriteBytes bounds what one transaction of an erasure writes, but for one row.
const rewriteBytes = 16 << 20

// Erasure is which account's events are to be erased, and why.
type Erasure struct {
	Account string
	Before  time.Time // events at or after it stay
	Reason  string
	Now     time.Time
	By      *UserIdentity // nil: the installation itself
}

// Erase takes away the bytes of an account's old events and leaves their
// places in the chain, so that the rest still verifies. It goes by rows: an
// event stays while a younger one of the account shares its row. Each step is
// recorded in its transaction, as EraseRecords. What a follower has not handled
// stays. To erase all that an account did, destroy its key.
func (t *Trail) Erase(ctx context.Context, e Erasure) (CutReport, error) {
	var report CutReport
	if e.Account == "" || e.Reason == "" || e.Now.IsZero() || e.Before.IsZero() {
		return report, errors.New("trail: an erasure needs an account, a time to end at, a reason and a time")
	}
	streams, err := t.Engine.Streams(ctx)
	if err != nil {
		return report, err
	}
	for _, s := range streams {
		after := uint64(0)
		for more := true; more; {
			if more, err = t.eraseSome(ctx, &e, s.ID, &after, &report); err != nil {
				return report, fmt.Errorf("erase events of stream %d: %w", s.ID, err)
			}
		}
	}
	return report, nil
}

// eraseSome looks at the rows after the given number, and rewrites up to
// cutBatch of them in one transaction.
func (t *Trail) eraseSome(ctx context.Context, e *Erasure, stream uint64, after *uint64, report *CutReport) (more bool, err error) {
	var limit, version uint64
	var holder string
	err = t.Engine.View(ctx, func(tx store.Tx) (err error) {
		if version, err = rewrites(tx, stream); err != nil {
			return err
		}
		limit, holder, err = handled(tx, stream)
		return err
	})
	if err != nil {
		return false, err
	}
	rows := map[uint64][]byte{}
	var events, size uint64
	for row, err := range t.Engine.Rows(ctx, stream, *after) {
		if err != nil {
			return false, err
		}
		data, n, err := t.without(stream, row, e)
		if err != nil {
			return false, err
		}
		if n > 0 && row.Last > limit {
			report.HeldBy = holder
			break
		}
		*after = row.Last
		if n > 0 {
			rows[row.Last], events, size = data, events+n, size+uint64(len(data))
		}
		if more = len(rows) == cutBatch || size > rewriteBytes; more {
			break
		}
	}
	if len(rows) == 0 {
		return false, nil
	}
	if err := t.rewrite(ctx, e, stream, version, rows, events); err != nil {
		return false, err
	}
	report.Events += events
	return more, nil
}

// without is the row without the events to be erased, and how many those are.
func (t *Trail) without(stream uint64, row store.Row, e *Erasure) ([]byte, uint64, error) {
	records, err := t.Journal.Open(stream, row)
	if err != nil {
		return nil, 0, err
	}
	n := uint64(0)
	for i := range records {
		r := &records[i]
		if r.Scope != e.Account || r.Event == nil {
			continue
		}
		if !r.Event.EventTime.Before(e.Before) {
			return nil, 0, nil
		}
		n++
	}
	if n == 0 {
		return nil, 0, nil
	}
	p, err := parse(row.Data)
	if err != nil {
		return nil, 0, err
	}
	if err := t.Journal.vouched(p); err != nil {
		return nil, 0, fmt.Errorf("events %d to %d: %w", row.First, row.Last, ErrBroken)
	}
	data, err := t.Journal.emptied(p, e.Account)
	return data, n, err
}

// emptied is the row without the sealed bytes of the scope's block.
func (j *Journal) emptied(p *parsed, scope string) ([]byte, error) {
	row := append([]byte{rowVersion}, make([]byte, rowFixed-1)...)
	binary.BigEndian.PutUint64(row[1:], p.stream)
	binary.BigEndian.PutUint64(row[9:], p.first)
	copy(row[rowFixed-hashSize:], p.head[:])
	row = binary.AppendUvarint(row, uint64(p.count))
	row = binary.AppendUvarint(row, uint64(len(p.blocks)))
	var erased []int
	for i := range p.blocks {
		b := &p.blocks[i]
		if b.scope == scope {
			b.sealed = nil
		}
		if len(b.sealed) == 0 {
			erased = append(erased, i)
		}
		row = append(row, b.header...)
		row = binary.AppendUvarint(row, uint64(len(b.sealed)))
		row = append(row, b.sealed...)
	}
	row = append(row, p.leaves...)
	sealed, err := j.sealer.Seal(nil, "", headKey(nil, p.stream, p.first, uint64(p.count), p.head, erased), nil)
	if err != nil {
		return nil, fmt.Errorf("trail: seal head: %w", err)
	}
	row = binary.AppendUvarint(row, uint64(len(sealed)))
	return append(row, sealed...), nil
}

func rewritesKey(stream uint64) []byte {
	return store.Key(table, "", "rewrites", string(binary.BigEndian.AppendUint64(nil, stream)))
}

// rewrites counts the transactions that have rewritten rows of the stream. Rows
// are read outside of them, so each makes sure that there was no other meanwhile.
func rewrites(tx store.Tx, stream uint64) (uint64, error) {
	value, err := tx.Get(rewritesKey(stream))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(value) != 9 || value[0] != 1 {
		return 0, errors.New("trail: a damaged count of rewrites")
	}
	return binary.BigEndian.Uint64(value[1:]), nil
}

// rewrite puts rows in place of those that hold the same events, and records it.
func (t *Trail) rewrite(ctx context.Context, e *Erasure, stream, version uint64, rows map[uint64][]byte, events uint64) error {
	record := own("EraseRecords", e.Now)
	if e.By != nil {
		record.UserIdentity = *e.By
	}
	var err error
	record.ServiceEventDetails, err = json.Marshal(struct {
		Stream  uint64 `json:"stream"`
		Account string `json:"account"`
		Events  uint64 `json:"events"`
		Before  string `json:"before"`
		Reason  string `json:"reason"`
	}{stream, e.Account, events, string(appendTime(nil, e.Before)), e.Reason})
	if err != nil {
		return err
	}
	return t.Engine.Update(ctx, func(tx store.Tx) error {
		have, err := rewrites(tx, stream)
		if err != nil {
			return err
		}
		if have != version {
			return errors.New("trail: another process is rewriting the stream")
		}
		for last, data := range rows {
			if err := t.Engine.ReplaceRow(tx, stream, last, data); err != nil {
				return err
			}
		}
		if err := tx.Put(rewritesKey(stream), binary.BigEndian.AppendUint64([]byte{1}, version+1)); err != nil {
			return err
		}
		return Append(tx, &record)
	})
}
