package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/garrison-security/garrison/store"
)

var values = []test{
	{"reads see own writes", func(r *rig) {
		r.put("a", "1", "b", "2")
		r.update(func(tx store.Tx) error {
			if err := errors.Join(put(tx, "a", "3", "c", "4"), tx.Delete(key("b"))); err != nil {
				return err
			}
			for name, want := range map[string]string{"a": "3", "b": "", "c": "4"} {
				if got, err := get(tx, name); got != want || err != nil {
					r.Errorf("%s is %q, %v, want %q", name, got, err, want)
				}
			}
			r.wantIn(tx, "a", "3", "c", "4")
			return nil
		})
		r.want("a", "3", "c", "4")
	}},
	{"a failed update leaves no trace", func(r *rig) {
		r.put("a", "1")
		sentinel := errors.New("no")
		err := r.engine.Update(r.Context(), func(tx store.Tx) error {
			tx.Append(event("never"))
			return errors.Join(put(tx, "a", "2", "b", "2"), tx.Delete(key("a")), sentinel)
		})
		if !errors.Is(err, sentinel) {
			r.Errorf("Update = %v, want fn's own error", err)
		}
		r.want("a", "1")
		if got := r.events(r.own(), 0); len(got) > 0 {
			r.Errorf("events %q", got)
		}
	}},
	{"a panic leaves no trace, and lets others go on", func(r *rig) {
		func() {
			defer func() { recover() }()
			r.engine.Update(r.Context(), func(tx store.Tx) error {
				put(tx, "a", "1")
				panic("bug")
			})
		}()
		r.put("b", "2")
		r.want("b", "2")
	}},
	{"an empty value is a value", func(r *rig) {
		r.put("a", "")
		r.view(func(tx store.Tx) error {
			if _, err := tx.Get(key("a")); err != nil {
				r.Error(err)
			}
			return nil
		})
		r.want("a", "")
	}},
	{"names hold every byte and order as bytes, whatever the collation", func(r *rig) {
		var names []string
		for b := range 256 {
			c := string([]byte{byte(b)})
			names = append(names, c, c+"\x00", c+"\xff", c+"a", c+"A", "a"+c+"z")
		}
		names = append(names, "", "ä", "Ä", "aa", "aB", "a a", "%", "_", "\\", "'", "\u202e")
		r.update(func(tx store.Tx) error {
			for _, n := range names {
				if err := put(tx, n, "v"+n); err != nil {
					return err
				}
			}
			return nil
		})
		slices.Sort(names)
		var want []string
		for _, n := range slices.Compact(names) {
			want = append(want, n, "v"+n)
		}
		r.want(want...)
	}},
	{"a transaction changes 10,000 keys, all at once", func(r *rig) {
		r.update(func(tx store.Tx) error {
			for i := range 10_000 {
				if err := put(tx, fmt.Sprintf("%05d", i), "v"); err != nil {
					return err
				}
			}
			return tx.Append(event("many"))
		})
		r.update(func(tx store.Tx) error {
			pairs, err := list(tx, false)
			if len(pairs) != 20_000 {
				r.Errorf("%d keys, want 10,000", len(pairs)/2)
			}
			for i := 0; i < len(pairs); i += 2 {
				if err := tx.Delete(key(pairs[i])); err != nil {
					return err
				}
			}
			return err
		})
		r.want()
	}},
	{"values of 1 MiB and more", func(r *rig) {
		sizes := []int{1 << 20, 1<<20 + 1, 5 << 20, store.MaxValue}
		for i, n := range sizes {
			r.update(func(tx store.Tx) error { return tx.Put(key(fmt.Sprint(i)), sameBytes('v', n)) })
		}
		r.view(func(tx store.Tx) error {
			for i, n := range sizes {
				if got, err := tx.Get(key(fmt.Sprint(i))); err != nil || !bytes.Equal(got, sameBytes('v', n)) {
					r.Errorf("a value of %d bytes came back as %d, %v", n, len(got), err)
				}
			}
			return nil
		})
	}},
	{"what is too large is refused", func(r *rig) {
		for name, fn := range map[string]func(store.Tx) error{
			"a value": func(tx store.Tx) error { return tx.Put(key("a"), make([]byte, store.MaxValue+1)) },
			"a key":   func(tx store.Tx) error { return tx.Put(sameBytes('k', store.MaxKey+1), nil) },
			"a key that is read": func(tx store.Tx) error {
				_, err := tx.Get(sameBytes('k', store.MaxKey+1))
				return err
			},
			"too many bytes": func(tx store.Tx) error {
				for i := range store.MaxBytes/store.MaxValue + 1 {
					if err := tx.Put(key(fmt.Sprint(i)), make([]byte, store.MaxValue)); err != nil {
						return err
					}
				}
				return nil
			},
			"too many keys": func(tx store.Tx) error {
				for i := range store.MaxChanges + 1 {
					if err := put(tx, fmt.Sprint(i), ""); err != nil {
						return err
					}
				}
				return nil
			},
			"too many events": func(tx store.Tx) error {
				for range store.MaxChanges + 1 {
					if err := tx.Append(store.Event{}); err != nil {
						return err
					}
				}
				return nil
			},
		} {
			if err := r.engine.Update(r.Context(), fn); !errors.Is(err, store.ErrTooLarge) {
				r.Errorf("%s: %v, want ErrTooLarge", name, err)
			}
		}
		r.want()
	}},
	{"what is no key is refused, and a range does not meet the engine's own rows", func(r *rig) {
		r.update(func(tx store.Tx) error { return tx.Append(event("a row of the engine's own")) })
		r.put("a", "1")
		for _, k := range [][]byte{nil, {}, {0}, {0, 0}, {0, 0, 's', 1}} {
			r.update(func(tx store.Tx) error {
				_, err := tx.Get(k)
				for _, err := range []error{err, tx.Put(k, nil), tx.Delete(k)} {
					if !errors.Is(err, store.ErrKey) {
						r.Errorf("%q: %v, want ErrKey", k, err)
					}
				}
				for _, reverse := range []bool{false, true} {
					for p, err := range tx.Scan(k, nil, reverse) {
						if err != nil || !bytes.Equal(p.Key, key("a")) {
							r.Errorf("a range from %q holds %q, %v", k, p.Key, err)
						}
					}
				}
				return nil
			})
		}
		r.want("a", "1")
	}},
	{"slices are the caller's", func(r *rig) {
		k, v := key("a"), []byte("1")
		r.update(func(tx store.Tx) error {
			data := []byte("event")
			err := errors.Join(tx.Put(k, v), tx.Append(store.Event{Data: data}))
			k[len(k)-3], v[0], data[0] = 'x', 'x', 'x'
			k = key("a")
			got, _ := tx.Get(k)
			got[0] = 'y'
			v = []byte("1")
			return err
		})
		for range 2 {
			r.update(func(tx store.Tx) error {
				got, err := tx.Get(k)
				if string(got) != "1" {
					r.Errorf("the value is %q", got)
				}
				got[0] = 'z'
				from, to := store.Prefix(table, scope)
				for p := range tx.Scan(from, to, false) {
					p.Key[len(p.Key)-3], p.Value[0] = 'z', 'z'
				}
				return err
			})
		}
		r.want("a", "1")
		if got := r.events(r.own(), 0); got[0] != "event" {
			r.Errorf("the event is %q", got)
		}
	}},
	{"Discard forgets changes and events", func(r *rig) {
		r.put("a", "1")
		r.update(func(tx store.Tx) error {
			err := errors.Join(put(tx, "a", "2", "b", "2"), tx.Append(event("first")))
			tx.Discard()
			if got, err := get(tx, "a"); got != "1" {
				r.Errorf("a is %q, %v", got, err)
			}
			return errors.Join(err, put(tx, "c", "3"), tx.Append(event("second")))
		})
		r.want("a", "1", "c", "3")
		if got := r.events(r.own(), 0); !slices.Equal(got, []string{"second"}) {
			r.Errorf("events %q", got)
		}
	}},
	{"a View changes nothing", func(r *rig) {
		r.view(func(tx store.Tx) error {
			for _, err := range []error{put(tx, "a", "1"), tx.Delete(key("a")), tx.Append(event("e")), r.engine.ReplaceRow(tx, 1, 1, nil)} {
				if err == nil {
					r.Error("a View took a change")
				}
			}
			return nil
		})
		r.want()
	}},
	{"a transaction is dead when fn returns", func(r *rig) {
		r.put("a", "1")
		for _, do := range []func(func(store.Tx) error) error{
			func(fn func(store.Tx) error) error { return r.engine.View(r.Context(), fn) },
			func(fn func(store.Tx) error) error { return r.engine.Update(r.Context(), fn) },
		} {
			var kept store.Tx
			do(func(tx store.Tx) error { kept = tx; return nil })
			_, err := kept.Get(key("a"))
			_, loadErr := kept.Load(key("a"), func([]byte) (any, error) { return nil, nil })
			_, scanErr := list(kept, false)
			for _, err := range []error{err, loadErr, scanErr, put(kept, "b", "2"), kept.Delete(key("a")), kept.Append(event("e"))} {
				if err == nil {
					r.Error("a dead transaction works")
				}
			}
		}
		r.want("a", "1")
	}},
}

