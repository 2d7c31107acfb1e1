package trail

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/garrison-security/garrison/store"
)

// Report is what Verify found.
type Report struct {
	Streams []StreamReport
	Faults  []Fault
	More    bool // faults beyond the first maxFaults were found, and not kept
	// Compared is how many of the heads that were given stand in the record as they were written down.
	Compared int
	// Below is how many of them lie under a checkpoint, where nothing is left to compare.
	Below int
}

// StreamReport is one stream's state.
type StreamReport struct {
	Stream uint64
	Cut    uint64 // events up to this number were removed by right
	Last   uint64 // the last event's number; Cut if none is left
	Erased uint64 // events whose bytes were erased, or whose account's key was destroyed
	Head   Head   // after Last
	Closed bool
}

// Fault is something that the record's keeper did not do.
type Fault struct {
	Stream   uint64
	From, To uint64 // numbers of the first and last event concerned; 0: the stream as a whole
	What     string
}

// String is the fault in words: "stream 3, events 17 to 20: removed".
func (f Fault) String() string {
	switch {
	case f.From == 0:
		return fmt.Sprintf("stream %d: %s", f.Stream, f.What)
	case f.From == f.To:
		return fmt.Sprintf("stream %d, event %d: %s", f.Stream, f.From, f.What)
	}
	return fmt.Sprintf("stream %d, events %d to %d: %s", f.Stream, f.From, f.To, f.What)
}

const maxFaults = 1000

// verifier goes over the record once.
type verifier struct {
	*Trail
	report      Report
	checkpoints map[uint64]*checkpoint
	known       map[uint64][]KnownHead // by stream, ordered by number
	ends        []streamHead           // that OpenStream events wrote down
}

// Verify goes over the whole record: every event against its leaf, every leaf
// against the chain, every head against the installation's seal, every stream's
// beginning against its checkpoint, its end against what later streams wrote
// down and against heads, which were kept elsewhere. It works while the record
// grows. The error is of reading; what is wrong with the record stands in the
// Report.
//
// A tail that was cut off the newest stream, and a store that was rolled back
// whole, show against heads alone.
func (t *Trail) Verify(ctx context.Context, heads []KnownHead) (*Report, error) {
	v := &verifier{Trail: t, known: map[uint64][]KnownHead{}}
	for _, h := range heads {
		v.known[h.Stream] = append(v.known[h.Stream], h)
	}
	for _, list := range v.known {
		slices.SortStableFunc(list, func(a, b KnownHead) int { return cmp.Compare(a.Number, b.Number) })
	}
	var err error
	if v.checkpoints, err = t.checkpoints(ctx); err != nil {
		return nil, err
	}
	streams, err := t.Engine.Streams(ctx)
	if err != nil {
		return nil, err
	}
	here := map[uint64]*StreamReport{}
	for _, s := range streams {
		r, err := v.stream(ctx, s)
		if err != nil {
			return nil, err
		}
		v.report.Streams = append(v.report.Streams, *r)
		here[s.ID] = r
	}
	v.gone(here)
	for _, end := range v.ends {
		v.compareEnd(end, here[end.Stream])
	}
	return &v.report, nil
}

func (v *verifier) fault(stream, from, to uint64, format string, args ...any) {
	if len(v.report.Faults) == maxFaults {
		v.report.More = true
		return
	}
	v.report.Faults = append(v.report.Faults, Fault{stream, from, to, fmt.Sprintf(format, args...)})
}

// chainState is how far a stream's chain has been followed.
type chainState struct {
	*StreamReport
	head  Head
	known bool // head is what the events so far make; else some of them are missing or altered
}

func (v *verifier) stream(ctx context.Context, s store.Stream) (*StreamReport, error) {
	c := chainState{StreamReport: &StreamReport{Stream: s.ID, Closed: s.Closed}, head: startHead(s.ID), known: true}
	if p := v.checkpoints[s.ID]; p != nil {
		c.Cut, c.Last, c.head = p.number, p.number, p.head
	}
	v.compare(&c) // heads at or below the checkpoint
	for row, err := range v.Engine.Rows(ctx, s.ID, 0) {
		if err != nil {
			return nil, err
		}
		if row.Last <= c.Cut && c.Last == c.Cut { // under a checkpoint that was made before it could be removed: never by us
			v.fault(s.ID, row.First, row.Last, "lie under a checkpoint that says they were removed")
			continue
		}
		if row.First > c.Last+1 {
			if err := v.gap(ctx, &c, row.First); err != nil {
				return nil, err
			}
		} else if row.First <= c.Last {
			v.fault(s.ID, row.First, row.Last, "stand twice")
			continue
		}
		v.row(&c, row)
	}
	c.Head = c.head
	for _, h := range v.known[s.ID] {
		if h.Number > c.Last {
			v.fault(s.ID, c.Last+1, h.Number, "removed: a head kept elsewhere (%s) is of a later event", h.Source)
		}
	}
	return c.StreamReport, nil
}

// gap deals with missing events before first: a cut that was made just now, or a fault.
func (v *verifier) gap(ctx context.Context, c *chainState, first uint64) error {
	var now *checkpoint
	err := v.Engine.View(ctx, func(tx store.Tx) (err error) {
		now, err = checkpointOf(tx, c.Stream)
		return err
	})
	if err != nil {
		return err
	}
	if now.number+1 == first && now.number > c.Cut && c.Last == c.Cut {
		c.Cut, c.Last, c.head = now.number, now.number, now.head
		v.checkpoints[c.Stream] = now
		return nil
	}
	what := "removed"
	if c.Last == c.Cut {
		what = "removed without a checkpoint"
	}
	v.fault(c.Stream, c.Last+1, first-1, "%s", what)
	c.known = false
	return nil
}

