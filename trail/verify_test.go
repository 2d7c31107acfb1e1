package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/store"
)

const (
	alpha = "111111111111"
	beta  = "222222222222"
)

// lived is a record of three processes' lives.
func lived(t testing.TB) *rack {
	t.Helper()
	r := newRack(t, alpha, beta)
	random := newRandom(7)
	for life := range 3 {
		if life > 0 {
			r.restart()
		}
		check(t, r.trail().Begin(t.Context(), noon.Add(time.Duration(life)*100*time.Second)))
		r.add(t, random, life*100, 60, alpha, beta, "")
	}
	return r
}

func (r *rack) faults(t testing.TB, heads ...KnownHead) []string {
	t.Helper()
	report, err := r.trail().Verify(t.Context(), heads)
	check(t, err)
	var all []string
	for _, f := range report.Faults {
		all = append(all, f.String())
	}
	return all
}

func (r *rack) heads(t testing.TB) []KnownHead {
	t.Helper()
	report, err := r.trail().Verify(t.Context(), nil)
	check(t, err)
	var file bytes.Buffer
	check(t, report.WriteHeads(&file, noon))
	heads, err := ReadHeads(&file)
	check(t, err)
	return heads
}

func TestAnUntouchedRecordVerifies(t *testing.T) {
	r := lived(t)
	heads := r.heads(t)
	report, err := r.trail().Verify(t.Context(), heads)
	check(t, err)
	if len(report.Faults) > 0 || report.Compared != 3 || len(report.Streams) != 3 {
		t.Fatalf("%+v", report)
	}
	for i, s := range report.Streams {
		if s.Last != 61 || s.Closed != (i < 2) || s.Head == (Head{}) {
			t.Errorf("%+v", s)
		}
	}
}

// TestAttacks does to the rows what whoever has the disk can do, and wants it named.
func TestAttacks(t *testing.T) {
	r := lived(t)
	good := r.copyRows()
	heads := r.heads(t)
	const stream = 2
	row := func(i int) *store.Row { return &r.rows[stream][i] }
	last := len(good[stream]) - 1
	span := func(from, to uint64) string {
		if from == to {
			return fmt.Sprintf("stream %d, event %d: ", stream, from)
		}
		return fmt.Sprintf("stream %d, events %d to %d: ", stream, from, to)
	}
	of := func(i int) string { return span(good[stream][i].First, good[stream][i].Last) }
	swap := func(i, j int) {
		a, b := row(i), row(j)
		a.Data, b.Data = b.Data, a.Data
	}
	for _, c := range []struct {
		name  string
		do    func()
		heads bool // shows against heads kept elsewhere alone
		want  string
	}{
		{"a row removed", func() { r.rows[stream] = slices.Delete(r.rows[stream], 3, 4) }, false, of(3) + "removed"},
		{"the first row removed", func() { r.rows[stream] = r.rows[stream][1:] }, false, of(0) + "removed without a checkpoint"},
		{"the last row of a closed stream removed", func() { r.rows[stream] = r.rows[stream][:last] }, false, of(last) + "removed: a later stream wrote down"},
		{"a closed stream removed whole", func() { delete(r.rows, stream) }, false, "stream 2: removed: a later stream wrote down its event 61"},
		{"the tail of the newest stream removed", func() { r.rows[3] = r.rows[3][:4] }, true, "removed: a head kept elsewhere (line 4) is of a later event"},
		{"the newest stream removed whole", func() { delete(r.rows, 3) }, true, "removed: a head kept elsewhere (line 4) is of a later event"},
		{"two rows swapped", func() { swap(2, 3) }, false, of(2) + "altered: in their place stand"},
		{"a row replayed in another's place", func() { row(4).Data = bytes.Clone(row(3).Data) }, false, of(4) + "altered: in their place stand"},
		{"the first row of another stream", func() { row(0).Data = r.rows[1][0].Data }, false, of(0) + "altered: in their place stand events 1 to 1 of stream 1"},
		{"a row of another stream", func() { row(4).Data = r.rows[1][4].Data }, false, of(4) + "altered: in their place stand"},
		{"a row emptied", func() { row(4).Data = nil }, false, of(4) + "altered"},
		{"a row cut short", func() { row(4).Data = row(4).Data[:len(row(4).Data)/2] }, false, of(4) + "altered"},
		{"a row stored twice", func() { r.rows[stream] = slices.Insert(r.rows[stream], 4, *row(3)) }, false, of(3) + "stand twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.rows = copyOf(good)
			c.do()
			defer func() { r.rows = copyOf(good) }()
			alone, compared := r.faults(t), r.faults(t, heads...)
			if (len(alone) == 0) != c.heads {
				t.Errorf("without heads: %q", alone)
			}
			if !slices.ContainsFunc(compared, func(f string) bool { return strings.HasPrefix(f, c.want) || c.heads && strings.Contains(f, c.want) }) {
				t.Errorf("faults %q, want %q", compared, c.want)
			}
		})
	}
}

