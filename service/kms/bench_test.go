package kms_test

import (
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
)

// BenchmarkEncrypt is the path of a call without the wire.
func BenchmarkEncrypt(b *testing.B) {
	p := newPlane(b)
	key := p.key()
	in := &api.EncryptInput{KeyId: key.KeyId, Plaintext: make([]byte, 1024), EncryptionContext: map[string]string{"tenant": "blue", "purpose": "bench"}}
	b.ReportAllocs()
	for b.Loop() {
		call(p, p.root, api.Encrypt, in)
	}
}
