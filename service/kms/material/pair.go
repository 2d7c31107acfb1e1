package material

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"

	"filippo.io/mldsa"
	mldsax509 "filippo.io/mldsa/x509"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Pair is the private half of a key pair, opened for one use.
type Pair struct {
	spec Spec
	key  any // *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, *secp256k1.PrivateKey, *mldsa.PrivateKey
}

// OpenPair reads PKCS #8 that must hold exactly a key of the spec; ErrMaterial if it does not.
func OpenPair(s Spec, der []byte) (*Pair, error) {
	if !s.Paired() {
		return nil, ErrMaterial
	}
	if specs[s].family == koblitzPair {
		key, err := parseKoblitz(der)
		if err != nil {
			return nil, ErrMaterial
		}
		return &Pair{s, key}, nil
	}
	if specs[s].family == latticePair {
		key, err := mldsax509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, ErrMaterial
		}
		lattice, ok := key.(*mldsa.PrivateKey)
		if !ok || lattice.PublicKey().Parameters() != s.parameters() {
			return nil, ErrMaterial
		}
		return &Pair{s, lattice}, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, ErrMaterial
	}
	var fits bool
	switch key := key.(type) {
	case *rsa.PrivateKey:
		fits = specs[s].family == rsaPair && key.N.BitLen() == specs[s].size && len(key.Primes) == 2 && key.E >= minExponent
	case *ecdsa.PrivateKey:
		fits = specs[s].family == nistPair && key.Curve == s.curve()
	case ed25519.PrivateKey:
		fits = specs[s].family == edwardsPair
	}
	if !fits {
		return nil, ErrMaterial
	}
	return &Pair{s, key}, nil
}

// minExponent is the least public exponent of an RSA key (FIPS 186-5, A.1.1).
const minExponent = 1<<16 + 1

// Public is the public half.
func (p *Pair) Public() ([]byte, error) {
	switch key := p.key.(type) {
	case *rsa.PrivateKey:
		return x509.MarshalPKIXPublicKey(&key.PublicKey)
	case *ecdsa.PrivateKey:
		return x509.MarshalPKIXPublicKey(&key.PublicKey)
	case ed25519.PrivateKey:
		return x509.MarshalPKIXPublicKey(key.Public())
	case *secp256k1.PrivateKey:
		return marshalKoblitzPublic(key.PubKey())
	case *mldsa.PrivateKey:
		return mldsax509.MarshalPKIXPublicKey(key.PublicKey())
	}
	return nil, ErrMaterial
}

// Close clears what can be cleared of the private half.
func (p *Pair) Close() {
	switch key := p.key.(type) {
	case ed25519.PrivateKey:
		clear(key)
	case *secp256k1.PrivateKey:
		key.Zero()
	}
	p.key = nil
}
