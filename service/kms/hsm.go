package kms

import (
	"context"
	"errors"
	"sync"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/store"
)

// HSM is a hardware security module, or what speaks like one, as one user of
// it, who is logged in by the first that is asked of it. It is safe for concurrent use. Its keys are AES-256 keys
// that it makes and does not let go, each known by a label.
type HSM interface {
	// Connect makes sure that it answers, and its user is logged in.
	Connect(ctx context.Context) error
	// Generate makes a key. There is none of that label yet.
	Generate(ctx context.Context, label string) error
	// Encrypt seals a plaintext, bound to aad.
	Encrypt(ctx context.Context, label string, plaintext, aad []byte) (sealed []byte, err error)
	// Decrypt opens what Encrypt sealed.
	Decrypt(ctx context.Context, label string, sealed, aad []byte) ([]byte, error)
	// Destroy deletes a key. That there is none is no error.
	Destroy(ctx context.Context, label string) error
	// Close logs out.
	Close() error
}

// Clusters are the HSMs of an installation, as its operator names them.
type Clusters interface {
	// Has tells whether there is one of that cluster id.
	Has(cluster string) bool
	// Open is the HSM of a cluster, for the user kmsuser with that password; it is not yet connected. The password is copied.
	Open(cluster string, password []byte) (HSM, error)
}

// What an HSM may answer, beside errors that say nothing more to a caller.
var (
	ErrHSMPassword    = errors.New("kms: the HSM refuses the password")
	ErrHSMLocked      = errors.New("kms: the HSM has locked its user out")
	ErrHSMAbsent      = errors.New("kms: there is no such HSM")
	ErrHSMUnreachable = errors.New("kms: the HSM can't be reached")
	ErrHSMKey         = errors.New("kms: the HSM has no such key that may be used")
	ErrHSMCiphertext  = errors.New("kms: the HSM refuses the ciphertext")
)

// hsmLabel is how an HSM knows the key's material.
func (k *Key) hsmLabel() string { return "garrison:" + k.Account + ":" + k.Region + ":" + k.ID }

// logins are this process's HSMs, by store. One serves one attempt of its
// store: what a later one changes is logged in to anew.
type logins struct {
	mu    sync.Mutex
	open  map[string]*login // under mu
	stale []HSM             // under mu: another has taken their place
}

type login struct {
	store *KeyStore
	hsm   HSM
}

// login is the HSM of a store. It answers, or logs in, when it is asked something.
func (s *Service) login(k *KeyStore) (HSM, error) {
	if s.Clusters == nil || !s.Clusters.Has(k.Cluster) {
		return nil, ErrHSMAbsent
	}
	s.logins.mu.Lock()
	defer s.logins.mu.Unlock()
	old := s.logins.open[k.ID]
	if old != nil && old.store.Attempt >= k.Attempt {
		return old.hsm, nil
	}
	password, err := s.secretOf(k)
	if err != nil {
		return nil, err
	}
	defer clear(password)
	hsm, err := s.Clusters.Open(k.Cluster, password)
	if err != nil {
		return nil, err
	}
	s.logins.open[k.ID] = &login{k, hsm}
	if old != nil {
		s.logins.stale = append(s.logins.stale, old.hsm)
	}
	return hsm, nil
}

// LogOut closes the HSMs whose stores are not connected any more.
func (s *Service) LogOut(ctx context.Context, engine store.Engine) error {
	s.logins.closeStale()
	for _, l := range s.logins.all() {
		stays := false
		err := engine.View(ctx, func(tx store.Tx) error {
			k, err := keyStores.Get(tx, l.store.Account, l.store.Region, l.store.ID)
			if errors.Is(err, store.ErrNotFound) {
				stays = false
				return nil
			}
			stays = err == nil && k.Attempt == l.store.Attempt && k.State != kms.ConnectionStateTypeFailed
			return err
		})
		if err != nil {
			return err
		}
		if !stays && s.logins.drop(l) {
			_ = l.hsm.Close() // nothing waits for what it says
		}
	}
	return nil
}

func (l *logins) all() (all []*login) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.open {
		all = append(all, one)
	}
	return all
}

// drop tells whether it was there, and no other in its place.
func (l *logins) drop(one *login) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	there := l.open[one.store.ID] == one
	if there {
		delete(l.open, one.store.ID)
	}
	return there
}

// closeStale logs out where another has taken the place.
func (l *logins) closeStale() {
	l.mu.Lock()
	stale := l.stale
	l.stale = nil
	l.mu.Unlock()
	for _, hsm := range stale {
		_ = hsm.Close() // nothing waits for what it says
	}
}

// closeAll logs out everywhere.
func (l *logins) closeAll() {
	l.closeStale()
	for _, one := range l.all() {
		if l.drop(one) {
			_ = one.hsm.Close() // nothing waits for what it says
		}
	}
}
