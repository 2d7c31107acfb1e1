package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/garrison-security/garrison/store"
)

var streams = []test{
	{"a row can be rewritten and removed, in a transaction", func(r *rig) {
		own := r.own()
		for i := range 3 {
			r.update(func(tx store.Tx) error { return tx.Append(event(fmt.Sprint(i))) })
		}
		packed, _, _ := Journal{}.Pack(own, 2, nil, []store.Event{event("rewritten")})
		sentinel := errors.New("no")
		err := r.engine.Update(r.Context(), func(tx store.Tx) error {
			return errors.Join(r.engine.ReplaceRow(tx, own, 1, nil), sentinel)
		})
		if !errors.Is(err, sentinel) || len(r.events(own, 0)) != 3 {
			r.Errorf("an update that failed with %v left a trace", err)
		}
		r.update(func(tx store.Tx) error {
			return errors.Join(r.engine.ReplaceRow(tx, own, 2, packed), r.engine.ReplaceRow(tx, own, 1, nil), put(tx, "checkpoint", "1"))
		})
		if got := r.events(own, 1); !slices.Equal(got, []string{"rewritten", "2"}) {
			r.Errorf("events %q", got)
		}
		r.want("checkpoint", "1")
	}},
	{"a row that is not there can't be replaced", func(r *rig) {
		own := r.own()
		r.update(func(tx store.Tx) error {
			return errors.Join(tx.Append(event("a")), tx.Append(event("b")))
		})
		for _, c := range []struct{ stream, last uint64 }{{own, 1}, {own, 3}, {own + 1, 2}} {
			err := r.engine.Update(r.Context(), func(tx store.Tx) error { return r.engine.ReplaceRow(tx, c.stream, c.last, nil) })
			if !errors.Is(err, store.ErrNotFound) {
				r.Errorf("row %d of stream %d: %v, want ErrNotFound", c.last, c.stream, err)
			}
		}
		r.update(func(tx store.Tx) error {
			err := r.engine.ReplaceRow(tx, own, 2, nil)
			if again := r.engine.ReplaceRow(tx, own, 2, nil); !errors.Is(again, store.ErrNotFound) {
				r.Errorf("removed twice: %v", again)
			}
			return err
		})
	}},
	{"of two who remove a row one does", func(r *rig) {
		own := r.own()
		r.update(func(tx store.Tx) error { return tx.Append(event("a")) })
		remove := func(tx store.Tx, met func()) error {
			err := r.engine.ReplaceRow(tx, own, 1, nil)
			met()
			return err
		}
		a, b := r.race(remove, remove)
		if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), store.ErrNotFound) {
			r.Errorf("%v and %v", a, b)
		}
	}},
	{"each opening begins a stream, and closes those before it", func(r *rig) {
		if r.medium.Volatile {
			return
		}
		var ids []uint64
		for i := range 4 {
			ids = append(ids, r.own())
			if i != 1 { // the second life records nothing
				r.update(func(tx store.Tx) error { return tx.Append(event(fmt.Sprint(i))) })
			}
			r.reopen()
		}
		ids = append(ids, r.own())
		if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != 5 {
			r.Errorf("streams %d were opened", ids)
		}
		got, err := r.engine.Streams(r.Context())
		want := []store.Stream{{ID: ids[0], Closed: true}, {ID: ids[2], Closed: true}, {ID: ids[3], Closed: true}, {ID: ids[4]}}
		if err != nil || !slices.Equal(got, want) {
			r.Errorf("Streams = %v, %v, want %v", got, err, want)
		}
		for i, id := range ids[:4] {
			if got := r.events(id, 0); i != 1 && !slices.Equal(got, []string{fmt.Sprint(i)}) {
				r.Errorf("stream %d holds %q", id, got)
			}
		}
	}},
	{"a closed stream whose rows are all removed is gone, and its id is not given again", func(r *rig) {
		if r.medium.Volatile {
			return
		}
		first := r.own()
		r.update(func(tx store.Tx) error { return tx.Append(event("a")) })
		r.reopen()
		r.update(func(tx store.Tx) error { return r.engine.ReplaceRow(tx, first, 1, nil) })
		second := r.own()
		for range 3 {
			got, err := r.engine.Streams(r.Context())
			if err != nil || !slices.Equal(got, []store.Stream{{ID: r.own()}}) {
				r.Errorf("Streams = %v, %v", got, err)
			}
			r.reopen()
		}
		if r.own() <= second || second <= first {
			r.Errorf("stream %d after %d and %d", r.own(), first, second)
		}
	}},
}

