// Package materialtest wraps key material for import, as AWS's customers do:
// it is for tests alone.
package materialtest

import (
	"crypto"
	"crypto/aes"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // linked in for crypto.Hash
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"strings"
)

// Wrap wraps a secret under the public key that GetParametersForImport
// answered, by a wrapping algorithm.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
func Wrap(public []byte, algorithm string, secret []byte) ([]byte, error) {
	parsed, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a public key of %T", parsed)
	}
	hash := crypto.SHA256
	if strings.HasSuffix(algorithm, "SHA_1") {
		hash = crypto.SHA1
	}
	oaep := func(secret []byte) (wrapped []byte, err error) {
		fips140.WithoutEnforcement(func() { wrapped, err = rsa.EncryptOAEP(hash.New(), rand.Reader, key, secret, nil) })
		return wrapped, err
	}
	if strings.HasPrefix(algorithm, "RSAES_OAEP") {
		return oaep(secret)
	}
	kek := make([]byte, 32)
	rand.Read(kek)
	wrapped, err := oaep(kek)
	if err != nil {
		return nil, err
	}
	inner, err := WrapPadded(kek, secret)
	return append(wrapped, inner...), err
}

// WrapPadded is AES key wrap with padding (RFC 5649, section 4.1).
func WrapPadded(kek, secret []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32([]byte{0xA6, 0x59, 0x59, 0xA6}, uint32(len(secret)))
	b = append(b, secret...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	if len(b) == 16 {
		block.Encrypt(b, b)
		return b, nil
	}
	n := len(b)/8 - 1
	var buffer [16]byte
	copy(buffer[:8], b)
	for j := range 6 {
		for i := 1; i <= n; i++ {
			copy(buffer[8:], b[8*i:8*i+8])
			block.Encrypt(buffer[:], buffer[:])
			binary.BigEndian.PutUint64(buffer[:8], binary.BigEndian.Uint64(buffer[:8])^uint64(n*j+i))
			copy(b[8*i:], buffer[8:])
		}
	}
	copy(b, buffer[:8])
	return b, nil
}
