package material

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"filippo.io/mldsa"
	mldsax509 "filippo.io/mldsa/x509"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// ErrMaterial means bytes that are no key of the spec.
var ErrMaterial = errors.New("material: not a key of this spec")

// Generate makes new material of a spec. RSA takes up to seconds.
func Generate(s Spec) ([]byte, error) {
	t := specs[s]
	switch t.family {
	case symmetric, mac:
		secret := make([]byte, t.size)
		rand.Read(secret)
		return secret, nil
	case rsaPair:
		key, err := rsa.GenerateKey(rand.Reader, t.size)
		if err != nil {
			return nil, fmt.Errorf("make an RSA key: %w", err)
		}
		return x509.MarshalPKCS8PrivateKey(key)
	case nistPair:
		key, err := ecdsa.GenerateKey(s.curve(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make an EC key: %w", err)
		}
		return x509.MarshalPKCS8PrivateKey(key)
	case koblitzPair:
		key, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			return nil, fmt.Errorf("make an EC key: %w", err)
		}
		defer key.Zero()
		return marshalKoblitz(key)
	case edwardsPair:
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, fmt.Errorf("make an Ed25519 key: %w", err)
		}
		return x509.MarshalPKCS8PrivateKey(key)
	case latticePair:
		key, err := mldsa.GenerateKey(s.parameters())
		if err != nil {
			return nil, fmt.Errorf("make an ML-DSA key: %w", err)
		}
		return mldsax509.MarshalPKCS8PrivateKey(key)
	}
	return nil, ErrMaterial
}

func (s Spec) curve() elliptic.Curve {
	switch s {
	case P256:
		return elliptic.P256()
	case P384:
		return elliptic.P384()
	}
	return elliptic.P521()
}

func (s Spec) parameters() mldsa.Parameters {
	switch s {
	case MLDSA44:
		return mldsa.MLDSA44()
	case MLDSA65:
		return mldsa.MLDSA65()
	}
	return mldsa.MLDSA87()
}

// ID names material in a key of that name: 64 hexadecimal digits that say
// nothing of the secret. The same material in the same key has the same ID, so
// that what is imported anew is known again.
func ID(key string, material []byte) string {
	h := hmac.New(sha256.New, material)
	h.Write([]byte("garrison kms material 1 " + key))
	return hex.EncodeToString(h.Sum(nil))
}

// Check tells whether material that comes from elsewhere is a key of the spec,
// and answers its public half if it has one; ErrMaterial if it is not.
func Check(s Spec, secret []byte) (public []byte, err error) {
	if !s.Paired() {
		if len(secret) != specs[s].size {
			return nil, ErrMaterial
		}
		return nil, nil
	}
	pair, err := OpenPair(s, secret)
	if err != nil {
		return nil, err
	}
	defer pair.Close()
	return pair.Public()
}
