package cloudtrail

import (
	"fmt"
	"testing"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// BenchmarkLookup looks up 50 events of an account that has one in ten of
// 100,000, in groups of 50 as the committer makes them under load.
func BenchmarkLookup(b *testing.B) {
	p := newPlane(b)
	for n := 0; n < 100_000; n += 50 {
		var group []*trail.Event
		for i := range 50 {
			account, name := fmt.Sprintf("99990000%04d", i), "GetUser"
			if i%10 == 0 {
				account = home
			}
			if n%1000 == 0 {
				name = "CreateUser"
			}
			group = append(group, event(account, n/100+i/25, func(e *trail.Event) { e.EventName = name }))
		}
		p.add(group...)
	}
	p.caught()
	for _, c := range []struct {
		name string
		in   cloudtrail.LookupEventsInput
		want int
	}{
		{"newest", cloudtrail.LookupEventsInput{}, 50},
		{"rare", by(cloudtrail.LookupAttributeKeyEventName, "CreateUser"), 50},
		{"one", by(cloudtrail.LookupAttributeKeyEventId, *eventID(500)), 1},
		{"none", by(cloudtrail.LookupAttributeKeyUsername, "nobody"), 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			q, err := newQuery(&gateway.Call{Account: home, Region: "us-east-1", Time: noon}, &c.in)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				again := *q
				out := new(cloudtrail.LookupEventsOutput)
				if _, err := p.service.page(b.Context(), &again, out); err != nil || len(out.Events) < c.want {
					b.Fatal(len(out.Events), err)
				}
			}
		})
	}
}

// BenchmarkIndex indexes batches of 1,000 events; a figure is of one event.
func BenchmarkIndex(b *testing.B) {
	p := newPlane(b)
	var records []trail.Record
	for n := range 1000 {
		records = append(records, trail.Record{Position: trail.Position{Stream: 1, Number: uint64(n) + 1}, Scope: home, Event: event(home, n/500)})
	}
	b.ResetTimer()
	for n := 0; n < b.N; n += len(records) {
		some := records[:min(len(records), b.N-n)]
		if err := p.engine.Update(b.Context(), func(tx store.Tx) error { return p.service.index(tx, some) }); err != nil {
			b.Fatal(err)
		}
	}
}
