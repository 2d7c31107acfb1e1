package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/garrison-security/garrison/store"
)

// rewrapBatch is how many scopes' keys one transaction of a rotation rewraps.
const rewrapBatch = 1000

// Rotate moves the store to the root key next, under a new master key. What
// keys have sealed is not rewritten. It goes in steps, each durable:
//
//  1. a new master key is stored, and it and the old one are wrapped under both root keys;
//  2. install puts next where the next start will find it (nil: nothing to do);
//  3. every scope's key is rewrapped under the new master key;
//  4. the old root key's rows and the old master key are removed.
//
// Stopped before step 4 the store opens with either root key, and Rotate with
// the same next takes the work up again. One process at a time may rotate.
//
// note, if it is not nil, records the rotation: in the transaction of step 1,
// where it begins or is taken up, and with done in that of step 4.
func (k *Keyring) Rotate(ctx context.Context, next RootKey, install func() error, note func(tx store.Tx, done bool) error) error {
	if note == nil {
		note = func(store.Tx, bool) error { return nil }
	}
	k.change.Lock()
	defer k.change.Unlock()
	engine, _, _, err := k.writing()
	if err != nil {
		return err
	}
	wrapper, err := k.both(ctx, engine, next, note)
	if err != nil {
		return fmt.Errorf("keyring: rotate: %w", err)
	}
	if install != nil {
		if err := install(); err != nil {
			return fmt.Errorf("keyring: rotate: install the new root key: %w", err)
		}
	}
	if err := k.rewrap(ctx, engine); err != nil {
		return fmt.Errorf("keyring: rotate: %w", err)
	}
	if err := k.retire(ctx, engine, wrapper, note); err != nil {
		return fmt.Errorf("keyring: rotate: %w", err)
	}
	return nil
}

// both is step 1. It finds next's rows there already when an earlier Rotate was stopped.
func (k *Keyring) both(ctx context.Context, engine store.Engine, next RootKey, note func(store.Tx, bool) error) (Wrapper, error) {
	found, err := read(ctx, engine)
	if err != nil {
		return nil, err
	}
	k.mu.RLock()
	current := k.root.ID()
	k.mu.RUnlock()
	if wrapper, err := match(next, found.masters); err == nil {
		if wrapper.ID() == current && !slices.ContainsFunc(found.masters, func(r *masterRow) bool { return r.root != current }) && len(found.masters) == 1 {
			return nil, errors.New("the new root key is the old one")
		}
		if err := engine.Update(ctx, func(tx store.Tx) error { return note(tx, false) }); err != nil {
			return nil, err
		}
		return wrapper, k.reload(engine, found)
	}
	parameters, err := next.Parameters()
	if err != nil {
		return nil, err
	}
	wrapper, err := next.With(parameters)
	if err != nil {
		return nil, err
	}
	k.mu.RLock()
	keys := map[uint64]*secret{k.newest + 1: newSecret()}
	for generation, m := range k.masters {
		keys[generation] = m.key
	}
	newest, root := k.newest+1, k.root
	k.mu.RUnlock()
	var rows []*masterRow
	for generation, key := range keys {
		row, err := wrapMaster(generation, key, wrapper, parameters)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	old := slices.IndexFunc(found.masters, func(r *masterRow) bool { return r.root == root.ID() })
	if old < 0 {
		return nil, &WrongRootError{Given: root.ID()}
	}
	row, err := wrapMaster(newest, keys[newest], root, found.masters[old].parameters)
	if err != nil {
		return nil, err
	}
	rows = append(rows, row)
	err = engine.Update(ctx, func(tx store.Tx) error {
		have, err := readMasters(tx)
		if err != nil {
			return err
		}
		for _, r := range have { // of a rotation to a third root key that was given up
			if r.root != root.ID() {
				if err := tx.Delete(r.key()); err != nil {
					return err
				}
			}
		}
		for _, r := range rows {
			if err := tx.Put(r.key(), r.value()); err != nil {
				return err
			}
		}
		return note(tx, false)
	})
	if err != nil {
		return nil, err
	}
	found.masters = append(found.masters, rows...)
	return wrapper, k.reload(engine, found)
}

// reload takes the masters that the present root key opens into use.
func (k *Keyring) reload(engine store.Engine, found *contents) error {
	k.mu.RLock()
	root := k.root
	k.mu.RUnlock()
	return k.adopt(engine, opened{root}, found)
}

// rewrap is step 3: every scope's key under the newest master, in batches.
func (k *Keyring) rewrap(ctx context.Context, engine store.Engine) error {
	k.mu.RLock()
	newest, m := k.newest, k.masters[k.newest]
	k.mu.RUnlock()
	for after := ""; ; {
		var done, changed []*scope
		err := engine.Update(ctx, func(tx store.Tx) error {
			done, changed = nil, nil
			from, to := store.Prefix(store.KeyringTable, "", "scope")
			if after != "" {
				from = append(scopeKey(after), 0)
			}
			for pair, err := range tx.Scan(from, to, false) {
				if err != nil {
					return err
				}
				_, _, parts, ok := store.Parts(pair.Key)
				if !ok || len(parts) != 2 {
					return fmt.Errorf("%w: a row of no scope", ErrDamaged)
				}
				s, err := parseScope(parts[1], pair.Value)
				if err != nil {
					return err
				}
				if s.generation != newest {
					data, err := k.unwrap(s)
					if err != nil {
						return err
					}
					s = m.wrap(s.name, newest, data)
					if data != nil {
						data.clear()
					}
					changed = append(changed, s)
				}
				if done = append(done, s); len(done) == rewrapBatch {
					break
				}
			}
			for _, s := range changed {
				if err := tx.Put(scopeKey(s.name), s.value()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, s := range changed {
			k.replace(s)
		}
		if len(done) < rewrapBatch {
			return nil
		}
		after = done[len(done)-1].name
	}
}

// retire is step 4: what is not the newest master under next goes.
func (k *Keyring) retire(ctx context.Context, engine store.Engine, next Wrapper, note func(store.Tx, bool) error) error {
	err := engine.Update(ctx, func(tx store.Tx) error {
		rows, err := readMasters(tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.root == next.ID() && r.generation == rows[len(rows)-1].generation {
				continue
			}
			if err := tx.Delete(r.key()); err != nil {
				return err
			}
		}
		return note(tx, true)
	})
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.root, k.roots = next, []string{next.ID()}
	for generation, m := range k.masters {
		if generation != k.newest {
			m.key.clear()
			delete(k.masters, generation)
		}
	}
	return nil
}

// opened is a root key that is known already.
type opened struct{ Wrapper }

func (opened) Parameters() ([]byte, error)    { return nil, nil }
func (o opened) With([]byte) (Wrapper, error) { return o.Wrapper, nil }

// RotateFile moves the store to a new root key in the file called path, the
// old one's place. The new key stands in path.next until the store opens with
// it; a rotation that was stopped is taken up with it. note is as Rotate's.
func (k *Keyring) RotateFile(ctx context.Context, path string, note func(tx store.Tx, done bool) error) error {
	aside := path + ".next"
	next, err := ReadRootFile(aside)
	if errors.Is(err, fs.ErrNotExist) {
		if len(k.RootIDs()) > 1 { // stopped after the new key took its place
			next, err = ReadRootFile(path)
		} else {
			next, err = CreateRootFile(aside)
		}
	}
	if err != nil {
		return err
	}
	return k.Rotate(ctx, next, func() error {
		if err := os.Rename(aside, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncDir(filepath.Dir(path))
	}, note)
}
