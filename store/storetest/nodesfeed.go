package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

var nodesFeed = []test{
	shared("each node has a stream, and lists the other's", func(a, b *rig) {
		one, two := a.own(), b.own()
		if one == two {
			a.Fatalf("both write stream %d", one)
		}
		a.update(func(tx store.Tx) error { return tx.Append(event("a")) })
		b.update(func(tx store.Tx) error { return tx.Append(event("b")) })
		for _, r := range []*rig{a, b} {
			if x, y := r.events(one, 0), r.events(two, 0); !slices.Equal(x, []string{"a"}) || !slices.Equal(y, []string{"b"}) {
				r.Errorf("streams hold %q and %q", x, y)
			}
		}
		r, err := a.engine.Streams(a.Context())
		if want := []store.Stream{{ID: two}, {ID: one}}; err != nil || !slices.Equal(r, want) {
			a.Errorf("Streams = %v, %v, want %v", r, err, want)
		}
		b.close()
		r, err = a.engine.Streams(a.Context())
		if want := []store.Stream{{ID: two, Closed: true}, {ID: one}}; err != nil || !slices.Equal(r, want) {
			a.Errorf("after its node has ended: Streams = %v, %v, want %v", r, err, want)
		}
	}),
	shared("one is woken by what the other adds, within a second", func(a, b *rig) {
		var mark uint64
		for i := range 3 {
			begun := make(chan time.Time, 1)
			together(func() {
				var err error
				if mark, err = b.engine.Wait(b.Context(), mark); err != nil {
					b.Error(err)
				}
				if late := time.Since(<-begun); late > time.Second {
					b.Errorf("woken after %v", late)
				}
				if got := b.events(a.own(), uint64(i)); len(got) != 1 {
					b.Errorf("woken for %q", got)
				}
			}, func() {
				time.Sleep(20 * time.Millisecond)
				a.update(func(tx store.Tx) error { return tx.Append(event("e")) })
				begun <- time.Now()
			})
		}
	}),
	shared("a row that both rewrite is rewritten once", func(a, b *rig) {
		own := a.own()
		a.update(func(tx store.Tx) error { return tx.Append(event("a")) })
		remove := func(on *rig) func(tx store.Tx, met func()) error {
			return func(tx store.Tx, met func()) error {
				err := on.engine.ReplaceRow(tx, own, 1, nil)
				met()
				return err
			}
		}
		x, y := a.raceWith(b, remove(a), remove(b))
		if (x == nil) == (y == nil) || !errors.Is(errors.Join(x, y), store.ErrNotFound) {
			a.Errorf("%v and %v", x, y)
		}
	}),
	// spicedb's two tests, over nodes: what is acknowledged is in the feed, each once, in its stream's
	// order, and a follower that has passed a position finds nothing before it later.
	shared("ConcurrentWriteRevisionVisibility and WatchObservesEveryReturnedRevision", func(a, b *rig) {
		const callers, each = 8, 20
		var writers sync.WaitGroup
		returned := make(chan string, 2*callers*each)
		for c := range 2 * callers {
			on := []*rig{a, b}[c%2]
			writers.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d-%d", c, i)
					on.update(func(tx store.Tx) error {
						n, err := number(tx, fmt.Sprint("n", i%4)) // some meet across nodes
						return errors.Join(err, setNumber(tx, fmt.Sprint("n", i%4), n+1), put(tx, id, "1"), tx.Append(event(id)))
					})
					returned <- id
				}
			})
		}
		total := 2 * callers * each
		follow := func(on *rig) func() {
			return func() {
				ctx, cancel := context.WithTimeout(on.Context(), time.Minute)
				defer cancel()
				seen, after := map[string]bool{}, map[uint64]uint64{}
				var mark uint64
				for len(seen) < total {
					for _, stream := range []uint64{a.own(), b.own()} {
						for _, id := range on.events(stream, after[stream]) {
							if after[stream]++; seen[id] {
								on.Errorf("%s was seen twice", id)
							}
							seen[id] = true
							var got string
							on.view(func(tx store.Tx) (err error) { got, err = get(tx, id); return err })
							if got != "1" {
								on.Errorf("the event of %s precedes its change", id)
							}
						}
					}
					var err error
					if len(seen) < total {
						if mark, err = on.engine.Wait(ctx, mark); err != nil {
							on.Errorf("seen %d of %d: %v", len(seen), total, err)
							return
						}
					}
				}
			}
		}
		together(follow(a), follow(b), func() {
			for n := range total {
				id := <-returned
				if n%20 == 0 && !slices.Contains(b.events(a.own(), 0), id) && !slices.Contains(a.events(b.own(), 0), id) {
					a.Errorf("%s was returned and is in no feed", id)
				}
			}
		}, writers.Wait)
	}),
}
