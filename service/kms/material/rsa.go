package material

import (
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // linked in for crypto.Hash
	"errors"
	"fmt"
)

var (
	// ErrCiphertext means bytes that do not decrypt: altered, of another key, another algorithm or another context.
	ErrCiphertext = errors.New("material: does not decrypt")
	// ErrTooLong means a plaintext longer than the algorithm takes.
	ErrTooLong = errors.New("material: plaintext too long")
)

// oaep is the hash of an RSAES-OAEP algorithm, of the message and of the mask; 0 if it is none.
func oaep(algorithm string) crypto.Hash {
	switch algorithm {
	case "RSAES_OAEP_SHA_1":
		return crypto.SHA1
	case "RSAES_OAEP_SHA_256":
		return crypto.SHA256
	}
	return 0
}

// withSHA1 runs f where SHA-1 is allowed, which a FIPS-only process refuses:
// AWS's RSAES_OAEP_SHA_1 and RSA_AES_KEY_WRAP_SHA_1 need it, and inside OAEP it
// bears no collision resistance.
func withSHA1(hash crypto.Hash, f func()) {
	if hash == crypto.SHA1 {
		fips140.WithoutEnforcement(f)
		return
	}
	f()
}

// MaxPlaintext is the longest plaintext, in bytes, that an RSA spec encrypts by an algorithm (RFC 8017, 7.1.1).
func MaxPlaintext(s Spec, algorithm string) int {
	return specs[s].size/8 - 2*oaep(algorithm).Size() - 2
}

// Encrypt encrypts to an RSA public key, DER, without a label.
func Encrypt(s Spec, public []byte, algorithm string, plaintext []byte) (ciphertext []byte, err error) {
	if !s.Has(ForEncryption, algorithm) || !s.RSA() {
		return nil, ErrAlgorithm
	}
	if len(plaintext) > MaxPlaintext(s, algorithm) {
		return nil, ErrTooLong
	}
	key, err := parsePublic(s, public)
	if err != nil {
		return nil, err
	}
	hash := oaep(algorithm)
	withSHA1(hash, func() {
		ciphertext, err = rsa.EncryptOAEP(hash.New(), rand.Reader, key.(*rsa.PublicKey), plaintext, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return ciphertext, nil
}

// Decrypt opens what Encrypt made. Whatever is wrong, it answers ErrCiphertext.
func (p *Pair) Decrypt(algorithm string, ciphertext []byte) (plaintext []byte, err error) {
	key, ok := p.key.(*rsa.PrivateKey)
	if !ok || !p.spec.Has(ForEncryption, algorithm) {
		return nil, ErrAlgorithm
	}
	return decryptOAEP(key, oaep(algorithm), ciphertext)
}

func decryptOAEP(key *rsa.PrivateKey, hash crypto.Hash, ciphertext []byte) (plaintext []byte, err error) {
	withSHA1(hash, func() { plaintext, err = rsa.DecryptOAEP(hash.New(), nil, key, ciphertext, nil) })
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}