var ranges = []test{
	{"go both ways and stop at their bounds", func(r *rig) {
		r.put("a", "1", "b", "2", "c", "3", "d", "4")
		r.update(func(tx store.Tx) error {
			if err := errors.Join(put(tx, "bb", "5", "d", "6", "e", "7"), tx.Delete(key("c"))); err != nil {
				return err
			}
			for _, c := range []struct {
				from, to string
				want     string
			}{
				{"a", "z", "a1 b2 bb5 d6 e7"},
				{"b", "d", "b2 bb5"},
				{"bb", "bb", ""},
				{"d", "b", ""},
				{"e", "z", "e7"},
				{"c", "cz", ""},
			} {
				for _, reverse := range []bool{false, true} {
					var got []string
					for p, err := range tx.Scan(key(c.from), key(c.to), reverse) {
						if err != nil {
							return err
						}
						_, _, parts, _ := store.Parts(p.Key)
						got = append(got, parts[0]+string(p.Value))
					}
					if reverse {
						slices.Reverse(got)
					}
					if s := fmt.Sprint(got); s != "["+c.want+"]" {
						r.Errorf("[%s, %s), reverse %t: %s, want %s", c.from, c.to, reverse, s, c.want)
					}
				}
			}
			return nil
		})
	}},
	{"without an upper bound end with the store", func(r *rig) {
		r.put("a", "1")
		r.view(func(tx store.Tx) error {
			for _, to := range [][]byte{nil, {}} {
				for _, reverse := range []bool{false, true} {
					n := 0
					for range tx.Scan(nil, to, reverse) {
						n++
					}
					if n != 1 {
						r.Errorf("%d keys, want 1", n)
					}
				}
			}
			return nil
		})
	}},
	{"do not see what is changed while they run", func(r *rig) {
		r.put("a", "1", "b", "2", "c", "3")
		r.update(func(tx store.Tx) error {
			var seen []string
			from, to := store.Prefix(table, scope)
			for p, err := range tx.Scan(from, to, false) {
				if err != nil {
					return err
				}
				seen = append(seen, string(p.Value))
				if err := errors.Join(tx.Delete(p.Key), put(tx, "b", "9", "z"+string(p.Value), "9")); err != nil {
					return err
				}
			}
			if fmt.Sprint(seen) != "[1 2 3]" {
				r.Errorf("saw %v", seen)
			}
			return nil
		})
		r.want("b", "9", "z1", "9", "z2", "9", "z3", "9")
	}},
	{"can be left early and nested", func(r *rig) {
		r.put("a", "1", "b", "2", "c", "3")
		r.update(func(tx store.Tx) error {
			from, to := store.Prefix(table, scope)
			n := 0
			for range tx.Scan(from, to, false) {
				for range tx.Scan(from, to, true) {
					n++
					break
				}
				if n == 2 {
					break
				}
			}
			if n != 2 {
				r.Errorf("n = %d", n)
			}
			return nil
		})
	}},
}