// rewrite has the keys, and packs other events in place of row i of stream 2.
func (r *rack) rewrite(t *testing.T, i int) *store.Row {
	row := &r.rows[2][i]
	head, err := r.journal.Head(r.rows[2][i-1].Data)
	check(t, err)
	var events []store.Event
	for n := row.First; n <= row.Last; n++ {
		events = append(events, store.Event{Scope: alpha, Data: event(999, alpha).encode(nil)})
	}
	row.Data, _, err = r.journal.Pack(2, row.First, head, events)
	check(t, err)
	return row
}

// TestAnInsiderCannotRewriteTheRecord is of someone with the keys, whose rows
// are sealed as ours are: the rows after them, and what a later stream wrote
// down, give them away.
func TestAnInsiderCannotRewriteTheRecord(t *testing.T) {
	r := lived(t)
	good := r.copyRows()
	r.rewrite(t, len(good[2])-1)
	if found := r.faults(t); len(found) != 1 || found[0] != "stream 2, event 61: altered: a later stream wrote down another head" {
		t.Errorf("%q", found)
	}
	r.rows = copyOf(good)
	row := r.rewrite(t, 4)
	want := fmt.Sprintf("stream 2, events %d to %d: altered: the chain breaks", row.Last+1, good[2][5].Last)
	if found := r.faults(t); len(found) != 1 || found[0] != want {
		t.Errorf("%q, want %q", found, want)
	}
	if _, err := r.trail().Cut(t.Context(), Cut{Through: Position{2, 60}, Reason: "r", Now: noon}); !errors.Is(err, ErrBroken) {
		t.Errorf("a cut hid a rewritten row: %v", err)
	}
}

func TestAlteredLeavesAreNoticed(t *testing.T) {
	r := newRack(t, alpha, beta)
	r.add(t, newRandom(5), 0, 30, alpha, beta)
	good := r.copyRows()
	check(t, r.keys.Destroy(t.Context(), beta, nil))
	for i, row := range good[1] {
		p, err := parse(row.Data)
		check(t, err)
		for _, b := range p.blocks {
			r.rows = copyOf(good)
			altered, err := parse(r.rows[1][i].Data)
			check(t, err)
			altered.leaf(b.events[0])[0] ^= 1
			if found := r.faults(t); len(found) == 0 {
				t.Errorf("event %d of %s: an altered leaf went unnoticed", p.first+uint64(b.events[0]), b.scope)
			}
			if _, err := r.journal.Open(1, r.rows[1][i]); (err == nil) != (b.scope == beta) {
				t.Errorf("event %d of %s: Open = %v", p.first+uint64(b.events[0]), b.scope, err)
			}
		}
	}
}

func TestVerifyWorksWhileTheRecordIsCut(t *testing.T) {
	r := lived(t)
	heads := r.heads(t)
	r.before = func() {
		cut, err := r.trail().Cut(t.Context(), Cut{Through: Position{1, 30}, Reason: "r", Now: noon})
		if err != nil || cut.Events == 0 {
			t.Errorf("cut %+v, %v", cut, err)
		}
	}
	report, err := r.trail().Verify(t.Context(), heads)
	check(t, err)
	if len(report.Faults) > 0 || report.Streams[0].Cut == 0 || report.Compared != 3 {
		t.Errorf("%+v", report)
	}
}

func TestStreamsAreWrittenDownOnce(t *testing.T) {
	r := lived(t)
	var listed []string
	for rec, err := range r.trail().Read(t.Context(), nil, Filter{Name: "OpenStream"}, false) {
		check(t, err)
		var d openDetails
		check(t, json.Unmarshal(rec.Event.ServiceEventDetails, &d))
		for _, s := range d.Streams {
			listed = append(listed, fmt.Sprintf("%d in %d", s.Stream, rec.Position.Stream))
		}
	}
	if !slices.Equal(listed, []string{"1 in 2", "2 in 3"}) {
		t.Errorf("%v", listed)
	}
	_, err := r.trail().Cut(t.Context(), Cut{Before: noon.Add(time.Hour), Reason: "r", Now: noon})
	check(t, err)
	r.restart()
	check(t, r.trail().Begin(t.Context(), noon))
	check(t, r.View(t.Context(), func(tx store.Tx) error {
		rows := 0
		from, to := store.Prefix(table, "", "listed")
		for range tx.Scan(from, to, false) {
			rows++
		}
		if rows != 1 {
			t.Errorf("%d streams are remembered as written down, of 1 that is closed", rows)
		}
		return nil
	}))
}

func copyOf(rows map[uint64][]store.Row) map[uint64][]store.Row {
	return (&rack{rows: rows}).copyRows()
}

