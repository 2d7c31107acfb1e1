package keyring

import (
	"context"
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/store"
)

var _ store.Learner = (*Keyring)(nil)

// Holds tells whether a store has a keyring: whether a root key opens it that must not be lost.
func Holds(ctx context.Context, engine store.Engine) (holds bool, err error) {
	err = engine.View(ctx, func(tx store.Tx) error {
		rows, err := readMasters(tx)
		holds = len(rows) > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keyring: read: %w", err)
	}
	return holds, nil
}

// Learn implements store.Learner: it looks in the store for the key of a scope
// that another process has made since Load.
func (k *Keyring) Learn(ctx context.Context, engine store.Engine, name string) error {
	if _, err := k.scope(name); err != ErrUnknownScope {
		return err
	}
	var s *scope
	err := engine.View(ctx, func(tx store.Tx) error {
		value, err := tx.Get(scopeKey(name))
		if errors.Is(err, store.ErrNotFound) {
			return ErrUnknownScope
		}
		if err == nil {
			s, err = parseScope(name, value)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keyring: learn of a scope: %w", err)
	}
	k.mu.RLock()
	known := k.masters[s.generation] != nil
	k.mu.RUnlock()
	if !known {
		return k.relearn(ctx, engine, name)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.scopes == nil {
		return ErrLocked
	}
	if k.scopes[name] == nil { // or someone else was quicker, and knows as much or more
		k.scopes[name] = s
	}
	return nil
}

// relearn reads the whole keyring again, since another process has rotated the
// root key. Until the rotation ends the old root key opens the new master key.
func (k *Keyring) relearn(ctx context.Context, engine store.Engine, name string) error {
	if !k.change.TryLock() { // held by a change of this process, which may be what waits for this
		return fmt.Errorf("%w: the keys are being changed", ErrUnknownScope)
	}
	defer k.change.Unlock()
	found, err := read(ctx, engine)
	if err != nil {
		return err
	}
	if err := k.reload(engine, found); err != nil {
		return err
	}
	_, err = k.scope(name)
	return err
}
