package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
)

var conflicts = []test{
	{"a transaction that met another is run again, and says so", func(r *rig) {
		var most atomic.Int32
		increment := func(tx store.Tx, met func()) error {
			n, err := number(tx, "n")
			met()
			most.Store(max(most.Load(), int32(tx.Attempt())))
			return errors.Join(err, setNumber(tx, "n", n+1))
		}
		if a, b := r.race(increment, increment); a != nil || b != nil {
			r.Fatal(a, b)
		}
		if most.Load() < 2 {
			r.Error("nobody was run again")
		}
		r.want("n", "2")
	}},
	{"blind writes do not conflict", func(r *rig) {
		write := func(tx store.Tx, met func()) error {
			met()
			if tx.Attempt() > 1 {
				r.Error("run again")
			}
			return put(tx, "a", "1")
		}
		if a, b := r.race(write, write); a != nil || b != nil {
			r.Fatal(a, b)
		}
	}},
	{"many callers count one number up", func(r *rig) {
		const callers, each = 32, 10
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range each {
					r.update(func(tx store.Tx) error {
						n, err := number(tx, "n")
						return errors.Join(err, setNumber(tx, "n", n+1), tx.Append(event(fmt.Sprint(n+1))))
					})
				}
			})
		}
		wg.Wait()
		r.want("n", fmt.Sprint(callers*each))
		for i, e := range r.events(r.own(), 0) {
			if e != fmt.Sprint(i+1) {
				r.Fatalf("event %d says %s", i+1, e)
			}
		}
	}},
	{"of a hundred that claim a name one gets it", func(r *rig) {
		taken := errors.New("taken")
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				err := r.engine.Update(r.Context(), func(tx store.Tx) error {
					owner, err := get(tx, "name")
					if owner != "" { // what it has changed by then is undone
						return errors.Join(taken, put(tx, fmt.Sprint("loser", i), ""), tx.Append(event("loser")))
					}
					return errors.Join(err, put(tx, "name", "taken"))
				})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, taken):
					r.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			r.Errorf("%d won", won.Load())
		}
		r.want("name", "taken")
		if got := r.events(r.own(), 0); len(got) > 0 {
			r.Errorf("events %q", got)
		}
	}},
	{"a slow transaction that meets others does not hold them up", func(r *rig) { r.slow() }},
	{"nor one that is quick at first and slow when it is run again", func(r *rig) { r.slowAgain() }},
	{"one that always meets another is refused in the end, and leaves no trace", func(r *rig) {
		r.put("n", "0")
		err := r.engine.Update(r.Context(), func(tx store.Tx) error {
			n, err := number(tx, "n")
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
			if err := r.engine.Update(r.Context(), func(tx store.Tx) error { return setNumber(tx, "n", n+1) }); err != nil {
				r.Error(err)
			}
			return put(tx, "trace", "1")
		})
		if !errors.Is(err, store.ErrConflict) {
			r.Errorf("Update = %v, want ErrConflict", err)
		}
		r.view(func(tx store.Tx) error {
			if got, _ := get(tx, "trace"); got != "" {
				r.Error("it left a trace")
			}
			return nil
		})
	}},
}

// slow runs a transaction that meets others at its first attempts, and does not
// end before others have committed something.
func (r *rig) slow() {
	r.put("n", "0")
	others := r.others("other")
	r.update(func(tx store.Tx) error {
		n, err := number(tx, "n")
		if tx.Attempt() < 4 {
			r.put("n", fmt.Sprint(n+1))
		}
		others.waitForMore()
		return errors.Join(err, put(tx, "slow", "done"))
	})
	others.stop()
	r.wantDone("slow")
}

// slowAgain runs transactions that end at once until one meets others, and then
// does not end before others have committed something.
func (r *rig) slowAgain() {
	r.put("n", "0")
	others, busy := r.others("other"), r.others("n")
	again := false
	for i := 0; i < 2000 && !again; i++ {
		r.update(func(tx store.Tx) error {
			_, err := number(tx, "n")
			if tx.Attempt() > 1 {
				again = true
				busy.halt.Store(true)
				others.waitForMore()
			} else if i%2 == 0 {
				time.Sleep(time.Microsecond)
			}
			return errors.Join(err, put(tx, "slow", "done"))
		})
	}
	busy.stop()
	others.stop()
	if !again {
		r.Error("no transaction met another")
	}
	r.wantDone("slow")
}

func (r *rig) wantDone(name string) {
	r.view(func(tx store.Tx) error {
		if got, err := get(tx, name); got != "done" {
			r.Errorf("the transaction did not take place: %v", err)
		}
		return nil
	})
}

// others writes one key again and again.
type others struct {
	*rig
	done atomic.Int64
	halt atomic.Bool
	wg   sync.WaitGroup
}

func (r *rig) others(name string) *others {
	o := &others{rig: r}
	o.wg.Go(func() {
		for !o.halt.Load() {
			r.put(name, "1")
			o.done.Add(1)
		}
	})
	return o
}

func (o *others) stop() {
	o.halt.Store(true)
	o.wg.Wait()
}

// waitForMore returns when three more transactions of the others were committed.
func (o *others) waitForMore() {
	enough := o.done.Load() + 3
	for deadline := time.Now().Add(10 * time.Second); o.done.Load() < enough; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			o.Error("others waited for a slow transaction")
			return
		}
	}
}
