package trail

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func (r *rack) erased(t *testing.T) (of map[string]int, left map[string]int) {
	t.Helper()
	of, left = map[string]int{}, map[string]int{}
	for rec, err := range r.trail().Read(t.Context(), nil, Filter{Erased: true}, false) {
		check(t, err)
		if rec.Event == nil {
			of[rec.Scope]++
		} else {
			left[rec.Scope]++
		}
	}
	return of, left
}

func TestEraseTakesAnAccountsOldEventsAlone(t *testing.T) {
	r := lived(t)
	heads := r.heads(t)
	_, before := r.erased(t)
	for _, stop := range []int{1, 2, 0} { // at a write of it, and then to its end
		for _, after := range []bool{false, true} {
			r.stopAt, r.after = stop, after
			_, err := r.trail().Erase(t.Context(), Erasure{Account: beta, Before: noon.Add(230 * time.Second), Reason: "asked for", Now: noon.Add(time.Hour)})
			if err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			r.stopAt = 0
			report, err := r.trail().Verify(t.Context(), heads)
			check(t, err)
			if len(report.Faults) > 0 || report.Compared != 3 {
				t.Fatalf("%+v", report)
			}
		}
	}
	of, left := r.erased(t)
	if of[alpha] != 0 || of[""] != 0 || of[beta] < before[beta]/2 || left[alpha] != before[alpha] || of[beta]+left[beta] != before[beta] || left[beta] == 0 {
		t.Errorf("of %v erased %v, left %v", before, of, left)
	}
	events := 0
	for rec, err := range r.trail().Read(t.Context(), nil, Filter{}, false) {
		check(t, err)
		if rec.Scope == beta && rec.Event.EventTime.Before(noon.Add(220*time.Second)) {
			t.Errorf("%v was not erased", rec.Position)
		}
		if rec.Event.EventName == "EraseRecords" {
			events++
			if d := string(rec.Event.ServiceEventDetails); !strings.Contains(d, `"account":"`+beta+`"`) || !strings.Contains(d, `"reason":"asked for"`) {
				t.Errorf("%s", d)
			}
		}
	}
	if events != 3 {
		t.Errorf("%d records of the erasure, of 3 streams", events)
	}
	check(t, r.followAll(t, "f"))
	if _, err := r.trail().Cut(t.Context(), Cut{Before: noon.Add(130 * time.Second), Reason: "r", Now: noon.Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	if found := r.faults(t, heads...); len(found) > 0 {
		t.Errorf("%q", found)
	}
}

// TestErasedByHand empties a block as Erase does, without the installation's key.
func TestErasedByHand(t *testing.T) {
	r := newRack(t, alpha, beta)
	r.add(t, newRandom(5), 0, 30, alpha, beta)
	good := r.copyRows()
	stranger := newRack(t)
	for _, keepsSeal := range []bool{false, true} {
		r.rows = copyOf(good)
		row := &r.rows[1][3]
		p, err := parse(row.Data)
		check(t, err)
		row.Data, err = stranger.journal.emptied(p, p.blocks[0].scope)
		check(t, err)
		if keepsSeal {
			copy(row.Data[len(row.Data)-len(p.headSeal):], p.headSeal)
		}
		if found := r.faults(t); len(found) != 1 || !strings.Contains(found[0], "does not carry the installation's seal") {
			t.Errorf("keeps the seal: %v: %q", keepsSeal, found)
		}
		if err := r.followAll(t, "f"); err == nil {
			t.Errorf("keeps the seal: %v: a follower passed it over", keepsSeal)
		}
	}
}

func TestEraseHidesNoAlteration(t *testing.T) {
	r := newRack(t, alpha, beta)
	r.add(t, newRandom(5), 0, 30, alpha, beta)
	copy(r.rows[1][3].Data[rowFixed-hashSize:], "another head")
	erase := func(account string) error {
		_, err := r.trail().Erase(t.Context(), Erasure{Account: account, Before: noon.Add(time.Hour), Reason: "r", Now: noon})
		return err
	}
	if err := erase(beta); !errors.Is(err, ErrBroken) {
		t.Errorf("an erasure sealed an altered head: %v", err)
	}
	r = newRack(t, alpha, beta)
	r.add(t, newRandom(5), 0, 30, alpha, beta)
	r.before = func() { check(t, erase(alpha)) }
	if err := erase(beta); err == nil {
		t.Error("two erasures at once: the second put back what the first took away")
	}
	check(t, erase(beta))
	if of, left := r.erased(t); of[alpha]+of[beta] != 30 || left[alpha]+left[beta] != 0 {
		t.Errorf("erased %v, left %v", of, left)
	}
}

func TestEraseRefuses(t *testing.T) {
	r := lived(t)
	for _, e := range []Erasure{{}, {Account: beta, Reason: "r", Now: noon}, {Account: beta, Before: noon, Now: noon}, {Before: noon, Reason: "r", Now: noon}, {Account: beta, Before: noon, Reason: "r"}} {
		if _, err := r.trail().Erase(t.Context(), e); err == nil {
			t.Errorf("erased %+v", e)
		}
	}
	register(t, r, "slow")
	report, err := r.trail().Erase(t.Context(), Erasure{Account: beta, Before: noon.Add(time.Hour), Reason: "r", Now: noon})
	if err != nil || report.HeldBy != "slow" || report.Events != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
