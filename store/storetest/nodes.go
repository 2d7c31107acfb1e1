package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/garrison-security/garrison/store"
)

// shared is a case for engines that several processes may have open.
func shared(name string, run func(a, b *rig)) test {
	return test{name, func(r *rig) {
		if r.medium.Shared {
			run(r, r.node())
		}
	}}
}

var nodes = []test{
	shared("what one has acknowledged is seen by all that begins afterwards on the other", func(a, b *rig) { seenAtOnce(a, b) }),
	shared("a permission that one has taken away is refused by the other", func(a, b *rig) {
		const callers, each = 16, 60
		denied := errors.New("denied")
		decode := func(v []byte) (any, error) { return string(v), nil }
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				policy, record := fmt.Sprint("policy", c), fmt.Sprint("calls", c)
				call := func(on *rig) error {
					return on.engine.Update(on.Context(), func(tx store.Tx) error {
						allowed, err := tx.Load(key(policy), decode)
						if err == nil && allowed != "allow" {
							err = denied
						}
						return errors.Join(err, put(tx, record, "1"), tx.Append(event(record)))
					})
				}
				for i := range each {
					on, other := a, b
					if i%2 == 1 {
						on, other = b, a
					}
					on.put(policy, "allow")
					if err := call(other); err != nil {
						other.Errorf("what was allowed: %v", err)
					}
					on.put(policy, "deny")
					if err := call(other); !errors.Is(err, denied) {
						other.Errorf("what was denied: %v", err)
					}
				}
			})
		}
		wg.Wait()
	}),
	shared("no update is lost between them", func(a, b *rig) {
		const callers, each = 8, 10
		var wg sync.WaitGroup
		for c := range 2 * callers {
			on := []*rig{a, b}[c%2]
			wg.Go(func() {
				for range each {
					on.update(func(tx store.Tx) error {
						n, err := number(tx, "n")
						return errors.Join(err, setNumber(tx, "n", n+1))
					})
				}
			})
		}
		wg.Wait()
		a.want("n", fmt.Sprint(2*callers*each))
		b.want("n", fmt.Sprint(2*callers*each))
	}),
	shared("no write skew between them: of two on duty one stays", func(a, b *rig) {
		leave := func(own, other string) func(store.Tx, func()) error {
			return func(tx store.Tx, met func()) error {
				mine, err := get(tx, own)
				theirs, err2 := get(tx, other)
				met()
				if mine == "on" && theirs == "on" {
					return errors.Join(err, err2, put(tx, own, "off"))
				}
				return errors.Join(err, err2)
			}
		}
		for range 50 {
			a.put("x", "on", "y", "on")
			if err := errors.Join(a.raceWith(b, leave("x", "y"), leave("y", "x"))); err != nil {
				a.Fatal(err)
			}
			var x, y string
			b.view(func(tx store.Tx) error {
				x, _ = get(tx, "x")
				y, _ = get(tx, "y")
				return nil
			})
			if x == "off" && y == "off" {
				a.Error("both left")
			}
		}
	}),
	shared("no phantom between them: of two who find a range empty one inserts", func(a, b *rig) {
		insert := func(name string, reverse bool) func(store.Tx, func()) error {
			return func(tx store.Tx, met func()) error {
				pairs, err := list(tx, reverse)
				met()
				if len(pairs) > 0 || err != nil {
					return err
				}
				return put(tx, name, "")
			}
		}
		for i := range 30 {
			if err := errors.Join(a.raceWith(b, insert("a", false), insert("b", i%2 == 0))); err != nil {
				a.Fatal(err)
			}
			var pairs []string
			b.update(func(tx store.Tx) (err error) {
				pairs, err = list(tx, false)
				return errors.Join(err, tx.Delete(key("a")), tx.Delete(key("b")))
			})
			if len(pairs) != 2 {
				a.Errorf("the range holds %q", pairs)
			}
		}
	}),
	shared("of a hundred that claim a name on both one gets it", func(a, b *rig) {
		taken := errors.New("taken")
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 100 {
			on := []*rig{a, b}[i%2]
			wg.Go(func() {
				err := on.engine.Update(on.Context(), func(tx store.Tx) error {
					if owner, err := get(tx, "name"); owner != "" || err != nil {
						return errors.Join(taken, err)
					}
					return put(tx, "name", fmt.Sprint(i))
				})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, taken):
					on.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			a.Errorf("%d won", won.Load())
		}
	}),
	shared("what one finds missing the other may make, and the reverse", func(a, b *rig) {
		for i := range 40 {
			name := fmt.Sprint(i)
			for _, want := range []string{"", "1", "", "2"} {
				if want == "" {
					a.update(func(tx store.Tx) error { return tx.Delete(key(name)) })
				} else {
					a.put(name, want)
				}
				var got string
				b.view(func(tx store.Tx) (err error) { got, err = get(tx, name); return err })
				if got != want {
					b.Fatalf("found %q, want %q", got, want)
				}
			}
		}
	}),
	shared("neither sees half of what the other changes", func(a, b *rig) {
		unequal := errors.New("a and b differ")
		a.put("a", "0", "b", "0")
		var stop atomic.Bool
		look := func(tx store.Tx) error {
			one, err := get(tx, "a")
			two, err2 := get(tx, "b")
			pairs, err3 := list(tx, false)
			if err == nil && err2 == nil && err3 == nil && (one != two || pairs[1] != one || pairs[3] != one) {
				return unequal
			}
			return errors.Join(err, err2, err3)
		}
		together(func() {
			for i := range 200 {
				a.put("a", fmt.Sprint(i), "b", fmt.Sprint(i))
			}
			stop.Store(true)
		}, func() {
			for !stop.Load() {
				b.view(look)
			}
		}, func() {
			for !stop.Load() {
				b.update(look)
			}
		})
	}),
}

