// Package storetest is the contract of store.Engine, as tests that every
// engine passes in one line, and the plain Sealer and Journal that tests open
// an engine with.
package storetest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/store"
)

// Options are what tests open an engine with: a new Sealer, and a Journal.
func Options() store.Options {
	return store.Options{Sealer: NewSealer(), Journal: Journal{}, Release: "v0.1.0"}
}

// Sealer seals under one key with AES-256-GCM, bound to scope and key.
type Sealer struct{ aead cipher.AEAD }

// NewSealer makes a Sealer with a random key.
func NewSealer() *Sealer {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &Sealer{aead: aead}
}

// Seal implements store.Sealer.
func (s *Sealer) Seal(dst []byte, scope string, key, plaintext []byte) ([]byte, error) {
	return s.aead.Seal(append(dst, 1), nil, plaintext, bound(scope, key)), nil
}

// Open implements store.Sealer.
func (s *Sealer) Open(dst []byte, scope string, key, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != 1 {
		return nil, store.ErrSealed
	}
	out, err := s.aead.Open(dst, nil, sealed[1:], bound(scope, key))
	if err != nil {
		return nil, store.ErrSealed
	}
	return out, nil
}

func bound(scope string, key []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(len(scope)))
	return append(append(b, scope...), key...)
}

// Journal packs events in the clear, chained: a row is its stream, first
// number, count and events, and the head they leave behind.
type Journal struct{}

// Pack implements store.Journal.
func (Journal) Pack(stream, first uint64, head []byte, events []store.Event) (row, newHead []byte, err error) {
	row = binary.BigEndian.AppendUint64(row, stream)
	row = binary.BigEndian.AppendUint64(row, first)
	row = binary.AppendUvarint(row, uint64(len(events)))
	for _, e := range events {
		row = appendBytes(row, []byte(e.Scope))
		row = appendBytes(row, e.Data)
		head = link(head, e)
	}
	return append(row, head...), head, nil
}

// Head implements store.Journal.
func (Journal) Head(row []byte) ([]byte, error) {
	if len(row) < sha256.Size {
		return nil, errors.New("storetest: row too short")
	}
	return bytes.Clone(row[len(row)-sha256.Size:]), nil
}

// link is the head after e, head being the one before.
func link(head []byte, e store.Event) []byte {
	h := sha256.New()
	h.Write(head)
	h.Write(appendBytes(appendBytes(nil, []byte(e.Scope)), e.Data))
	return h.Sum(nil)
}

func appendBytes(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// Unpack is what Pack was given for row, with the head it returned.
func Unpack(row []byte) (stream, first uint64, head []byte, events []store.Event, err error) {
	bad := fmt.Errorf("storetest: not a row: %x", row)
	if len(row) < 16+1+sha256.Size {
		return 0, 0, nil, nil, bad
	}
	head = row[len(row)-sha256.Size:]
	rest := row[16 : len(row)-sha256.Size]
	count, n := binary.Uvarint(rest)
	rest = rest[max(n, 0):]
	for range count {
		var scope, data []byte
		var ok bool
		if scope, rest, ok = cutBytes(rest); !ok {
			return 0, 0, nil, nil, bad
		}
		if data, rest, ok = cutBytes(rest); !ok {
			return 0, 0, nil, nil, bad
		}
		events = append(events, store.Event{Scope: string(scope), Data: data})
	}
	if n <= 0 || len(rest) > 0 {
		return 0, 0, nil, nil, bad
	}
	return binary.BigEndian.Uint64(row), binary.BigEndian.Uint64(row[8:]), head, events, nil
}

func cutBytes(b []byte) (part, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < size {
		return nil, nil, false
	}
	return b[n : n+int(size)], b[n+int(size):], true
}
