package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
)

var feeds = []test{
	{"numbers begin at 1 and leave no gap", func(r *rig) {
		for i := range 5 {
			r.update(func(tx store.Tx) error {
				for j := range i {
					if err := tx.Append(event(fmt.Sprintf("%d.%d", i, j))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		want := []string{"1.0", "2.0", "2.1", "3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "4.3"}
		for after := range want {
			if got := r.events(r.own(), uint64(after)); !slices.Equal(got, want[after:]) {
				r.Errorf("after %d: %q", after, got)
			}
		}
		for _, after := range []uint64{10, 11, 1<<64 - 1} {
			if got := r.events(r.own(), after); len(got) > 0 {
				r.Errorf("after %d: %q", after, got)
			}
		}
	}},
	{"an unknown stream is empty", func(r *rig) {
		if got := r.events(r.own()+1000, 0); len(got) > 0 {
			r.Errorf("got %q", got)
		}
	}},
	{"events keep their account", func(r *rig) {
		r.update(func(tx store.Tx) error {
			return errors.Join(tx.Append(store.Event{Scope: "", Data: nil}), tx.Append(store.Event{Scope: "1", Data: []byte("x")}))
		})
		for row, err := range r.engine.Rows(r.Context(), r.own(), 0) {
			_, _, _, events, unpackErr := Unpack(row.Data)
			if err != nil || unpackErr != nil || len(events) != 2 || events[0].Scope != "" || events[1].Scope != "1" {
				r.Errorf("events %v, %v, %v", events, err, unpackErr)
			}
		}
	}},
	{"the chain goes from row to row", func(r *rig) {
		for i := range 20 {
			r.update(func(tx store.Tx) error { return tx.Append(event(fmt.Sprint(i))) })
		}
		var head []byte
		for row, err := range r.engine.Rows(r.Context(), r.own(), 0) {
			if err != nil {
				r.Fatal(err)
			}
			_, _, want, events, _ := Unpack(row.Data)
			for _, e := range events {
				head = link(head, e)
			}
			if string(head) != string(want) {
				r.Fatalf("row %d-%d was packed with another head", row.First, row.Last)
			}
		}
	}},
	// spicedb's ConcurrentWriteRevisionVisibility: one that began earlier and commits later is not skipped.
	{"ConcurrentWriteRevisionVisibility", func(r *rig) {
		own := r.own()
		for i := range 10 {
			begun, go_on := make(chan bool), make(chan bool)
			var mark uint64
			var before []string
			together(func() {
				r.update(func(tx store.Tx) error {
					err := errors.Join(put(tx, fmt.Sprint("early", i), ""), tx.Append(event(fmt.Sprint("early", i))))
					if tx.Attempt() == 1 {
						close(begun)
						<-go_on
					}
					return err
				})
			}, func() {
				<-begun
				r.update(func(tx store.Tx) error {
					return errors.Join(put(tx, fmt.Sprint("late", i), ""), tx.Append(event(fmt.Sprint("late", i))))
				})
				before = r.events(own, 0)
				mark = uint64(len(before))
				close(go_on)
			})
			if got := r.events(own, mark); !slices.Equal(got, []string{fmt.Sprint("early", i)}) || before[mark-1] != fmt.Sprint("late", i) {
				r.Fatalf("first %q, then %q", before, got)
			}
		}
	}},
	// spicedb's WatchObservesEveryReturnedRevision, while many write.
	{"WatchObservesEveryReturnedRevision", func(r *rig) {
		const callers, each = 16, 20
		own := r.own()
		returned := make(chan string, callers*each)
		var writers sync.WaitGroup
		for c := range callers {
			writers.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d-%d", c, i)
					r.update(func(tx store.Tx) error {
						return errors.Join(put(tx, id, "1"), tx.Append(event(id)))
					})
					returned <- id
				}
			})
		}
		together(func() { // a follower with a cursor sees each once, in order, and then finds its change
			var after, mark uint64
			seen := map[string]bool{}
			for len(seen) < callers*each {
				var err error
				if mark, err = r.engine.Wait(r.Context(), mark); err != nil {
					r.Error(err)
					return
				}
				for _, id := range r.events(own, after) {
					if after++; seen[id] {
						r.Errorf("%s was seen twice", id)
					}
					seen[id] = true
					r.view(func(tx store.Tx) error {
						if got, err := get(tx, id); got != "1" {
							r.Errorf("the event of %s precedes its change: %v", id, err)
						}
						return nil
					})
				}
			}
		}, func() { // whatever was returned is in the feed already
			for n := 0; n < callers*each; n++ {
				id := <-returned
				if n%10 == 0 && !slices.Contains(r.events(own, 0), id) {
					r.Errorf("%s was returned and is not in the feed", id)
				}
			}
		}, writers.Wait)
	}},
	{"events alone stand where what they read was true", func(r *rig) {
		var stop atomic.Bool
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for !stop.Load() {
					r.update(func(tx store.Tx) error {
						n, err := number(tx, "n")
						return errors.Join(err, tx.Append(event(fmt.Sprint("saw ", n))))
					})
				}
			})
		}
		for i := 1; i <= 40; i++ {
			r.update(func(tx store.Tx) error {
				return errors.Join(setNumber(tx, "n", i), tx.Append(event(fmt.Sprint("made ", i))))
			})
		}
		stop.Store(true)
		readers.Wait()
		now := 0
		for _, e := range r.events(r.own(), 0) {
			var n int
			if _, err := fmt.Sscanf(e, "made %d", &n); err == nil {
				now = n
			} else if e != fmt.Sprint("saw ", now) {
				r.Fatalf("%q stands where n is %d", e, now)
			}
		}
	}},
	{"Wait tells of every row once it is there", func(r *rig) {
		own := r.own()
		var mark uint64
		for i := range 20 {
			together(func() {
				var err error
				if mark, err = r.engine.Wait(r.Context(), mark); err != nil {
					r.Error(err)
				}
				if got := r.events(own, uint64(i)); len(got) != 1 {
					r.Errorf("woken for %q", got)
				}
			}, func() {
				if i%2 == 0 {
					time.Sleep(time.Millisecond)
				}
				r.update(func(tx store.Tx) error { return tx.Append(event("e")) })
			})
		}
	}},
	{"events that can't be packed fail their own transaction alone", func(r *rig) {
		r.openWith(func(o *store.Options) { o.Journal = picky{} })
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				name := fmt.Sprintf("%02d", i)
				data := "fine"
				if i%10 == 0 {
					data = "bad"
				}
				err := r.engine.Update(r.Context(), func(tx store.Tx) error {
					n, err := number(tx, "n")
					return errors.Join(err, setNumber(tx, "n", n+1), put(tx, name, ""), tx.Append(event(data)))
				})
				if (err != nil) != (i%10 == 0) || err != nil && !errors.Is(err, errPicky) {
					r.Errorf("%s: %v", data, err)
				}
			})
		}
		wg.Wait()
		r.view(func(tx store.Tx) error {
			pairs, err := list(tx, false)
			if n, _ := number(tx, "n"); n != 36 || len(pairs) != 2*37 {
				r.Errorf("n = %d, %d keys", n, len(pairs)/2)
			}
			return err
		})
		if got := r.events(r.own(), 0); len(got) != 36 {
			r.Errorf("%d events", len(got))
		}
	}},
}

var errPicky = errors.New("a bad event")

// picky is a Journal that refuses some events.
type picky struct{ Journal }

func (p picky) Pack(stream, first uint64, head []byte, events []store.Event) (row, newHead []byte, err error) {
	for _, e := range events {
		if string(e.Data) == "bad" {
			return nil, nil, errPicky
		}
	}
	return p.Journal.Pack(stream, first, head, events)
}
