package material

import (
	"crypto/rand"
	"crypto/sha256"
)

// A CiphertextBlob of a key in a custom key store, version 2, has the header of
// version 1 before what the key store made of the plaintext:
//
//	 0  39  as in version 1, but for the version
//	39   n  the key store's own form
//
// Header and encryption context are bound to it by what Bound makes of them.
const outsideVersion = 2

// Bound is what a key store outside is to authenticate beside the plaintext:
// the header, and a hash of the encryption context. It has the same length
// for every context.
func (h Header) Bound(c Context) ([]byte, error) {
	b, err := h.append(make([]byte, 0, blobSalt+sha256.Size))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(c.append(nil))
	return append(b, sum[:]...), nil
}

// Wrap is the blob of what a key store outside answered.
func (h Header) Wrap(sealed []byte) ([]byte, error) {
	b, err := h.append(make([]byte, 0, blobSalt+len(sealed)))
	if err != nil {
		return nil, err
	}
	return append(b, sealed...), nil
}

// Outside is what stands in a blob of version 2 beside its header.
func Outside(blob []byte) ([]byte, error) {
	if len(blob) <= blobSalt || blob[0] != outsideVersion {
		return nil, ErrCiphertext
	}
	return blob[blobSalt:], nil
}

// innerOverhead is how much longer than its plaintext an inner ciphertext is: salt, nonce and tag, in bytes.
const innerOverhead = 16 + 12 + 16

// SealInner is the first of the two encryptions of a key in an external key
// store: under KMS's own material, before the external key's. What it answers
// is no blob, and nothing but OpenInner opens it.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/keystore-external.html#concept-double-encryption
func SealInner(secret, bound, plaintext []byte) ([]byte, error) {
	b := make([]byte, 16, innerOverhead+len(plaintext))
	rand.Read(b)
	aead, err := blobKey(secret, "garrison kms inner 1 ", b)
	if err != nil {
		return nil, err
	}
	return aead.Seal(b, nil, plaintext, bound), nil
}

// OpenInner opens what SealInner made; ErrCiphertext if it is not that.
func OpenInner(secret, bound, inner []byte) ([]byte, error) {
	if len(inner) < innerOverhead {
		return nil, ErrCiphertext
	}
	aead, err := blobKey(secret, "garrison kms inner 1 ", inner[:16])
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, nil, inner[16:], bound)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}
