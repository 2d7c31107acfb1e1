package kms

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/service/kms/xks"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

const (
	// connectPause is how often is looked for stores that are to be connected or disconnected.
	connectPause = time.Second
	// connectTime is how long connecting may take.
	connectTime = 20 * time.Second
	// connectBatch is how many stores are connected at once.
	connectBatch = 16
)

// RunStores connects and disconnects custom key stores, and removes the key
// material of deleted keys from HSMs, until ctx ends: on one node at a time.
func (s *Service) RunStores(ctx context.Context, t *trail.Trail) error {
	return t.Alone(ctx, "kms/key-stores", func(ctx context.Context) error {
		return s.every(ctx, func() error { return s.WorkOnStores(ctx, t.Engine) })
	})
}

// RunLogins logs out of HSMs whose stores are not connected any more, until ctx
// ends, and then everywhere: on every node, for each has logins of its own.
func (s *Service) RunLogins(ctx context.Context, engine store.Engine) error {
	defer s.logins.closeAll()
	return s.every(ctx, func() error { return s.LogOut(ctx, engine) })
}

func (s *Service) every(ctx context.Context, do func() error) error {
	tick := time.NewTicker(connectPause)
	defer tick.Stop()
	for {
		if err := do(); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// WorkOnStores does once what RunStores does again and again. Done twice at
// once, or stopped anywhere, it changes nothing twice, and the next goes on.
func (s *Service) WorkOnStores(ctx context.Context, engine store.Engine) error {
	var due []*KeyStore
	err := engine.View(ctx, func(tx store.Tx) error {
		due = nil
		for entry, err := range keyStores.ListBy(tx, storesAtWork, "", nil) {
			if err != nil {
				return err
			}
			if due = append(due, entry.Value); len(due) == connectBatch {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	errs := make([]error, len(due))
	var all sync.WaitGroup
	for i, k := range due {
		all.Go(func() { errs[i] = s.workOn(ctx, engine, k) })
	}
	all.Wait()
	return errors.Join(errors.Join(errs...), s.destroyMaterial(ctx, engine))
}

// workOn brings a store to the state that it is on its way to, or to FAILED.
func (s *Service) workOn(ctx context.Context, engine store.Engine, k *KeyStore) error {
	to, why := kms.ConnectionStateTypeDisconnected, kms.ConnectionErrorCodeType("")
	if k.State == kms.ConnectionStateTypeConnecting {
		to = kms.ConnectionStateTypeConnected
		if why = s.connect(ctx, k); why != "" {
			to = kms.ConnectionStateTypeFailed
		}
	}
	return engine.Update(ctx, func(tx store.Tx) error {
		return ifStill(tx, k, func(now *KeyStore) { now.State, now.Error = to, why })
	})
}

// ifStill changes a store that is still at the attempt that k shows.
func ifStill(tx store.Tx, k *KeyStore, change func(*KeyStore)) error {
	now, err := keyStores.Edit(tx, k.Account, k.Region, k.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || now.Attempt != k.Attempt || now.State != k.State {
		return err
	}
	change(now)
	return now.save(tx)
}

// connect tries whether a store can be used; "": it can.
func (s *Service) connect(ctx context.Context, k *KeyStore) kms.ConnectionErrorCodeType {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if !k.external() {
		hsm, err := s.login(k)
		if err == nil {
			err = hsm.Connect(ctx)
		}
		return hsmErrorCode(err)
	}
	proxy, err := s.proxy(k)
	if err != nil {
		return kms.ConnectionErrorCodeTypeInternalError
	}
	defer clear(proxy.Secret)
	return proxyErrorCode(s.proxies().Health(ctx, proxy, xks.Metadata{Operation: "ConnectCustomKeyStore", RequestID: trail.NewID()}))
}

// hsmErrorCode says why an HSM can't be connected; "" for no error.
func hsmErrorCode(err error) kms.ConnectionErrorCodeType {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrHSMPassword):
		return kms.ConnectionErrorCodeTypeInvalidCredentials
	case errors.Is(err, ErrHSMLocked):
		return kms.ConnectionErrorCodeTypeUserLockedOut
	case errors.Is(err, ErrHSMAbsent):
		return kms.ConnectionErrorCodeTypeClusterNotFound
	case errors.Is(err, ErrHSMUnreachable) || errors.Is(err, context.DeadlineExceeded):
		return kms.ConnectionErrorCodeTypeNetworkErrors
	}
	return kms.ConnectionErrorCodeTypeInternalError
}

// Doomed is key material of a deleted key that is still in its HSM, as stored
// under the store's id and the material's label.
type Doomed struct{ Account, Region, Store, Label string }

var doomed = store.NewTable[Doomed]("kms/doomed")

// doom writes down that the material of a key that is erased is to be removed from its HSM.
func (k *Key) doom(tx store.Tx) error {
	if k.Origin != kms.OriginTypeAwsCloudhsm {
		return nil
	}
	d := &Doomed{Account: k.Account, Region: k.Region, Store: k.Store, Label: k.hsmLabel()}
	return doomed.Put(tx, "", d, d.Store, d.Label)
}

// destroyMaterial removes the material of deleted keys from HSMs, as far as
// their stores are connected: some of each, so that none waits for another's
// HSM. What a deleted store leaves is its owner's to remove.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/fix-keystore.html#fix-keystore-orphaned-key
func (s *Service) destroyMaterial(ctx context.Context, engine store.Engine) error {
	type waiting struct {
		store *KeyStore // nil: it is deleted
		all   []*Doomed
	}
	var due []waiting
	err := engine.View(ctx, func(tx store.Tx) error {
		due = nil
		for d, err := firstDoomed(tx, nil); d != nil || err != nil; d, err = firstDoomed(tx, d) {
			if err != nil {
				return err
			}
			k, err := keyStores.Get(tx, d.Account, d.Region, d.Store)
			if errors.Is(err, store.ErrNotFound) {
				k, err = nil, nil
			}
			if err != nil {
				return err
			}
			if k != nil && !k.connected() {
				continue
			}
			all, _, err := store.Page(doomed.List(tx, "", nil, d.Store), sweepBatch, nil)
			if err != nil {
				return err
			}
			due = append(due, waiting{k, all})
		}
		return nil
	})
	if err != nil {
		return err
	}
	errs := make([]error, len(due))
	turns := make(chan struct{}, connectBatch)
	var all sync.WaitGroup
	for i, w := range due {
		turns <- struct{}{}
		all.Go(func() {
			errs[i] = s.destroy(ctx, engine, w.store, w.all)
			<-turns
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// firstDoomed is the first material of the first store beyond that of last; nil: there is none.
func firstDoomed(tx store.Tx, last *Doomed) (*Doomed, error) {
	var after []byte
	if last != nil {
		after = store.Key("", "", last.Store, "\xff")[len(store.Key("", "")):] // labels are printable
	}
	for entry, err := range doomed.List(tx, "", after) {
		return entry.Value, err
	}
	return nil, nil
}

// destroy removes material from the HSM of a store, unless that is deleted, as
// far as the HSM does it in time, and what is written down of it.
func (s *Service) destroy(ctx context.Context, engine store.Engine, k *KeyStore, all []*Doomed) error {
	limited, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	for _, d := range all {
		if k != nil && s.destroyIn(limited, k, d.Label) != nil {
			continue // until the HSM does it
		}
		err := engine.Update(ctx, func(tx store.Tx) error { return doomed.Delete(tx, "", d.Store, d.Label) })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (s *Service) destroyIn(ctx context.Context, k *KeyStore, label string) error {
	hsm, err := s.login(k)
	if err != nil {
		return err
	}
	return hsm.Destroy(ctx, label)
}
