package trail

import (
	"strings"
	"testing"
	"time"
)

func TestCutLeavesALawfulRecord(t *testing.T) {
	r := lived(t)
	heads := r.heads(t)
	tr := r.trail()
	before := noon.Add(130 * time.Second) // into the second life
	cut, err := tr.Cut(t.Context(), Cut{Before: before, Reason: "90 days", Now: noon.Add(time.Hour)})
	check(t, err)
	report, err := tr.Verify(t.Context(), heads)
	check(t, err)
	if len(report.Faults) > 0 || report.Compared != 3 || report.Below != 0 {
		t.Errorf("%+v", report)
	}
	if cut.Events < 61+25 || cut.HeldBy != "" || len(report.Streams) != 2 {
		t.Errorf("cut %+v, streams %+v", cut, report.Streams)
	}
	checkpoints := 0
	for rec, err := range tr.Read(t.Context(), nil, Filter{}, false) {
		check(t, err)
		if rec.Event.EventName == "CutTrail" {
			checkpoints++
			if rec.Event.EventType != ServiceEvent || !strings.Contains(string(rec.Event.ServiceEventDetails), `"reason":"90 days"`) {
				t.Errorf("%s", rec.Event.AppendJSON(nil))
			}
		} else if rec.Event.EventName != "OpenStream" && rec.Event.EventTime.Before(before.Add(-10*time.Second)) {
			t.Errorf("%v is left", rec.Position)
		}
	}
	if checkpoints != 2 {
		t.Errorf("%d checkpoints", checkpoints)
	}
	cut, err = tr.Cut(t.Context(), Cut{Through: Position{3, 20}, Reason: "by hand", Now: noon.Add(time.Hour)})
	check(t, err)
	if found := r.faults(t, heads...); len(found) > 0 || cut.Events == 0 || cut.Events > 20 {
		t.Errorf("cut %+v: %q", cut, found)
	}
	r.rows[3] = r.rows[3][1:]
	if found := r.faults(t); len(found) != 1 || !strings.Contains(found[0], "removed without a checkpoint") {
		t.Errorf("cut on by hand: %q", found)
	}
}

func TestCutRefuses(t *testing.T) {
	r := lived(t)
	tr := r.trail()
	for _, c := range []Cut{{}, {Before: noon, Now: noon}, {Before: noon, Reason: "r"}, {Reason: "r", Now: noon}} {
		if _, err := tr.Cut(t.Context(), c); err == nil {
			t.Errorf("cut %+v", c)
		}
	}
	good := r.copyRows()
	r.rows[1][5].Data[rowFixed+60] ^= 1
	if _, err := tr.Cut(t.Context(), Cut{Before: noon.Add(time.Hour), Reason: "r", Now: noon}); err == nil {
		t.Error("a cut hid an altered row")
	}
	if len(r.rows[1]) != len(good[1]) {
		t.Error("rows were removed")
	}
	r.rows = good
	all, err := tr.Cut(t.Context(), Cut{Before: noon.Add(time.Hour), Reason: "all", Now: noon.Add(time.Hour)})
	check(t, err)
	if len(r.rows[1]) != 0 || len(r.rows[2]) != 0 || len(r.rows[3]) < 2 || all.Events < 150 {
		t.Errorf("cut %+v: %d, %d, %d rows left", all, len(r.rows[1]), len(r.rows[2]), len(r.rows[3]))
	}
	if found := r.faults(t); len(found) > 0 {
		t.Errorf("%q", found)
	}
}

func TestCutIsCrashSafe(t *testing.T) {
	for _, after := range []bool{false, true} {
		for stop := 1; stop < 4; stop++ {
			r := lived(t)
			heads := r.heads(t)
			r.stopAt, r.after = stop, after
			r.trail().Cut(t.Context(), Cut{Before: noon.Add(230 * time.Second), Reason: "r", Now: noon.Add(time.Hour)})
			r.restart()
			check(t, r.trail().Begin(t.Context(), noon))
			if found := r.faults(t, heads...); len(found) > 0 {
				t.Errorf("stopped at %d, after %v: %q", stop, after, found)
			}
		}
	}
}