// seenAtOnce writes on one node and reads on the other, by every way to read.
func seenAtOnce(a, b *rig) {
	const callers = 16
	each := 100
	if testing.Short() {
		each = 10
	}
	decode := func(v []byte) (any, error) { return strconv.Atoi(string(v)) }
	ways := []func(tx store.Tx, name string) (int, error){
		number,
		func(tx store.Tx, name string) (int, error) {
			v, err := tx.Load(key(name), decode)
			if err != nil {
				return 0, err
			}
			return v.(int), nil
		},
		func(tx store.Tx, name string) (n int, err error) {
			for p, err := range tx.Scan(key(name), append(key(name), 0), false) {
				if err != nil {
					return 0, err
				}
				if n, err = strconv.Atoi(string(p.Value)); err != nil {
					return 0, err
				}
			}
			return n, nil
		},
	}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			name := fmt.Sprint("n", c)
			for i := range each {
				on, other := a, b
				if i%2 == 1 {
					on, other = b, a
				}
				on.update(func(tx store.Tx) error { return setNumber(tx, name, i) })
				var got int
				read := func(tx store.Tx) (err error) {
					got, err = ways[i%len(ways)](tx, name)
					return err
				}
				if i%4 < 2 {
					other.view(read)
				} else {
					other.update(read)
				}
				if got != i {
					other.Errorf("read %d where %d was acknowledged", got, i)
				}
			}
		})
	}
	wg.Wait()
}

// raceWith is race with b on another node.
func (r *rig) raceWith(other *rig, a, b func(tx store.Tx, met func()) error) (errA, errB error) {
	m := newMeeting(2)
	run := func(on *rig, fn func(store.Tx, func()) error) error {
		return on.engine.Update(on.Context(), func(tx store.Tx) error {
			return fn(tx, func() {
				if tx.Attempt() == 1 {
					m.arrive()
				}
			})
		})
	}
	together(func() { errA = run(r, a) }, func() { errB = run(other, b) })
	return errA, errB
}
