package s3

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/garrison-security/garrison/blob"
)

// sealing seals the keys of an object's blobs, or its small content, under a key
// that no row keeps: made of KMS's data key or of the customer's own. A nil one
// seals nothing: the store alone does, which is SSE-S3.
type sealing struct {
	aead   cipher.AEAD
	bucket string
}

// newSealing makes one of a secret and a salt (HKDF with SHA-256, RFC 5869).
func newSealing(secret, salt []byte, b *Bucket) (*sealing, error) {
	key, err := hkdf.Key(sha256.New, secret, salt, "garrison s3: content keys of "+b.ID, 32)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealing{aead, b.ID}, err
}

// bound is what is sealed belongs to: the bucket, and the blob or row of that name.
func (s *sealing) bound(name string) []byte { return []byte("s3 " + s.bucket + " " + name) }

// seal seals what belongs to the blob or the row of that name.
func (s *sealing) seal(plain []byte, name string) []byte {
	if s == nil {
		return plain
	}
	return s.aead.Seal(nil, nil, plain, s.bound(name))
}

// open opens what seal sealed, or answers blob.ErrDamaged.
func (s *sealing) open(sealed []byte, name string) ([]byte, error) {
	if s == nil {
		return sealed, nil
	}
	plain, err := s.aead.Open(nil, nil, sealed, s.bound(name))
	if err != nil {
		return nil, fmt.Errorf("%w: what belongs to %s does not open", blob.ErrDamaged, name)
	}
	return plain, nil
}
