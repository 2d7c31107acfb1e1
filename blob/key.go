package blob

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
)

// Key seals one blob, and no second one. However it is printed, logged or
// encoded as text, it says nothing.
type Key struct{ b [32]byte }

// NewKey is a fresh key.
func NewKey() *Key {
	k := new(Key)
	rand.Read(k.b[:]) // never fails: crypto/rand ends the program instead
	return k
}

// KeyOf is the key of 32 bytes that Bytes gave.
func KeyOf(b []byte) (*Key, error) {
	k := new(Key)
	if len(b) != len(k.b) {
		return nil, fmt.Errorf("blob: a key of %d bytes", len(b))
	}
	copy(k.b[:], b)
	return k, nil
}

// Bytes is the key's own bytes, to be sealed.
func (k *Key) Bytes() []byte { return k.b[:] }

// Clear forgets the key.
func (k *Key) Clear() { clear(k.b[:]) }

const redacted = "[redacted]"

// String implements fmt.Stringer.
func (*Key) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (*Key) GoString() string { return redacted }

// Format implements fmt.Formatter.
func (*Key) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json follows.
func (*Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (*Key) LogValue() slog.Value { return slog.StringValue(redacted) }