// row verifies a row whose events follow c.Last, or a gap.
func (v *verifier) row(c *chainState, row store.Row) {
	first, last := row.First, row.Last
	p, err := parse(row.Data)
	if err == nil && (p.stream != c.Stream || p.first != first || p.last() != last) {
		v.fault(c.Stream, first, last, "altered: in their place stand events %d to %d of stream %d", p.first, p.last(), p.stream)
		c.Last, c.known = last, false
		return
	}
	if err != nil {
		v.fault(c.Stream, first, last, "altered: %v", err)
		c.Last, c.known = last, false
		return
	}
	vouched := v.Journal.vouched(p) == nil
	if !vouched {
		v.fault(c.Stream, first, last, "altered: their head does not carry the installation's seal")
	}
	before := c.head
	if c.known && p.chain(before) != p.head {
		v.fault(c.Stream, first, last, "altered: the chain breaks")
	}
	for i := range p.blocks {
		v.block(c, p, &p.blocks[i])
	}
	if c.known {
		for i := range p.count {
			c.head = link(c.head, p.leaf(i))
			c.Last = first + uint64(i)
			v.compare(c)
		}
	}
	// What follows is held against the head that was written, so that one fault is reported once.
	c.Last, c.head, c.known = last, p.head, vouched
}

// block verifies the events of a block.
func (v *verifier) block(c *chainState, p *parsed, b *sealedBlock) {
	number := func(i int) uint64 { return p.first + uint64(i) }
	done := 0
	err := v.Journal.open(p, b, func(i int, data []byte) error {
		e, err := Decode(data)
		if err != nil {
			return err
		}
		done++
		v.notice(c.Stream, number(i), b.scope, e)
		return nil
	})
	switch {
	case err == nil:
	case v.Journal.gone(b):
		c.Erased += uint64(len(b.events))
	case errors.Is(err, errLeaf) || errors.Is(err, ErrEvent):
		v.fault(p.stream, number(b.events[done]), number(b.events[done]), "altered: %v", err)
	default:
		v.fault(p.stream, number(b.events[0]), number(b.events[len(b.events)-1]), "altered: %d events of account %q do not open: %v", len(b.events), b.scope, err)
	}
}

// notice looks at what events say of the record itself.
func (v *verifier) notice(stream, number uint64, scope string, e *Event) {
	if e.RecipientAccountID != scope {
		v.fault(stream, number, number, "altered: an event of account %q among those of %q", e.RecipientAccountID, scope)
	}
	if scope != "" || e.EventSource != ownSource || e.EventName != "OpenStream" {
		return
	}
	var details openDetails
	if err := json.Unmarshal(e.ServiceEventDetails, &details); err != nil {
		v.fault(stream, number, number, "not an event that this release understands: %v", err)
		return
	}
	v.ends = append(v.ends, details.Streams...)
}

// compare holds the heads kept elsewhere of c's stream at c.Last against it.
func (v *verifier) compare(c *chainState) {
	list := v.known[c.Stream]
	for len(list) > 0 && list[0].Number <= c.Last {
		h := list[0]
		list = list[1:]
		switch {
		case h.Number <= c.Cut && h.Number < c.Last:
			v.report.Below++
		case h.Number < c.Last: // events at it are missing or altered, which was said
		case h.Head != c.head:
			v.fault(c.Stream, h.Number, h.Number, "altered: a head kept elsewhere (%s) is another", h.Source)
		default:
			v.report.Compared++
		}
	}
	v.known[c.Stream] = list
}

// gone looks for heads kept elsewhere of streams that are not here.
func (v *verifier) gone(here map[uint64]*StreamReport) {
	for stream, list := range v.known {
		if here[stream] != nil {
			continue
		}
		c := v.checkpoints[stream]
		for _, h := range list {
			switch {
			case c == nil || h.Number > c.number:
				v.fault(stream, 0, 0, "removed: a head kept elsewhere (%s) is of its event %d", h.Source, h.Number)
			case h.Number < c.number:
				v.report.Below++
			case h.Head != c.head:
				v.fault(stream, h.Number, h.Number, "altered: a head kept elsewhere (%s) is another", h.Source)
			default:
				v.report.Compared++
			}
		}
	}
}

// compareEnd holds a stream against the end that a later stream wrote down.
func (v *verifier) compareEnd(end streamHead, have *StreamReport) {
	if have == nil {
		c := v.checkpoints[end.Stream]
		if c == nil || c.number < end.Position {
			v.fault(end.Stream, 0, 0, "removed: a later stream wrote down its event %d", end.Position)
			return
		}
		have = &StreamReport{Stream: end.Stream, Last: c.number, Head: c.head}
	}
	head, err := hex.DecodeString(end.Head)
	switch {
	case have.Last < end.Position:
		v.fault(end.Stream, have.Last+1, end.Position, "removed: a later stream wrote down its event %d", end.Position)
	case have.Last == end.Position && (err != nil || string(head) != string(have.Head[:])):
		v.fault(end.Stream, end.Position, end.Position, "altered: a later stream wrote down another head")
	}
}
