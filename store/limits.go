package store

import (
	"bytes"
	"errors"
	"fmt"
)

// Limits of every engine. What exceeds one is refused with ErrTooLarge.
const (
	// MaxKey is the longest key, in bytes. It lies under the 2,704 bytes that a row of PostgreSQL's
	// B-tree holds.
	MaxKey = 2600
	// MaxValue is the longest value, in bytes, before sealing.
	MaxValue = 8 << 20
	// MaxChanges bounds the keys that a transaction changes, and the events that it appends.
	MaxChanges = 50_000
	// MaxBytes bounds the keys, sealed values and events of a transaction together.
	MaxBytes = 64 << 20
	// MaxReads bounds the single keys, and the ranges, that an Update reads.
	MaxReads = 1 << 20
)

// KeyringTable is the table whose values no engine seals: the keyring wraps
// them itself, under the root key, because what opens every other value stands in it.
const KeyringTable = "keyring"

// ErrKey means bytes that no engine takes as a key: none, or a beginning that Key never makes.
var ErrKey = errors.New("store: not a key")

// CheckKey tells whether an engine takes key: not empty, not beginning 0x00 0x00
// (an engine may keep rows of its own there), at most MaxKey bytes.
func CheckKey(key []byte) error {
	switch {
	case len(key) == 0, len(key) == 1 && key[0] == 0, len(key) > 1 && key[0] == 0 && key[1] == 0:
		return ErrKey
	case len(key) > MaxKey:
		return fmt.Errorf("%w: a key of %d bytes", ErrTooLarge, len(key))
	}
	return nil
}

// lowestKey is the lower bound of the keys that CheckKey admits.
var lowestKey = []byte{0, 1}

// ClipRange makes the bounds of a scan what an engine's medium can be asked
// for: from no lower than the first key that an engine takes, so that a scan
// never meets the engine's own rows; to nil if it bounds nothing. ok is false for a
// range that holds no key.
func ClipRange(from, to []byte) (lower, upper []byte, ok bool) {
	if CheckKey(from) == ErrKey {
		from = lowestKey
	}
	if len(to) == 0 {
		return from, nil, true
	}
	return from, to, bytes.Compare(from, to) < 0
}
