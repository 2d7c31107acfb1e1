package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

// copying is the cases of an engine whose store can be copied.
func copying(run func(r *rig, of store.Archived)) func(*rig) {
	return func(r *rig) {
		if r.medium.Restore == nil {
			return
		}
		of, ok := r.engine.(store.Archived)
		if !ok {
			r.Fatal("the engine can be restored to and not copied")
		}
		run(r, of)
	}
}

func (r *rig) snapshot(of store.Archived) store.Snapshot {
	r.Helper()
	s, err := of.Snapshot(r.Context())
	if err != nil {
		r.Fatal("Snapshot: ", err)
	}
	return s
}

// elsewhere is the rig on another medium, not opened yet.
func (r *rig) elsewhere() *rig {
	return &rig{T: r.T, medium: r.other(r.T), options: r.options, other: r.other}
}

// copyTo copies a snapshot, up to finishing.
func (r *rig) copyTo(to store.Restoration, s store.Snapshot) (last uint64) {
	r.Helper()
	for pair, err := range s.Sealed(r.Context(), nil, nil) {
		if err == nil {
			err = to.Put(r.Context(), pair.Key, pair.Value)
		}
		if err != nil {
			r.Fatal(err)
		}
	}
	ids, last, err := s.Streams(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	for _, id := range ids {
		for row, err := range s.Rows(r.Context(), id) {
			if err == nil {
				err = to.AddRow(r.Context(), id, row)
			}
			if err != nil {
				r.Fatal(err)
			}
		}
	}
	return last
}

func (r *rig) restoration() store.Restoration {
	r.Helper()
	to, err := r.medium.Restore(r.options)
	if err != nil {
		r.Fatal("Restore: ", err)
	}
	return to
}

// fill writes keys and events in several streams' lives.
func (r *rig) fill() {
	r.Helper()
	for life := range 2 {
		for i := range 5 {
			r.update(func(tx store.Tx) error {
				return errors.Join(put(tx, fmt.Sprintf("%d-%d", life, i), strings.Repeat("v", 1+i*30_000)), tx.Append(event(fmt.Sprint(life, i))))
			})
		}
		r.reopen()
	}
	r.update(func(tx store.Tx) error { return tx.Delete(key("0-0")) })
}

var copies = []test{
	{"what is restored is what was there", copying(func(r *rig, _ store.Archived) {
		r.fill()
		of := r.engine.(store.Archived)
		s := r.snapshot(of)
		other := r.elsewhere()
		to := other.restoration()
		last := r.copyTo(to, s)
		s.Close()
		if err := to.Finish(r.Context(), last); err != nil {
			r.Fatal(err)
		}
		to.Abort()
		other.open()
		defer other.engine.Close()
		var want, got []string
		r.view(func(tx store.Tx) (err error) { want, err = list(tx, false); return err })
		other.view(func(tx store.Tx) (err error) { got, err = list(tx, false); return err })
		if !slices.Equal(got, want) || len(want) != 2*9 {
			r.Errorf("%d values are restored of %d", len(got)/2, len(want)/2)
		}
		before, err := r.engine.Streams(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		after, err := other.engine.Streams(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		if own := other.own(); own <= before[len(before)-1].ID {
			r.Errorf("the restored store's new stream is %d, and %d was given before", own, before[len(before)-1].ID)
		}
		for i, s := range before[:len(before)-1] {
			if i >= len(after) || after[i] != s || !slices.Equal(r.events(s.ID, 0), other.events(s.ID, 0)) {
				r.Errorf("stream %d is not as it was: %v, restored %v", s.ID, before, after)
			}
		}
		other.update(func(tx store.Tx) error { return errors.Join(put(tx, "new", "1"), tx.Append(event("new"))) })
	})},
	{"a snapshot is one moment, however slowly it is read", copying(func(r *rig, of store.Archived) {
		const keys = 150
		change := func(n int) {
			r.update(func(tx store.Tx) error {
				for i := range keys {
					var err error
					if (n+i)%7 == 0 {
						err = tx.Delete(key(fmt.Sprintf("%03d", i)))
					} else {
						err = put(tx, fmt.Sprintf("%03d", i), strings.Repeat(strconv.Itoa(n)+" ", 4_000))
					}
					if err != nil {
						return err
					}
				}
				return errors.Join(put(tx, "n", strconv.Itoa(n)), tx.Append(event(strconv.Itoa(n))))
			})
		}
		change(1)
		ctx, cancel := context.WithCancel(r.Context())
		var writing sync.WaitGroup
		writing.Go(func() {
			for n := 2; ctx.Err() == nil; n++ {
				change(n)
				time.Sleep(5 * time.Millisecond)
			}
		})
		for range 3 {
			s := r.snapshot(of)
			var moment string
			found := 0
			for pair, err := range s.Sealed(r.Context(), nil, nil) {
				if err != nil {
					r.Fatal(err)
				}
				value, err := r.options.Open(nil, pair.Key, pair.Value)
				if err != nil {
					r.Fatal(err)
				}
				first, _, _ := strings.Cut(string(value), " ")
				if moment == "" {
					moment = first
				}
				if first != moment {
					r.Fatalf("%q is of moment %s, what was before it of %s", pair.Key, first, moment)
				}
				if found++; found == 3 {
					change(1_000_000) // while it is read
				}
			}
			n, _ := strconv.Atoi(moment)
			deleted := 0
			for i := range keys {
				if (n+i)%7 == 0 {
					deleted++
				}
			}
			if found != keys-deleted+1 {
				r.Errorf("at moment %d there are %d keys, want %d", n, found, keys-deleted+1)
			}
			newest := ""
			for row, err := range s.Rows(r.Context(), r.own()) {
				if err != nil {
					r.Fatal(err)
				}
				_, _, _, events, err := Unpack(row.Data)
				if err != nil {
					r.Fatal(err)
				}
				newest = string(events[len(events)-1].Data)
			}
			if newest != moment {
				r.Errorf("the events end at %s, the values are of %s", newest, moment)
			}
			s.Close()
		}
		cancel()
		writing.Wait()
	})},
	{"a range of a snapshot holds what lies in it", copying(func(r *rig, of store.Archived) {
		r.put("a", "1", "b", "2", "c", "3")
		s := r.snapshot(of)
		defer s.Close()
		var got [][]byte
		for pair, err := range s.Sealed(r.Context(), key("b"), key("c")) {
			if err != nil {
				r.Fatal(err)
			}
			got = append(got, bytes.Clone(pair.Key))
		}
		if len(got) != 1 || !bytes.Equal(got[0], key("b")) {
			r.Errorf("got %q", got)
		}
	})},
	{"a store is restored only where there is none", copying(func(r *rig, of store.Archived) {
		r.put("a", "1")
		if to, err := r.medium.Restore(r.options); err == nil {
			to.Abort()
			r.Error("restored into a store that is open")
		}
		r.close()
		if to, err := r.medium.Restore(r.options); !errors.Is(err, store.ErrNotEmpty) {
			if err == nil {
				to.Abort()
			}
			r.Errorf("restored into a store: %v", err)
		}
		r.open()
		r.want("a", "1")
	})},
	{"an aborted restore leaves nothing", copying(func(r *rig, of store.Archived) {
		r.fill()
		s := r.snapshot(r.engine.(store.Archived))
		defer s.Close()
		other := r.elsewhere()
		to := other.restoration()
		r.copyTo(to, s)
		to.Abort()
		to.Abort()
		if err := to.Put(r.Context(), key("a"), nil); err == nil {
			err = to.Finish(r.Context(), 1)
			if err == nil {
				r.Error("finished after Abort")
			}
		}
		again := other.restoration()
		last := r.copyTo(again, s)
		if err := again.Finish(r.Context(), last); err != nil {
			r.Error(err)
		}
		other.open()
		defer other.engine.Close()
		other.view(func(tx store.Tx) error {
			if got, err := list(tx, false); err != nil || len(got) != 2*9 {
				r.Errorf("%d values, %v", len(got)/2, err)
			}
			return nil
		})
	})},
	{"a snapshot ends with its engine", copying(func(r *rig, of store.Archived) {
		r.put("a", "1", "b", "2")
		s := r.snapshot(of)
		steps := 0
		for _, err := range s.Sealed(r.Context(), nil, nil) {
			if steps++; steps > 1 && err == nil {
				continue // of the same page
			}
			if err != nil {
				r.Fatal(err)
			}
			r.close()
		}
		for _, err := range s.Sealed(r.Context(), nil, nil) {
			if !errors.Is(err, store.ErrClosed) {
				r.Errorf("read after the engine was closed: %v", err)
			}
		}
		if _, err := of.Snapshot(r.Context()); !errors.Is(err, store.ErrClosed) {
			r.Errorf("a snapshot of a closed engine: %v", err)
		}
		s.Close()
		s.Close()
	})},
}
