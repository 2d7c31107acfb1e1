package keyring

import (
	"context"
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/store"
)

// Ensure makes the scope's key if it has none, durable when it returns. Call it
// before the first row of an account is written. A destroyed scope stays
// destroyed: ErrDestroyed.
func (k *Keyring) Ensure(ctx context.Context, name string) error {
	if _, err := k.scope(name); err != ErrUnknownScope {
		return err
	}
	k.change.Lock()
	defer k.change.Unlock()
	engine, m, generation, err := k.writing()
	if err != nil {
		return err
	}
	data := newSecret()
	defer data.clear()
	fresh := m.wrap(name, generation, data)
	var s *scope
	err = engine.Update(ctx, func(tx store.Tx) error {
		value, err := tx.Get(scopeKey(name))
		if err == nil { // another node was quicker
			s, err = parseScope(name, value)
			return err
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s = fresh
		return tx.Put(scopeKey(name), s.value())
	})
	if err != nil {
		return fmt.Errorf("keyring: ensure scope: %w", err)
	}
	k.replace(s)
	_, err = k.scope(name)
	return err
}

// Destroy erases the scope's key: nothing sealed under it opens any more. The
// installation's own can't be destroyed. Copies of the store made before, and
// parts of its files that the engine has not rewritten, still hold the wrapped
// key; they open under the root key alone.
//
// also, if it is not nil, runs in the same transaction, to record what is done
// and take away the account's rows. An event of it belongs to the installation.
func (k *Keyring) Destroy(ctx context.Context, name string, also func(store.Tx) error) error {
	if name == "" {
		return errors.New("keyring: the installation's key can't be destroyed")
	}
	k.change.Lock()
	defer k.change.Unlock()
	if _, err := k.scope(name); err == ErrDestroyed {
		return nil
	} else if err != nil {
		return err
	}
	engine, m, generation, err := k.writing()
	if err != nil {
		return err
	}
	s := m.wrap(name, generation, nil)
	err = engine.Update(ctx, func(tx store.Tx) error {
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		return tx.Put(scopeKey(name), s.value())
	})
	if err != nil {
		return fmt.Errorf("keyring: destroy scope: %w", err)
	}
	k.replace(s)
	return nil
}

// writing is what new keys are wrapped with. The caller holds change.
func (k *Keyring) writing() (store.Engine, *master, uint64, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.scopes == nil {
		return nil, nil, 0, ErrLocked
	}
	return k.engine, k.masters[k.newest], k.newest, nil
}

// replace takes s into use.
func (k *Keyring) replace(s *scope) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.scopes[s.name] = s
}
