package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

type user struct{ Name, ID string }

type count struct{ N int }

var (
	usersByName = &store.Index[user]{Name: "name", Unique: true, Of: func(u *user, add func(...string)) { add(u.Name) }}
	users       = store.NewTable("test/user", usersByName)
	counts      = store.NewTable[count]("test/count")
)

// TestRoundTripsOfACall counts, on the wire, what calls cost that IAM's are like.
func TestRoundTripsOfACall(t *testing.T) {
	t.Parallel()
	const account = "111122223333"
	w := new(wire)
	e := open(t, pgtest.URL(t), postgres.Tuning{Heartbeat: time.Hour, Dial: w.dial})
	create := func(name string) func(store.Tx) error {
		return func(tx store.Tx) error {
			if _, err := users.Get(tx, account, "caller"); err != nil {
				return err
			}
			if err := users.Insert(tx, account, &user{Name: name, ID: name + "'s"}, name+"'s"); err != nil {
				return err
			}
			return counts.Update(tx, account, func(c *count) error { c.N++; return tx.Append(store.Event{Scope: account}) }, "users")
		}
	}
	update := func(fn func(store.Tx) error) {
		t.Helper()
		if err := e.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx store.Tx) error {
		for i := range 300 {
			name := fmt.Sprintf("u%03d", i)
			if err := users.Insert(tx, account, &user{Name: name, ID: name}, name); err != nil {
				return err
			}
		}
		if err := counts.Put(tx, account, &count{}, "users"); err != nil {
			return err
		}
		return users.Insert(tx, account, &user{Name: "caller", ID: "caller"}, "caller")
	})
	update(create("warm")) // every connection is there, and every statement prepared
	for _, c := range []struct {
		name  string
		trips int64
		call  func(n int) error
	}{
		{"a read with its record", 1, func(int) error {
			return e.Update(t.Context(), func(tx store.Tx) error {
				if _, err := users.Get(tx, account, "caller"); err != nil {
					return err
				}
				if _, err := users.Find(tx, usersByName, account, "warm"); err != nil {
					return err
				}
				return tx.Append(store.Event{Scope: account})
			})
		}},
		{"a view of what is cached", 1, func(int) error {
			return e.View(t.Context(), func(tx store.Tx) error { _, err := users.Get(tx, account, "caller"); return err })
		}},
		{"a user's creation", 2, func(n int) error { return e.Update(t.Context(), create(fmt.Sprint("bob", n))) }},
		{"a creation that is refused", 1, func(n int) error {
			err := e.Update(t.Context(), create(fmt.Sprint("bob", n)))
			if err == nil {
				t.Error("bob was made twice")
			}
			return nil
		}},
		{"a deletion of what is cached", 1, func(n int) error {
			return e.Update(t.Context(), func(tx store.Tx) error { return users.Delete(tx, account, fmt.Sprint("bob", n, "'s")) })
		}},
		{"a listing of a hundred that are cached", 4, func(int) error {
			return e.View(t.Context(), func(tx store.Tx) error {
				n := 0
				for _, err := range users.ListBy(tx, usersByName, account, nil) {
					if err != nil {
						return err
					}
					if n++; n == 100 {
						break
					}
				}
				return nil
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			least := int64(1 << 60) // connections are made and statements prepared at the first calls
			for n := range 5 {
				before := w.trips.Load()
				if err := c.call(n); err != nil {
					t.Fatal(err)
				}
				least = min(least, w.trips.Load()-before)
			}
			if least != c.trips {
				t.Errorf("%d round trips, want %d", least, c.trips)
			}
		})
	}
}

// TestAListingReadsItsRecordsTogether lists what no cache holds.
func TestAListingReadsItsRecordsTogether(t *testing.T) {
	t.Parallel()
	const account = "111122223333"
	url := pgtest.URL(t)
	o := storetest.Options()
	e := openWith(t, url, o, quiet)
	if err := e.Update(t.Context(), func(tx store.Tx) error {
		for i := range 1000 {
			name := fmt.Sprintf("u%03d", i)
			if err := users.Insert(tx, account, &user{Name: name, ID: name}, name); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w := new(wire)
	other := openWith(t, url, o, postgres.Tuning{Heartbeat: time.Hour, Dial: w.dial})
	before := w.trips.Load()
	n := 0
	if err := other.View(t.Context(), func(tx store.Tx) error {
		n = 0
		for entry, err := range users.ListBy(tx, usersByName, account, nil) {
			if err != nil {
				return err
			}
			if want := fmt.Sprintf("u%03d", n); entry.Value.Name != want {
				return fmt.Errorf("%s where %s comes next", entry.Value.Name, want)
			}
			n++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if trips := w.trips.Load() - before; n != 1000 || trips > 40 {
		t.Errorf("%d records in %d round trips", n, trips)
	}
}
