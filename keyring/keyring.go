// Package keyring seals what the store keeps, under keys whose root lies
// outside the store.
//
// A root key (a file, a passphrase, later a hardware token) wraps a master key,
// the master key wraps a data key for each scope (an account, or "" for the
// installation), and a data key derives a subkey for every segment of at most
// 2^28 messages. Wrapped keys are rows of the table "keyring". Destroying a
// scope's row makes everything sealed under it unreadable for good; rotating
// the root key rewraps keys and leaves what they sealed alone.
//
// The package hands out no key. Keys that callers hold (KMS) are not its
// business, nor is deciding who may open what.
package keyring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/garrison-security/garrison/store"
)

// Errors of a keyring. A wrong root key is a *WrongRootError.
var (
	// ErrLocked means that Load has not succeeded yet, or Close was called.
	ErrLocked = errors.New("keyring: locked")
	// ErrDestroyed is a store.ErrSealed: the scope's key was destroyed and nothing opens any more.
	ErrDestroyed = fmt.Errorf("keyring: the scope's key was destroyed: %w", store.ErrSealed)
	// ErrUnknownScope is a store.ErrUnknownScope. Ensure makes a key, Learn finds one that another process has made.
	ErrUnknownScope = fmt.Errorf("keyring: %w", store.ErrUnknownScope)
	// ErrDamaged means that rows of the keyring are missing or do not open under the right root key.
	ErrDamaged = errors.New("keyring: damaged")
)

// WrongRootError says that a store's keys are not wrapped under the root key given.
type WrongRootError struct {
	Store []string // ids of the root keys that open the store
	Given string
}

// Error implements error.
func (e *WrongRootError) Error() string {
	return fmt.Sprintf("keyring: this store was made with another root key (the store's key id %s, given %s)", joined(e.Store), e.Given)
}

// Keyring holds the keys of one store. It implements store.Sealer and is safe
// for concurrent use. Make it with New, hand it to the engine, then Load it.
type Keyring struct {
	change sync.Mutex // one Load, Ensure, Destroy or Rotate at a time; taken before mu

	mu      sync.RWMutex // guards what follows
	engine  store.Engine
	root    Wrapper
	masters map[uint64]*master // by generation
	newest  uint64             // generation of the master that wraps new keys
	roots   []string           // ids of the root keys that open the store, sorted
	scopes  map[string]*scope

	cache cache
}

// New makes a keyring that is locked until Load.
func New() *Keyring {
	return &Keyring{}
}

// Format implements fmt.Formatter, so that no verb prints a key.
func (k *Keyring) Format(f fmt.State, _ rune) { redact(f) }

// Forms of sealed bytes. A first byte of another value is refused.
const (
	sealedVersion  = 1
	sealedOverhead = 1 + segmentIDSize + 28 // version, segment, nonce and tag
)

// Seal implements store.Sealer. The result is a version byte, the segment's id
// (4 bytes), a random nonce (12) and the AES-256-GCM ciphertext with its tag
// (16); scope and key are additional data. Engines never seal the rows of the
// keyring's own table.
//
// It answers ErrLocked, ErrUnknownScope or ErrDestroyed.
func (k *Keyring) Seal(dst []byte, scope string, key, plaintext []byte) ([]byte, error) {
	aad := additional(forValues, scope, key)
	defer aad.free()
	return k.seal(dst, scope, aad.b, plaintext)
}

// Open implements store.Sealer. All that fails is a store.ErrSealed, but for
// ErrLocked.
func (k *Keyring) Open(dst []byte, scope string, key, sealed []byte) ([]byte, error) {
	aad := additional(forValues, scope, key)
	defer aad.free()
	return k.open(dst, scope, aad.b, sealed)
}

func (k *Keyring) seal(dst []byte, scope string, aad, plaintext []byte) ([]byte, error) {
	s, err := k.scope(scope)
	if err != nil {
		return nil, err
	}
	seg, err := s.sealing(k)
	if err != nil {
		return nil, err
	}
	dst = append(dst, sealedVersion)
	dst = binary.BigEndian.AppendUint32(dst, seg.id)
	return seg.aead.Seal(dst, nil, plaintext, aad), nil
}

func (k *Keyring) open(dst []byte, scope string, aad, sealed []byte) ([]byte, error) {
	s, err := k.scope(scope)
	if err != nil {
		return nil, err
	}
	if len(sealed) < sealedOverhead || sealed[0] != sealedVersion {
		return nil, store.ErrSealed
	}
	id, body := binary.BigEndian.Uint32(sealed[1:]), sealed[1+segmentIDSize:]
	seg, known, err := s.opening(k, id)
	if err != nil {
		return nil, err
	}
	dst, err = seg.aead.Open(dst, nil, body, aad)
	if err != nil {
		return nil, store.ErrSealed
	}
	if !known { // only what opened something is worth a place: ids come from whoever wrote the bytes
		s.remember(k, seg)
	}
	return dst, nil
}

// scope is the scope called name, ready for use.
func (k *Keyring) scope(name string) (*scope, error) {
	k.mu.RLock()
	s, loaded := k.scopes[name], k.scopes != nil
	k.mu.RUnlock()
	switch {
	case !loaded:
		return nil, ErrLocked
	case s == nil:
		return nil, ErrUnknownScope
	case s.destroyed:
		return nil, ErrDestroyed
	}
	return s, nil
}

// Destroyed says whether the scope's key was destroyed.
func (k *Keyring) Destroyed(scope string) bool {
	_, err := k.scope(scope)
	return err == ErrDestroyed
}

// RootIDs are the ids of the root keys that open the store: one, or two while
// a rotation is unfinished.
func (k *Keyring) RootIDs() []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return append([]string(nil), k.roots...)
}

// Close forgets the keys and locks the keyring. What the cipher packages keep
// of a key can't be overwritten, and goes with the garbage collector.
func (k *Keyring) Close() {
	k.change.Lock()
	defer k.change.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.masters {
		m.key.clear()
	}
	maps.DeleteFunc(k.masters, func(uint64, *master) bool { return true })
	k.masters, k.scopes, k.root, k.engine = nil, nil, nil, nil
}
