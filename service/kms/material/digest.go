package material

import (
	"crypto"
	_ "crypto/sha256" // linked in for crypto.Hash
	_ "crypto/sha512"
	"errors"
	"strings"
)

// Types of messages to be signed.
const (
	Raw        = "RAW"         // hashed here
	Digest     = "DIGEST"      // hashed by the caller
	ExternalMu = "EXTERNAL_MU" // ML-DSA's message representative (FIPS 204, section 6.2)
)

var (
	// ErrDigest means a digest whose length is not the algorithm's.
	ErrDigest = errors.New("material: a digest of another length")
	// ErrMessageType means a type of message that the algorithm does not take.
	ErrMessageType = errors.New("material: a type of message that the algorithm does not take")
	// ErrAlgorithm means an algorithm that the key's spec does not have.
	ErrAlgorithm = errors.New("material: an algorithm that the spec does not have")
)

// hashOf is the hash that an algorithm's name ends with.
func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.HasSuffix(algorithm, "SHA_224"):
		return crypto.SHA224
	case strings.HasSuffix(algorithm, "SHA_256"):
		return crypto.SHA256
	case strings.HasSuffix(algorithm, "SHA_384"):
		return crypto.SHA384
	case strings.HasSuffix(algorithm, "SHA_512"):
		return crypto.SHA512
	}
	return 0
}

// digest is what is signed of a message: its hash, or itself if it is one.
func digest(algorithm, kind string, message []byte) ([]byte, crypto.Hash, error) {
	hash := hashOf(algorithm)
	switch kind {
	case Raw:
		h := hash.New()
		h.Write(message)
		return h.Sum(nil), hash, nil
	case Digest:
		if len(message) != hash.Size() {
			return nil, 0, ErrDigest
		}
		return message, hash, nil
	}
	return nil, 0, ErrMessageType
}