var life = []test{
	{"what is closed and opened again holds everything", func(r *rig) {
		if r.medium.Volatile {
			return
		}
		own := r.own()
		r.put("a", "1", "b", "2")
		r.update(func(tx store.Tx) error {
			return errors.Join(tx.Delete(key("b")), tx.Put(key("big"), sameBytes('x', 3<<20)), tx.Append(event("e")))
		})
		r.reopen()
		r.want("a", "1", "big", string(sameBytes('x', 3<<20)))
		if got := r.events(own, 0); !slices.Equal(got, []string{"e"}) {
			r.Errorf("events %q", got)
		}
	}},
	{"with another root key nothing opens", func(r *rig) {
		if r.medium.Volatile {
			return
		}
		r.put("a", "1")
		r.openWith(func(o *store.Options) { o.Sealer = NewSealer() })
		r.view(func(tx store.Tx) error {
			if _, err := tx.Get(key("a")); !errors.Is(err, store.ErrSealed) {
				r.Errorf("Get = %v, want ErrSealed", err)
			}
			return nil
		})
	}},
	{"what is closed refuses, and can be closed twice", func(r *rig) {
		own := r.own()
		r.put("a", "1")
		waiting := make(chan error)
		go func() {
			_, err := r.engine.Wait(r.Context(), 1000)
			waiting <- err
		}()
		r.close()
		r.close()
		_, streamsErr := r.engine.Streams(r.Context())
		_, waitErr := r.engine.Wait(r.Context(), 0)
		var rowsErr error
		for _, err := range r.engine.Rows(r.Context(), own, 0) {
			rowsErr = err
		}
		ran := func(store.Tx) error { r.Error("fn ran"); return nil }
		for i, err := range []error{r.engine.Update(r.Context(), ran), r.engine.View(r.Context(), ran), streamsErr, rowsErr, waitErr, <-waiting} {
			if !errors.Is(err, store.ErrClosed) {
				r.Errorf("%d: %v, want ErrClosed", i, err)
			}
		}
	}},
	{"closing amid transactions loses none that was acknowledged", func(r *rig) {
		var acknowledged sync.Map
		var wg sync.WaitGroup
		started := make(chan bool, 8)
		for c := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					name := fmt.Sprintf("%d-%d", c, i)
					err := r.engine.Update(r.Context(), func(tx store.Tx) error { return put(tx, name, "1") })
					if i == 0 {
						started <- true
					}
					if err != nil {
						if !errors.Is(err, store.ErrClosed) {
							r.Error(err)
						}
						return
					}
					acknowledged.Store(name, true)
				}
			})
		}
		for range 8 {
			<-started
		}
		r.close()
		wg.Wait()
		if r.medium.Volatile {
			return
		}
		r.open()
		r.view(func(tx store.Tx) error {
			acknowledged.Range(func(name, _ any) bool {
				if got, err := get(tx, name.(string)); got != "1" {
					r.Errorf("%s was acknowledged and is gone: %v", name, err)
				}
				return true
			})
			return nil
		})
	}},
	{"options without a sealer or a journal are refused", func(r *rig) {
		r.close()
		for _, o := range []store.Options{{}, {Sealer: NewSealer()}, {Journal: Journal{}}} {
			if e, err := r.medium.Open(o); err == nil {
				e.Close()
				r.Error("opened")
			}
		}
		r.open()
	}},
	{"free space is a share", func(r *rig) {
		if free := r.engine.Free(); free < 0 || free > 1 {
			r.Errorf("Free = %v", free)
		}
	}},
}