func TestEveryAlteredByteOfARowIsNamed(t *testing.T) {
	r := newRack(t, alpha, beta)
	r.add(t, newRandom(3), 0, 12, alpha, beta)
	good := r.copyRows()
	for i, row := range good[1] {
		for at := range row.Data {
			r.rows = copyOf(good)
			r.rows[1][i].Data[at] ^= 0x04
			report, err := r.trail().Verify(t.Context(), nil)
			check(t, err)
			found := report.Faults
			if len(found) == 0 {
				t.Fatalf("byte %d of row %d altered unnoticed", at, i)
			}
			if f := found[0]; f.Stream != 1 || f.From < row.First || f.To > row.Last {
				t.Fatalf("byte %d of row %d: %q names another", at, i, f)
			}
		}
	}
}

// TestAForgedChain lets an attacker who knows the format, and no key, make the
// chain anew after removing an event or altering the leaf of an erased one.
func TestAForgedChain(t *testing.T) {
	r := newRack(t, alpha, beta)
	random := newRandom(5)
	r.add(t, random, 0, 30, alpha, beta)
	check(t, r.keys.Destroy(t.Context(), beta, nil))
	if found := r.faults(t); len(found) > 0 {
		t.Fatalf("erasure: %q", found)
	}
	good := r.copyRows()
	head := startHead(1)
	for i := range r.rows[1] {
		p, err := parse(r.rows[1][i].Data)
		check(t, err)
		for _, b := range p.blocks {
			if b.scope == beta { // what the erased account did becomes something else
				p.leaf(b.events[0])[0] ^= 1
			}
		}
		head = p.chain(head)
		copy(r.rows[1][i].Data[rowFixed-hashSize:], head[:])
	}
	if found := r.faults(t); len(found) == 0 || !strings.Contains(found[0], "does not carry the installation's seal") {
		t.Errorf("a chain made anew: %q", found)
	}
	if _, err := r.trail().Cut(t.Context(), Cut{Through: Position{1, 20}, Reason: "r", Now: noon}); !errors.Is(err, ErrBroken) {
		t.Errorf("a cut hid a chain made anew: %v", err)
	}
	r.rows = good
	if found := r.faults(t); len(found) > 0 {
		t.Errorf("put back: %q", found)
	}
}

func TestErasedAccountsLeaveTheRestAndTheChain(t *testing.T) {
	r := lived(t)
	heads := r.heads(t)
	count := func() (n int) {
		for rec, err := range r.trail().Read(t.Context(), nil, Filter{Erased: true}, false) {
			check(t, err)
			if rec.Event == nil {
				if n++; rec.Scope != beta {
					t.Errorf("%v of %q is erased", rec.Position, rec.Scope)
				}
			}
		}
		return n
	}
	if n := count(); n != 0 {
		t.Fatalf("%d erased", n)
	}
	check(t, r.keys.Destroy(t.Context(), beta, nil))
	report, err := r.trail().Verify(t.Context(), heads)
	check(t, err)
	var erased uint64
	for _, s := range report.Streams {
		erased += s.Erased
	}
	if n := count(); n == 0 || uint64(n) != erased || len(report.Faults) > 0 || report.Compared != 3 {
		t.Errorf("%d erased, report %+v", n, report)
	}
}

func TestALeafTellsNothingOfItsEvent(t *testing.T) {
	var seen [2]Head
	for i := range seen {
		r := newRack(t)
		e := event(1, "")
		e.RequestID, e.EventID = "r", "e"
		check(t, r.Update(t.Context(), func(tx store.Tx) error { return Append(tx, e) }))
		p, err := parse(r.rows[1][0].Data)
		check(t, err)
		seen[i] = Head(p.leaf(0))
	}
	if seen[0] == seen[1] {
		t.Error("the same event has the same leaf: it can be guessed")
	}
}

func TestHeadsFileRefuses(t *testing.T) {
	head := strings.Repeat("ab", 32)
	for _, bad := range []string{
		"", "hello\n", "2026-11-24T09:00:00Z 1:1 " + head + "\n",
		"garrison-heads 1\nx\n", "garrison-heads 1\n2026-11-24T09:00:00Z 1:0 " + head, "garrison-heads 1\n2026-11-24T09:00:00Z 1:1 " + head[2:],
		"garrison-heads 1\nyesterday 1:1 " + head, "garrison-heads 1\n2026-11-24T09:00:00Z 1 " + head, "garrison-heads 1\n" + strings.Repeat("x", 2000),
	} {
		if heads, err := ReadHeads(strings.NewReader(bad)); err == nil {
			t.Errorf("%q gave %v", bad, heads)
		}
	}
	heads, err := ReadHeads(strings.NewReader("# kept in the safe\n\ngarrison-heads 1\n2026-11-24T09:00:00Z 1:7 " + head + "\ngarrison-heads 1\n"))
	if err != nil || len(heads) != 1 || heads[0].Position != (Position{1, 7}) || heads[0].Source != "line 4" {
		t.Errorf("%v, %v", heads, err)
	}
}
