package keyring

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

const redacted = "[redacted]"

// secret is a 256-bit key in memory. However it is printed, logged or encoded,
// it says nothing.
type secret struct{ b [32]byte }

func newSecret() *secret {
	s := new(secret)
	rand.Read(s.b[:]) // never fails: crypto/rand ends the program instead
	return s
}

// String implements fmt.Stringer.
func (*secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (*secret) GoString() string { return redacted }

// Format implements fmt.Formatter.
func (*secret) Format(f fmt.State, _ rune) { redact(f) }

// MarshalText implements encoding.TextMarshaler, which encoding/json follows.
func (*secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (*secret) LogValue() slog.Value { return slog.StringValue(redacted) }

func (s *secret) clear() { clear(s.b[:]) }

func redact(f fmt.State) { io.WriteString(f, redacted) }

func joined(ids []string) string {
	if len(ids) == 0 {
		return "unknown"
	}
	return strings.Join(ids, " or ")
}

// Purposes separate what is sealed for one end from what is sealed for another.
const (
	forValues = 'V'
	forTokens = 'T'
)

// aad is additional data in a reused buffer.
type aad struct{ b []byte }

var aads = sync.Pool{New: func() any { return &aad{make([]byte, 0, 512)} }}

// additional joins purpose, name and rest so that no two triples give the same bytes.
func additional(purpose byte, name string, rest []byte) *aad {
	a := aads.Get().(*aad)
	a.b = append(a.b[:0], purpose)
	a.b = binary.AppendUvarint(a.b, uint64(len(name)))
	a.b = append(a.b, name...)
	a.b = append(a.b, rest...)
	return a
}

func (a *aad) free() {
	if cap(a.b) <= 64<<10 {
		aads.Put(a)
	}
}
