package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
)

var contexts = []test{
	{"one that has ended runs nothing", func(r *rig) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		ran := func(store.Tx) error { r.Error("fn ran"); return nil }
		_, streamsErr := r.engine.Streams(ctx)
		_, waitErr := r.engine.Wait(ctx, 0)
		var rowsErr error
		for _, err := range r.engine.Rows(ctx, 1, 0) {
			rowsErr = err
		}
		for _, err := range []error{r.engine.Update(ctx, ran), r.engine.View(ctx, ran), streamsErr, waitErr, rowsErr} {
			if !errors.Is(err, context.Canceled) {
				r.Errorf("err = %v, want Canceled", err)
			}
		}
	}},
	{"one that ends while fn runs undoes all", func(r *rig) {
		ctx, cancel := context.WithCancel(r.Context())
		err := r.engine.Update(ctx, func(tx store.Tx) error {
			cancel()
			return errors.Join(put(tx, "a", "1"), tx.Append(event("e")))
		})
		if !errors.Is(err, context.Canceled) {
			r.Errorf("Update = %v, want Canceled", err)
		}
		r.want()
		r.put("b", "2")
		r.want("b", "2")
	}},
	{"one that ends at any moment leaves all or nothing, and what is acknowledged", func(r *rig) {
		const callers, each = 8, 25
		var acknowledged, refused sync.Map
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					name := fmt.Sprintf("%d-%d", c, i)
					ctx, cancel := context.WithTimeout(r.Context(), time.Duration(i*c)*10*time.Microsecond)
					err := r.engine.Update(ctx, func(tx store.Tx) error {
						return errors.Join(put(tx, name, "1", name+"'", "1"), tx.Append(event(name)))
					})
					cancel()
					switch {
					case err == nil:
						acknowledged.Store(name, true)
					case errors.Is(err, context.DeadlineExceeded):
						refused.Store(name, true)
					default:
						r.Error(err)
					}
				}
			})
		}
		wg.Wait()
		r.put("last", "")
		recorded := map[string]bool{}
		for _, name := range r.events(r.own(), 0) {
			if recorded[name] {
				r.Errorf("%s is recorded twice", name)
			}
			recorded[name] = true
		}
		r.view(func(tx store.Tx) error {
			for c := range callers {
				for i := range each {
					name := fmt.Sprintf("%d-%d", c, i)
					one, err := get(tx, name)
					two, err2 := get(tx, name+"'")
					if err != nil || err2 != nil || one != two || (one != "") != recorded[name] {
						r.Errorf("%s is half there: %q, %q, recorded %t", name, one, two, recorded[name])
					}
					if _, ok := acknowledged.Load(name); ok && one == "" {
						r.Errorf("%s was acknowledged and is gone", name)
					}
				}
			}
			return nil
		})
	}},
	{"one that ends wakes a follower", func(r *rig) {
		ctx, cancel := context.WithCancel(r.Context())
		var woken atomic.Bool
		together(func() {
			if _, err := r.engine.Wait(ctx, 0); !errors.Is(err, context.Canceled) {
				r.Errorf("Wait = %v, want Canceled", err)
			}
			woken.Store(true)
		}, func() {
			time.Sleep(10 * time.Millisecond)
			if woken.Load() {
				r.Error("Wait returned before there was anything")
			}
			cancel()
		})
	}},
}

var sealing = []test{
	{"a value that was sealed under another key, scope or root key does not open", func(r *rig) {
		moved := &mover{Sealer: NewSealer()}
		r.openWith(func(o *store.Options) { o.Sealer = moved })
		elsewhere := store.Key(table, "444455556666", "a")
		moved.move = func(scope string, k []byte) (string, []byte) { return "444455556666", k }
		r.put("scope", "1")
		moved.move = func(scope string, k []byte) (string, []byte) { return scope, key("b") }
		r.put("key", "1")
		moved.move = func(scope string, k []byte) (string, []byte) { return scope, k }
		r.put("right", "1")
		r.update(func(tx store.Tx) error { return tx.Put(elsewhere, []byte("1")) })
		for name, want := range map[string]error{"scope": store.ErrSealed, "key": store.ErrSealed, "right": nil} {
			r.view(func(tx store.Tx) error {
				_, err := tx.Get(key(name))
				_, loadErr := tx.Load(key(name), func(b []byte) (any, error) { return b, nil })
				var scanErr error
				for pair, err := range tx.Scan(key(name), append(key(name), 0), false) {
					scanErr = errors.Join(scanErr, err)
					if !bytes.Equal(pair.Key, key(name)) {
						r.Errorf("%s: the scan names %q", name, pair.Key)
					}
				}
				for _, err := range []error{err, loadErr, scanErr} {
					if !errors.Is(err, want) || want == nil && err != nil {
						r.Errorf("%s: %v, want %v", name, err, want)
					}
				}
				return nil
			})
		}
		r.view(func(tx store.Tx) error { _, err := tx.Get(elsewhere); return err })
	}},
	{"an altered value does not open", func(r *rig) {
		altered := &mover{Sealer: NewSealer(), alter: true}
		r.openWith(func(o *store.Options) { o.Sealer = altered })
		r.put("a", "1")
		r.view(func(tx store.Tx) error {
			if _, err := tx.Get(key("a")); !errors.Is(err, store.ErrSealed) {
				r.Errorf("Get = %v, want ErrSealed", err)
			}
			return nil
		})
	}},
	{"the sealer's own error comes through, and nothing is stored", func(r *rig) {
		erased := errors.New("the account's key was destroyed")
		r.openWith(func(o *store.Options) { o.Sealer = &mover{Sealer: NewSealer(), err: erased} })
		if err := r.engine.Update(r.Context(), func(tx store.Tx) error { return put(tx, "a", "1") }); !errors.Is(err, erased) {
			r.Errorf("Update = %v", err)
		}
	}},
	{"the keyring's table is kept as it is given", func(r *rig) {
		r.openWith(func(o *store.Options) { o.Sealer = &mover{Sealer: NewSealer(), err: errors.New("no key yet")} })
		k := store.Key(store.KeyringTable, "", "root")
		r.update(func(tx store.Tx) error { return tx.Put(k, []byte("wrapped")) })
		r.view(func(tx store.Tx) error {
			got, err := tx.Get(k)
			if string(got) != "wrapped" {
				r.Errorf("Get = %q", got)
			}
			return err
		})
	}},
}

// mover is a Sealer that seals under another place than it is told, or breaks what it seals.
type mover struct {
	*Sealer
	move  func(scope string, key []byte) (string, []byte)
	alter bool
	err   error
}

func (m *mover) Seal(dst []byte, scope string, key, plaintext []byte) ([]byte, error) {
	if m.err != nil {
		return nil, m.err
	}
	if m.move != nil {
		scope, key = m.move(scope, key)
	}
	sealed, err := m.Sealer.Seal(dst, scope, key, plaintext)
	if m.alter {
		sealed[len(sealed)-1] ^= 1
	}
	return sealed, err
}
