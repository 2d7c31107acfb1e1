package keyring

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/garrison-security/garrison/store"
)

// MasterKeys bounds the rows that NewStreamKey is to be given.
func MasterKeys() (from, to []byte) { return store.Prefix(store.KeyringTable, "", "master") }

const (
	streamVersion   = 1
	streamHeadMax   = 4 << 10
	streamFieldsMax = 3
)

// ErrStream means bytes that are no head of a stream.
var ErrStream = errors.New("keyring: not the head of a stream")

// NewStreamKey makes a key for a stream of bytes that leaves the installation and
// is to be opened with the root key alone. head tells whoever has that how; it
// holds the key, wrapped. masters are the rows of the store that the stream is of,
// one of which this keyring's root key must have wrapped: else it opens the
// stream and not what is in it.
func (k *Keyring) NewStreamKey(masters iter.Seq2[store.Pair, error]) (head []byte, aead cipher.AEAD, err error) {
	k.mu.RLock()
	root := k.root
	k.mu.RUnlock()
	if root == nil {
		return nil, nil, ErrLocked
	}
	var parameters []byte
	known := false
	for pair, err := range masters {
		if err != nil {
			return nil, nil, err
		}
		row, err := parseMaster(pair.Key, pair.Value)
		if err != nil {
			return nil, nil, err
		}
		if row.root == root.ID() {
			parameters, known = row.parameters, true
		}
	}
	if !known {
		return nil, nil, fmt.Errorf("keyring: the root key was rotated by another process, and this one has the old one, %s", root.ID())
	}
	key := newSecret()
	defer key.clear()
	wrapped, err := root.Wrap(streamLabel(root.ID()), key.b[:])
	if err != nil {
		return nil, nil, fmt.Errorf("keyring: wrap stream key: %w", err)
	}
	head = []byte{streamVersion}
	for _, field := range [streamFieldsMax][]byte{[]byte(root.ID()), parameters, wrapped} {
		head = append(binary.AppendUvarint(head, uint64(len(field))), field...)
	}
	aead, err = newAEAD(key, "stream")
	return head, aead, err
}

// OpenStreamKey is the key of the stream that head begins. It answers a
// *WrongRootError or ErrStream.
func OpenStreamKey(root RootKey, head []byte) (cipher.AEAD, error) {
	if len(head) == 0 || len(head) > streamHeadMax || head[0] != streamVersion {
		return nil, ErrStream
	}
	var fields [streamFieldsMax][]byte
	rest := head[1:]
	for i := range fields {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, ErrStream
		}
		fields[i], rest = slices.Clone(rest[size:size+int(n)]), rest[size+int(n):]
	}
	id := string(fields[0])
	if len(rest) > 0 || len(fields[1]) > parametersMax {
		return nil, ErrStream
	}
	wrapper, err := root.With(fields[1])
	if errors.Is(err, errParameters) {
		return nil, &WrongRootError{Store: []string{id}, Given: "of another kind"}
	}
	if err != nil {
		return nil, err
	}
	if wrapper.ID() != id {
		return nil, &WrongRootError{Store: []string{id}, Given: wrapper.ID()}
	}
	plain, err := wrapper.Unwrap(streamLabel(id), fields[2])
	if err != nil || len(plain) != 32 {
		return nil, ErrStream
	}
	defer clear(plain)
	key := new(secret)
	copy(key.b[:], plain)
	defer key.clear()
	return newAEAD(key, "stream")
}

func streamLabel(root string) []byte { return []byte("garrison stream key 1 " + root) }
