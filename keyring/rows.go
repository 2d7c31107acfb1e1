package keyring

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/garrison-security/garrison/store"
)

// The rows of the keyring. Their values are wrapped keys, which engines store
// as they are.
//
//	master, generation (16 hex digits), root key id
//	    version, length of parameters, parameters, wrapped master key
//	scope, name
//	    version, state, generation (uvarint), wrapped data key; or, destroyed, a proof of it
const (
	rowVersion = 1

	stateLive      = 0
	stateDestroyed = 1

	parametersMax = 1 << 10
	mastersMax    = 64 // rows; two are ordinary while a rotation is unfinished
)

// master is one generation of the key that wraps scopes' keys.
type master struct {
	key  *secret
	aead cipher.AEAD
}

func newMaster(key *secret) (*master, error) {
	aead, err := newAEAD(key, "scope wrap")
	if err != nil {
		return nil, err
	}
	return &master{key, aead}, nil
}

// masterRow is a generation of the master key as one root key wraps it.
type masterRow struct {
	generation uint64
	root       string
	parameters []byte
	wrapped    []byte
}

func (r *masterRow) key() []byte {
	return store.Key(store.KeyringTable, "", "master", fmt.Sprintf("%016x", r.generation), r.root)
}

func (r *masterRow) label() []byte {
	return binary.BigEndian.AppendUint64([]byte("garrison master 1 "), r.generation)
}

func (r *masterRow) value() []byte {
	b := binary.AppendUvarint([]byte{rowVersion}, uint64(len(r.parameters)))
	return append(append(b, r.parameters...), r.wrapped...)
}

// wrapMaster is the row that keeps key, of that generation, under root.
func wrapMaster(generation uint64, key *secret, root Wrapper, parameters []byte) (*masterRow, error) {
	row := &masterRow{generation: generation, root: root.ID(), parameters: parameters}
	wrapped, err := root.Wrap(row.label(), key.b[:])
	if err != nil {
		return nil, fmt.Errorf("keyring: wrap master key: %w", err)
	}
	row.wrapped = wrapped
	return row, nil
}

func (r *masterRow) unwrap(root Wrapper) (*master, error) {
	plain, err := root.Unwrap(r.label(), r.wrapped)
	if err != nil {
		return nil, fmt.Errorf("keyring: unwrap master key: %w", err)
	}
	defer clear(plain)
	if len(plain) != 32 {
		return nil, fmt.Errorf("%w: a master key of %d bytes", ErrDamaged, len(plain))
	}
	key := new(secret)
	copy(key.b[:], plain)
	return newMaster(key)
}

// readMasters reads the rows of master keys, oldest generation first.
func readMasters(tx store.Tx) ([]*masterRow, error) {
	var rows []*masterRow
	from, to := store.Prefix(store.KeyringTable, "", "master")
	for pair, err := range tx.Scan(from, to, false) {
		if err != nil {
			return nil, err
		}
		row, err := parseMaster(pair.Key, pair.Value)
		if err != nil {
			return nil, err
		}
		if rows = append(rows, row); len(rows) > mastersMax {
			return nil, fmt.Errorf("%w: too many master keys", ErrDamaged)
		}
	}
	return rows, nil
}

func parseMaster(key, value []byte) (*masterRow, error) {
	_, _, parts, ok := store.Parts(key)
	if !ok || len(parts) != 3 || len(value) == 0 {
		return nil, fmt.Errorf("%w: a row of a master key", ErrDamaged)
	}
	if value[0] != rowVersion {
		return nil, fmt.Errorf("%w: a master key's row of version %d, of a newer release", ErrDamaged, value[0])
	}
	row := &masterRow{root: parts[2]}
	n, size := binary.Uvarint(value[1:])
	if _, err := fmt.Sscanf(parts[1], "%016x", &row.generation); err != nil || size <= 0 || n > parametersMax || uint64(len(value)-1-size) < n {
		return nil, fmt.Errorf("%w: a row of a master key", ErrDamaged)
	}
	rest := value[1+size:]
	row.parameters, row.wrapped = slices.Clone(rest[:n]), slices.Clone(rest[n:])
	return row, nil
}

func scopeKey(name string) []byte {
	return store.Key(store.KeyringTable, "", "scope", name)
}

// label is what a scope's wrapped key is bound to.
func (s *scope) label() []byte {
	state := byte(stateLive)
	if s.destroyed {
		state = stateDestroyed
	}
	b := append([]byte("garrison scope 1 "), state)
	b = binary.BigEndian.AppendUint64(b, s.generation)
	return append(b, s.name...)
}

func (s *scope) value() []byte {
	b := []byte{rowVersion, stateLive}
	if s.destroyed {
		b[1] = stateDestroyed
	}
	return append(binary.AppendUvarint(b, s.generation), s.wrapped...)
}

func parseScope(name string, value []byte) (*scope, error) {
	if len(value) < 3 || value[1] > stateDestroyed {
		return nil, fmt.Errorf("%w: the row of scope %q", ErrDamaged, name)
	}
	if value[0] != rowVersion {
		return nil, fmt.Errorf("%w: the row of scope %q is of version %d, of a newer release", ErrDamaged, name, value[0])
	}
	generation, size := binary.Uvarint(value[2:])
	if size <= 0 {
		return nil, fmt.Errorf("%w: the row of scope %q", ErrDamaged, name)
	}
	return &scope{
		name: name, destroyed: value[1] == stateDestroyed,
		generation: generation, wrapped: slices.Clone(value[2+size:]),
	}, nil
}

// wrap is a scope whose key is data, or, data being nil, one that is destroyed:
// an empty message sealed by the master, which nobody else can make.
func (m *master) wrap(name string, generation uint64, data *secret) *scope {
	s := &scope{name: name, generation: generation, destroyed: data == nil}
	var plain []byte
	if data != nil {
		plain = data.b[:]
	}
	s.wrapped = m.aead.Seal(nil, nil, plain, s.label())
	return s
}

var errNoMaster = errors.New("wrapped by a master key that is not here")

// unwrap is the scope's data key, or nil for a destroyed one. The caller clears it.
func (k *Keyring) unwrap(s *scope) (*secret, error) {
	k.mu.RLock()
	m := k.masters[s.generation]
	k.mu.RUnlock()
	return s.unwrapBy(m)
}

func (s *scope) unwrapBy(m *master) (*secret, error) {
	if m == nil {
		return nil, fmt.Errorf("%w: the key of scope %q: %w", ErrDamaged, s.name, errNoMaster)
	}
	var buffer [32]byte
	plain, err := m.aead.Open(buffer[:0], nil, s.wrapped, s.label())
	want := 32
	if s.destroyed {
		want = 0
	}
	if err != nil || len(plain) != want {
		return nil, fmt.Errorf("%w: the key of scope %q does not open", ErrDamaged, s.name)
	}
	if s.destroyed {
		return nil, nil
	}
	data := new(secret)
	copy(data.b[:], plain)
	clear(plain)
	return data, nil
}
