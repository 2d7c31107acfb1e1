package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/garrison-security/garrison/store"
)

// number is a key's value as a number, 0 if there is none.
func number(tx store.Tx, name string) (int, error) {
	s, err := get(tx, name)
	if s == "" || err != nil {
		return 0, err
	}
	return strconv.Atoi(s)
}

func setNumber(tx store.Tx, name string, n int) error { return put(tx, name, strconv.Itoa(n)) }

// race runs a and b at once, each having read before either writes at the first attempt.
func (r *rig) race(a, b func(tx store.Tx, met func()) error) (errA, errB error) {
	m := newMeeting(2)
	run := func(fn func(store.Tx, func()) error) error {
		return r.engine.Update(r.Context(), func(tx store.Tx) error {
			return fn(tx, func() {
				if tx.Attempt() == 1 {
					m.arrive()
				}
			})
		})
	}
	together(func() { errA = run(a) }, func() { errB = run(b) })
	return errA, errB
}

var isolation = []test{
	{"no update is lost", func(r *rig) {
		increment := func(tx store.Tx, met func()) error {
			n, err := number(tx, "n")
			met()
			return errors.Join(err, setNumber(tx, "n", n+1))
		}
		for range 20 {
			a, b := r.race(increment, increment)
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
		}
		r.want("n", "40")
	}},
	{"no write skew: of two on duty one stays", func(r *rig) {
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
			r.put("x", "on", "y", "on")
			a, b := r.race(leave("x", "y"), leave("y", "x"))
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
			r.view(func(tx store.Tx) error {
				x, _ := get(tx, "x")
				y, _ := get(tx, "y")
				if x == "off" && y == "off" {
					r.Error("both left")
				}
				return nil
			})
		}
	}},
	{"no phantom: of two who find a range empty one inserts", func(r *rig) {
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
		for i := range 50 {
			a, b := r.race(insert("a", false), insert("b", i%2 == 0))
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
			r.update(func(tx store.Tx) error {
				pairs, err := list(tx, false)
				if len(pairs) != 2 {
					r.Errorf("the range holds %q", pairs)
				}
				return errors.Join(err, tx.Delete(key("a")), tx.Delete(key("b")))
			})
		}
	}},
	{"no phantom deletion: of two who find the last pair and another one deletes", func(r *rig) {
		take := func(name string) func(store.Tx, func()) error {
			return func(tx store.Tx, met func()) error {
				pairs, err := list(tx, false)
				met()
				if len(pairs) < 4 || err != nil {
					return err
				}
				return tx.Delete(key(name))
			}
		}
		for range 30 {
			r.put("a", "", "b", "")
			a, b := r.race(take("a"), take("b"))
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
			r.view(func(tx store.Tx) error {
				if pairs, _ := list(tx, false); len(pairs) != 2 {
					r.Errorf("the range holds %q", pairs)
				}
				return nil
			})
		}
	}},
	{"a value changed within a range that was read is met, though the range has as many pairs as before", func(r *rig) {
		add := func(tx store.Tx, met func()) error {
			pairs, err := list(tx, false)
			if err != nil {
				return err
			}
			met()
			n, err := strconv.Atoi(pairs[1])
			return errors.Join(err, setNumber(tx, "n", n+1))
		}
		r.put("n", "0", "o", "0")
		for range 20 {
			a, b := r.race(add, add)
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
		}
		r.want("n", "40", "o", "0")
	}},
	{"of two who take the first of a range, or the last, each gets another", func(r *rig) {
		for i := range 30 {
			r.put("a", "", "b", "", "c", "", "d", "")
			var got [2]string
			take := func(n int) func(store.Tx, func()) error {
				return func(tx store.Tx, met func()) error {
					from, to := store.Prefix(table, scope)
					got[n] = ""
					for p, err := range tx.Scan(from, to, i%2 == 0) {
						if err != nil {
							return err
						}
						got[n] = string(p.Key)
						break
					}
					met()
					return tx.Delete([]byte(got[n]))
				}
			}
			a, b := r.race(take(0), take(1))
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
			if got[0] == got[1] {
				r.Errorf("both took %q", got[0])
			}
		}
	}},
	{"a phantom among ten thousand changes is met", func(r *rig) {
		for i := range 3 {
			inserted := false
			r.update(func(tx store.Tx) error {
				from, to := store.Prefix(table, scope, "a-rare", fmt.Sprint(i))
				found := false
				for _, err := range tx.Scan(from, to, false) {
					if err != nil {
						return err
					}
					found = true
				}
				if !inserted {
					inserted = true
					r.update(func(tx store.Tx) error {
						err := tx.Put(store.Key(table, scope, "a-rare", fmt.Sprint(i), "x"), nil)
						for j := range 9_990 {
							err = errors.Join(err, put(tx, fmt.Sprint("many", j), ""))
						}
						return err
					})
				}
				if !found && tx.Attempt() > 1 {
					r.Error("run again, and blind to what it met")
				}
				return put(tx, fmt.Sprint("found", i), fmt.Sprint(found))
			})
			r.view(func(tx store.Tx) error {
				if got, err := get(tx, fmt.Sprint("found", i)); got != "true" {
					r.Errorf("found is %q, %v", got, err)
				}
				return nil
			})
		}
	}},
	{"what was found missing stays missing until commit", func(r *rig) {
		claim := func(tx store.Tx, met func()) error {
			owner, err := get(tx, "name")
			met()
			if owner != "" || err != nil {
				return err
			}
			n, err := number(tx, "owners")
			return errors.Join(err, put(tx, "name", "taken"), setNumber(tx, "owners", n+1))
		}
		for range 20 {
			a, b := r.race(claim, claim)
			if err := errors.Join(a, b); err != nil {
				r.Fatal(err)
			}
			r.want("name", "taken", "owners", "1")
			r.update(func(tx store.Tx) error { return errors.Join(tx.Delete(key("name")), tx.Delete(key("owners"))) })
		}
	}},
	{"nobody sees two moments, nor does an attempt that is given up where one process has the engine", func(r *rig) {
		const pairs = 4
		r.update(func(tx store.Tx) error {
			for i := range 2 * pairs {
				if err := setNumber(tx, fmt.Sprint(i), 100); err != nil {
					return err
				}
			}
			return nil
		})
		var stop atomic.Bool
		var torn atomic.Int32
		sum := func(tx store.Tx, scan bool, into *int) error {
			total, single := 0, 2*pairs
			if scan {
				single = pairs // the rest by a range
			}
			for i := range single {
				n, err := number(tx, fmt.Sprint(i))
				if err != nil {
					return err
				}
				total += n
			}
			for p, err := range tx.Scan(key(fmt.Sprint(single)), nil, total%2 == 0) {
				if err != nil {
					return err
				}
				n, _ := strconv.Atoi(string(p.Value))
				total += n
			}
			if *into = total; total != 2*pairs*100 && !r.medium.Shared {
				torn.Add(1)
			}
			return nil
		}
		var writers, readers sync.WaitGroup
		for w := range 2 {
			writers.Go(func() {
				for i := range 80 {
					from, to := (i*7+w)%(2*pairs), (i*5+3*w+1)%(2*pairs)
					r.update(func(tx store.Tx) error {
						a, err := number(tx, fmt.Sprint(from))
						if err == nil {
							err = setNumber(tx, fmt.Sprint(from), a-i)
						}
						b, err2 := number(tx, fmt.Sprint(to))
						return errors.Join(err, err2, setNumber(tx, fmt.Sprint(to), b+i))
					})
				}
			})
		}
		for i := range 4 {
			readers.Go(func() {
				for !stop.Load() {
					var total int
					fn := func(tx store.Tx) error { return sum(tx, i%2 == 0, &total) }
					if i < 2 {
						r.view(fn)
					} else {
						r.update(fn)
					}
					if total != 2*pairs*100 {
						torn.Add(1)
					}
				}
			})
		}
		writers.Wait()
		stop.Store(true)
		readers.Wait()
		if n := torn.Load(); n > 0 {
			r.Errorf("%d sums were of two moments", n)
		}
	}},
	{"what was acknowledged is seen by all that begins after", func(r *rig) {
		for i := range 50 {
			r.put("a", fmt.Sprint(i))
			r.view(func(tx store.Tx) error {
				if got, err := get(tx, "a"); got != fmt.Sprint(i) || err != nil {
					r.Errorf("a is %q, %v, want %d", got, err, i)
				}
				return nil
			})
		}
	}},
	{"a refusal is judged by the state it was recorded in", func(r *rig) {
		// fn's own error is returned only if what led to it was true at one moment.
		r.put("a", "0", "b", "0")
		var stop atomic.Bool
		unequal := errors.New("a and b differ")
		together(func() {
			for i := range 200 {
				r.put("a", fmt.Sprint(i), "b", fmt.Sprint(i))
			}
			stop.Store(true)
		}, func() {
			for !stop.Load() {
				if err := r.engine.Update(r.Context(), func(tx store.Tx) error {
					a, err := get(tx, "a")
					b, err2 := get(tx, "b")
					if err == nil && err2 == nil && a != b {
						return unequal
					}
					return errors.Join(err, err2)
				}); err != nil {
					r.Error(err)
				}
			}
		})
	}},
	{"a kept value is never stale", func(r *rig) {
		decode := func(v []byte) (any, error) { return strconv.Atoi(string(v)) }
		r.put("n", "0", "m", "0")
		var acknowledged atomic.Int64
		var stop atomic.Bool
		together(func() {
			for i := 1; i <= 200; i++ {
				r.put("n", fmt.Sprint(i), "m", fmt.Sprint(i))
				acknowledged.Store(int64(i))
			}
			stop.Store(true)
		}, func() {
			for !stop.Load() {
				least := acknowledged.Load()
				var n, m any
				read := func(tx store.Tx) (err error) {
					if n, err = tx.Load(key("n"), decode); err != nil {
						return err
					}
					m, err = tx.Load(key("m"), decode)
					return err
				}
				r.view(read)
				if n != m || int64(n.(int)) < least {
					r.Errorf("loaded %v and %v, %d was acknowledged before", n, m, least)
				}
				r.update(read)
				if n != m || int64(n.(int)) < least {
					r.Errorf("loaded %v and %v, %d was acknowledged before", n, m, least)
				}
			}
		})
	}},
	{"Load sees own writes, keeps no failure and forgets what is deleted", func(r *rig) {
		decode := func(v []byte) (any, error) { return string(v), nil }
		load := func(tx store.Tx, want any, wantErr error) {
			r.Helper()
			if got, err := tx.Load(key("a"), decode); got != want || !errors.Is(err, wantErr) {
				r.Errorf("Load = %v, %v, want %v, %v", got, err, want, wantErr)
			}
		}
		bad := errors.New("bad")
		r.put("a", "1")
		r.update(func(tx store.Tx) error {
			if _, err := tx.Load(key("a"), func([]byte) (any, error) { return nil, bad }); !errors.Is(err, bad) {
				r.Errorf("a failed decode answers %v", err)
			}
			load(tx, "1", nil)
			load(tx, "1", nil)
			err := put(tx, "a", "2")
			load(tx, "2", nil)
			tx.Discard()
			load(tx, "1", nil)
			err = errors.Join(err, tx.Delete(key("a")))
			load(tx, nil, store.ErrNotFound)
			return err
		})
		r.update(func(tx store.Tx) error {
			load(tx, nil, store.ErrNotFound)
			return put(tx, "a", "3")
		})
		r.view(func(tx store.Tx) error { load(tx, "3", nil); return nil })
	}},
}
