package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/garrison-security/garrison/store"
)

// Load unlocks the keyring with the root key of engine's store. On a store that
// holds nothing it makes the master key and the installation's key first; of
// two processes that do so at once one wins and the other takes its keys.
//
// All scopes' wrapped keys are kept in memory, some 200 bytes each, so that
// sealing never waits for the store. They are unwrapped when first used.
//
// It answers a *WrongRootError, or ErrDamaged.
func (k *Keyring) Load(ctx context.Context, engine store.Engine, root RootKey) error {
	k.change.Lock()
	defer k.change.Unlock()
	found, err := read(ctx, engine)
	if err == nil && len(found.masters) == 0 {
		if err = create(ctx, engine, root); err == nil {
			found, err = read(ctx, engine)
		}
	}
	if err != nil {
		return err
	}
	return k.adopt(engine, root, found)
}

// contents is what the store holds of the keyring.
type contents struct {
	masters []*masterRow
	scopes  map[string]*scope
}

func read(ctx context.Context, engine store.Engine) (*contents, error) {
	var c contents
	err := engine.View(ctx, func(tx store.Tx) (err error) {
		c.scopes = map[string]*scope{}
		if c.masters, err = readMasters(tx); err != nil {
			return err
		}
		from, to := store.Prefix(store.KeyringTable, "", "scope")
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
			c.scopes[s.name] = s
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keyring: read: %w", err)
	}
	return &c, nil
}

// create writes the first master key and the installation's key, unless another
// process has, or the store holds something already.
func create(ctx context.Context, engine store.Engine, root RootKey) error {
	parameters, err := root.Parameters()
	if err != nil {
		return err
	}
	wrapper, err := root.With(parameters)
	if err != nil {
		return err
	}
	m, err := newMaster(newSecret())
	if err != nil {
		return err
	}
	defer m.key.clear()
	row, err := wrapMaster(1, m.key, wrapper, parameters)
	if err != nil {
		return err
	}
	data := newSecret()
	defer data.clear()
	installation := m.wrap("", row.generation, data)
	err = engine.Update(ctx, func(tx store.Tx) error {
		if rows, err := readMasters(tx); err != nil || len(rows) > 0 {
			return err
		}
		// A store that holds rows and no master key lost it: a new one would open nothing.
		for _, err := range tx.Scan(nil, []byte{0xFF}, false) {
			if err != nil && !errors.Is(err, ErrLocked) {
				return err
			}
			return fmt.Errorf("%w: the store holds rows and no master key", ErrDamaged)
		}
		if err := tx.Put(row.key(), row.value()); err != nil {
			return err
		}
		return tx.Put(scopeKey(""), installation.value())
	})
	if err != nil {
		return fmt.Errorf("keyring: create: %w", err)
	}
	return nil
}

// adopt takes what was read into use, if root opens it.
func (k *Keyring) adopt(engine store.Engine, root RootKey, found *contents) error {
	wrapper, err := match(root, found.masters)
	if err != nil {
		return err
	}
	masters := map[uint64]*master{}
	var newest uint64
	var roots []string
	for _, row := range found.masters {
		if roots = append(roots, row.root); row.root != wrapper.ID() {
			continue
		}
		if masters[row.generation], err = row.unwrap(wrapper); err != nil {
			return err
		}
		newest = max(newest, row.generation)
	}
	installation := found.scopes[""]
	if installation == nil || installation.destroyed {
		return fmt.Errorf("%w: the installation's key is missing", ErrDamaged)
	}
	data, err := installation.unwrapBy(masters[installation.generation])
	if err != nil {
		return err
	}
	data.clear()
	slices.Sort(roots)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.engine, k.root, k.masters, k.newest, k.scopes = engine, wrapper, masters, newest, found.scopes
	k.roots = slices.Compact(roots)
	return nil
}

// match is root under the parameters of the row that it wrapped.
func match(root RootKey, rows []*masterRow) (Wrapper, error) {
	wrong := &WrongRootError{Given: "of another kind"}
	for _, row := range rows {
		wrapper, err := root.With(row.parameters)
		if errors.Is(err, errParameters) {
			wrong.Store = append(wrong.Store, row.root)
			continue
		}
		if err != nil {
			return nil, err
		}
		if wrapper.ID() == row.root {
			return wrapper, nil
		}
		wrong.Store, wrong.Given = append(wrong.Store, row.root), wrapper.ID()
	}
	slices.Sort(wrong.Store)
	wrong.Store = slices.Compact(wrong.Store)
	return nil, wrong
}

// Verify tells whether every key of the store opens under its master key.
func (k *Keyring) Verify(ctx context.Context) error {
	k.mu.RLock()
	engine := k.engine
	k.mu.RUnlock()
	if engine == nil {
		return ErrLocked
	}
	found, err := read(ctx, engine)
	if err != nil {
		return err
	}
	var bad []error
	for _, s := range found.scopes {
		data, err := k.unwrap(s)
		if err != nil {
			if bad = append(bad, err); len(bad) == 100 {
				break
			}
			continue
		}
		if data != nil {
			data.clear()
		}
	}
	return errors.Join(bad...)
}
