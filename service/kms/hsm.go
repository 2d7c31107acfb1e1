package kms

import (
	"context"
	"errors"
	"sync"

	"github.com/garrison-security/garrison/store"
)

// HSM is a hardware security module, or what speaks like one, into which one
// user has logged in. It is safe for concurrent use. Its keys are AES-256 keys
// that it makes and does not let go, each known by a label.
type HSM interface {
	// Connect logs in.
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

// logins are this process's connections to HSMs, by store. A connection serves
// one attempt of its store: what a later one changes is connected to anew.
type logins struct {
	mu   sync.Mutex
	open map[string]*login // under mu
}

type login struct {
	store   *KeyStore
	made    chan struct{} // closed once hsm and err are set
	hsm     HSM
	err     error
	attempt int
}

// login is a connection to the HSM of a store, made by the first who asks for it.
func (s *Service) login(ctx context.Context, k *KeyStore) (HSM, error) {
	if s.Clusters == nil || !s.Clusters.Has(k.Cluster) {
		return nil, ErrHSMAbsent
	}
	s.logins.mu.Lock()
	l := s.logins.open[k.ID]
	mine := l == nil || l.attempt != k.Attempt
	if mine {
		if l != nil {
			go l.close()
		}
		l = &login{store: k, made: make(chan struct{}), attempt: k.Attempt}
		s.logins.open[k.ID] = l
	}
	s.logins.mu.Unlock()
	if mine {
		l.hsm, l.err = s.logIn(ctx, k)
		close(l.made)
		if l.err != nil {
			s.forget(l)
		}
	}
	select {
	case <-l.made:
		return l.hsm, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Service) logIn(ctx context.Context, k *KeyStore) (HSM, error) {
	password, err := s.secretOf(k)
	if err != nil {
		return nil, err
	}
	defer clear(password)
	hsm, err := s.Clusters.Open(k.Cluster, password)
	if err != nil {
		return nil, err
	}
	if err := hsm.Connect(ctx); err != nil {
		return nil, errors.Join(err, hsm.Close())
	}
	return hsm, nil
}

// forget drops a connection, unless another has taken its place.
func (s *Service) forget(l *login) {
	s.logins.mu.Lock()
	defer s.logins.mu.Unlock()
	if s.logins.open[l.store.ID] == l {
		delete(s.logins.open, l.store.ID)
	}
}

func (l *login) close() {
	<-l.made
	if l.hsm != nil {
		_ = l.hsm.Close() // nothing waits for what it says
	}
}

// LogOut closes the connections whose stores are not connected any more.
func (s *Service) LogOut(ctx context.Context, engine store.Engine) error {
	for _, l := range s.logins.all() {
		stays := false
		err := engine.View(ctx, func(tx store.Tx) error {
			k, err := keyStores.Get(tx, l.store.Account, l.store.Region, l.store.ID)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			stays = err == nil && k.Attempt == l.attempt
			return err
		})
		if err != nil {
			return err
		}
		if !stays {
			s.forget(l)
			l.close()
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

// closeAll logs out everywhere.
func (l *logins) closeAll() {
	for _, one := range l.all() {
		one.close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.open)
}
