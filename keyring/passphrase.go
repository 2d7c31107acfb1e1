package keyring

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// PassphraseVariable is the environment variable that holds a passphrase.
const PassphraseVariable = "GARRISON_ROOT_PASSPHRASE"

// Bounds of PBKDF2-HMAC-SHA256. The count is OWASP's for this hash; the longest
// that a store may ask for bounds what a changed row can cost a start.
const (
	passphraseMin     = 16 // bytes; FIPS 140 asks for 14
	passphraseMax     = 1024
	iterations        = 600_000
	iterationsMax     = 10_000_000
	saltSize          = 32
	parametersVersion = 1
)

// passphrase is a root key derived from words.
type passphrase struct {
	words string

	mu      sync.Mutex
	derived map[string]*software // by parameters: a derivation takes a tenth of a second
}

// Passphrase is a root key made of words by PBKDF2-HMAC-SHA256 with a salt that
// the store keeps. Words shorter than 16 bytes are refused. Whoever has the
// store can try words without limit: they must be hard to guess.
func Passphrase(words string) (RootKey, error) {
	if len(words) < passphraseMin || len(words) > passphraseMax {
		return nil, fmt.Errorf("keyring: a passphrase has %d to %d bytes", passphraseMin, passphraseMax)
	}
	return &passphrase{words: strings.Clone(words), derived: map[string]*software{}}, nil
}

// FromEnvironment is the passphrase in PassphraseVariable, which it takes out
// of the environment so that no child inherits it; nil if there is none.
func FromEnvironment() (RootKey, error) {
	words, set := os.LookupEnv(PassphraseVariable)
	if !set {
		return nil, nil
	}
	if err := os.Unsetenv(PassphraseVariable); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	key, err := Passphrase(words)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", PassphraseVariable, err)
	}
	return key, nil
}

// Parameters implements RootKey: version, count (uint32), salt.
func (p *passphrase) Parameters() ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte{parametersVersion}, iterations)
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return append(b, salt...), nil
}

var errParameters = errors.New("keyring: the store's keys are not wrapped under a passphrase")

// With implements RootKey.
func (p *passphrase) With(parameters []byte) (Wrapper, error) {
	if len(parameters) != 5+saltSize || parameters[0] != parametersVersion {
		return nil, errParameters
	}
	count := binary.BigEndian.Uint32(parameters[1:])
	if count < iterations/10 || count > iterationsMax {
		return nil, fmt.Errorf("%w: a passphrase's count of %d", ErrDamaged, count)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.derived[string(parameters)]; w != nil {
		return w, nil
	}
	raw, err := pbkdf2.Key(sha256.New, p.words, parameters[5:], int(count), 32)
	if err != nil {
		return nil, fmt.Errorf("keyring: passphrase: %w", err)
	}
	defer clear(raw)
	key := new(secret)
	defer key.clear()
	copy(key.b[:], raw)
	w, err := newSoftware(key)
	if err != nil {
		return nil, err
	}
	p.derived[string(parameters)] = w
	return w, nil
}

// Format implements fmt.Formatter, so that no verb prints the words.
func (p *passphrase) Format(f fmt.State, _ rune) { redact(f) }
