package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnattributedCallsAreSummedUp(t *testing.T) {
	r := newRack(t)
	synctest.Test(t, func(t *testing.T) {
		u := &Unattributed{Engine: r}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- u.Run(ctx) }()
		begin := time.Now()
		for i := range 250 {
			u.Count(time.Now(), addr(t, fmt.Sprintf("192.0.2.%d", i)), "InvalidClientTokenId")
			u.Count(time.Now(), addr(t, fmt.Sprintf("::ffff:198.51.100.%d", i)), "MissingAuthenticationToken")
			u.Count(time.Now(), addr(t, fmt.Sprintf("2001:db8:7:%x::1", i)), "InvalidClientTokenId")
		}
		time.Sleep(59 * time.Second)
		if len(r.rows[1]) != 0 {
			t.Error("recorded before the minute was over")
		}
		u.Count(time.Now(), addr(t, "192.0.2.9"), "InvalidClientTokenId")
		time.Sleep(2 * time.Second)
		u.Count(time.Now(), addr(t, "192.0.2.9"), "InvalidClientTokenId")
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		var got []string
		for rec, err := range r.trail().Read(t.Context(), nil, Filter{}, false) {
			check(t, err)
			e := rec.Event
			got = append(got, e.SourceIPAddress+" "+e.ErrorCode+" "+string(e.ServiceEventDetails))
			if e.EventType != ServiceEvent || e.EventName != "UnattributedCalls" || rec.Scope != "" {
				t.Errorf("%s", e.AppendJSON(nil))
			}
		}
		at := func(d time.Duration) string { return string(appendTime(nil, begin.Add(d))) }
		want := []string{
			`192.0.2.0/24 InvalidClientTokenId {"calls":251,"first":"` + at(0) + `","last":"` + at(59*time.Second) + `"}`,
			`198.51.100.0/24 MissingAuthenticationToken {"calls":250,"first":"` + at(0) + `","last":"` + at(0) + `"}`,
			`2001:db8:7::/48 InvalidClientTokenId {"calls":250,"first":"` + at(0) + `","last":"` + at(0) + `"}`,
			`192.0.2.0/24 InvalidClientTokenId {"calls":1,"first":"` + at(61*time.Second) + `","last":"` + at(61*time.Second) + `"}`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("recorded %q, want %q", got, want)
		}
	})
}

func TestAFloodOfSourcesIsBoundedAndLosesNoCall(t *testing.T) {
	r := newRack(t)
	u := &Unattributed{Engine: r, Now: func() time.Time { return noon }}
	const calls = 3 * unattributedSources
	count := func() {
		for i := range calls {
			u.Count(noon, addr(t, fmt.Sprintf("10.%d.%d.1", i/256, i%256)), "InvalidClientTokenId")
		}
	}
	count()
	r.stopAt = 1
	if err := u.Flush(t.Context()); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	r.stopAt = 0
	count()
	check(t, u.Flush(t.Context()))
	events, sum := 0, 0
	for rec, err := range r.trail().Read(t.Context(), nil, Filter{}, false) {
		check(t, err)
		var n int
		fmt.Sscanf(string(rec.Event.ServiceEventDetails), `{"calls":%d`, &n)
		events, sum = events+1, sum+n
	}
	if sum != 2*calls || events > unattributedSources+1 {
		t.Errorf("%d calls in %d events", sum, events)
	}
}
