package keyring

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// RootKey is a key outside the store, or the means to one. A hardware token
// can implement it: the key itself is never asked for.
type RootKey interface {
	// Parameters makes what a store is to keep, readable, for this key to be found again: a
	// passphrase's salt and count. Most keys need none.
	Parameters() ([]byte, error)
	// With is the key under the parameters that a store kept. They come from the store and are to be
	// bounded.
	With(parameters []byte) (Wrapper, error)
}

// Wrapper wraps and unwraps keys under a root key. It is safe for concurrent use.
type Wrapper interface {
	// ID names the root key and tells nothing of it.
	ID() string
	// Wrap seals plaintext; label is authenticated with it.
	Wrap(label, plaintext []byte) ([]byte, error)
	// Unwrap opens what Wrap sealed with the same label.
	Unwrap(label, wrapped []byte) ([]byte, error)
}

// software is a root key in memory.
type software struct {
	id   string
	aead cipher.AEAD
}

// newSoftware makes a Wrapper of key, which the caller may clear afterwards.
func newSoftware(key *secret) (*software, error) {
	id, err := hkdf.Expand(sha256.New, key.b[:], "garrison keyring 1 root id", 8)
	if err != nil {
		return nil, fmt.Errorf("keyring: root key: %w", err)
	}
	aead, err := newAEAD(key, "root wrap")
	if err != nil {
		return nil, err
	}
	return &software{hex.EncodeToString(id), aead}, nil
}

// ID implements Wrapper.
func (s *software) ID() string { return s.id }

// Wrap implements Wrapper.
func (s *software) Wrap(label, plaintext []byte) ([]byte, error) {
	return s.aead.Seal(nil, nil, plaintext, label), nil
}

// Unwrap implements Wrapper.
func (s *software) Unwrap(label, wrapped []byte) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, wrapped, label)
	if err != nil {
		return nil, fmt.Errorf("%w: a master key does not open under root key %s", ErrDamaged, s.id)
	}
	return plain, nil
}

// Format implements fmt.Formatter, so that no verb prints the key.
func (s *software) Format(f fmt.State, _ rune) { redact(f) }
