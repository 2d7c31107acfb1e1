package store

import (
	"bytes"
	"errors"
	"fmt"
)

// keyringPrefix begins every key of KeyringTable.
var keyringPrefix = appendPart(nil, KeyringTable)

// Check tells whether an engine can be opened with o.
func (o Options) Check() error {
	if o.Sealer == nil || o.Journal == nil {
		return errors.New("store: an engine needs a Sealer and a Journal")
	}
	return nil
}

// Seal is what an engine keeps for value under key: sealed, or in KeyringTable
// a copy of value.
func (o Options) Seal(key, value []byte) ([]byte, error) {
	if len(value) > MaxValue {
		return nil, fmt.Errorf("%w: a value of %d bytes", ErrTooLarge, len(value))
	}
	if bytes.HasPrefix(key, keyringPrefix) {
		return bytes.Clone(value), nil
	}
	sealed, err := o.Sealer.Seal(nil, Scope(key), key, value)
	if err != nil {
		return nil, fmt.Errorf("seal value: %w", err)
	}
	return sealed, nil
}

// Open appends to dst the value that Seal made sealed of, or answers ErrSealed.
func (o Options) Open(dst, key, sealed []byte) ([]byte, error) {
	if bytes.HasPrefix(key, keyringPrefix) {
		return append(dst, sealed...), nil
	}
	value, err := o.Sealer.Open(dst, Scope(key), key, sealed)
	if err != nil {
		return nil, fmt.Errorf("open value: %w", err)
	}
	return value, nil
}
