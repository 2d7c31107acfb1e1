package material

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"filippo.io/mldsa"
	"filippo.io/mldsa/mldsacrypto"
	mldsax509 "filippo.io/mldsa/x509"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

var (
	// ErrSignature means a signature that is not one of the message by the key.
	ErrSignature = errors.New("material: not the key's signature of the message")
	// ErrPublicKey means bytes that are no public key of the spec.
	ErrPublicKey = errors.New("material: not a public key of this spec")
	// ErrUnbuilt means a combination that AWS has and this package does not.
	ErrUnbuilt = errors.New("material: not built")
)

// muSize is the length of ML-DSA's message representative.
const muSize = 64

// Sign signs a message, or its digest, by an algorithm. The signature is
// PKCS #1's for RSA, DER (RFC 3279, 2.2.3) for ECDSA, and raw for Ed25519 and
// ML-DSA.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
func (p *Pair) Sign(algorithm, kind string, message []byte) ([]byte, error) {
	if !p.spec.Has(ForSigning, algorithm) {
		return nil, ErrAlgorithm
	}
	switch key := p.key.(type) {
	case ed25519.PrivateKey:
		prepared, options, err := edwards(algorithm, kind, message)
		if err != nil {
			return nil, err
		}
		return key.Sign(nil, prepared, options)
	case *mldsa.PrivateKey:
		switch {
		case kind == Raw:
			return key.Sign(rand.Reader, message, nil)
		case kind != ExternalMu:
			return nil, ErrMessageType
		case len(message) != muSize:
			return nil, ErrDigest
		}
		return key.Sign(rand.Reader, message, mldsacrypto.MLDSAMu)
	}
	hashed, hash, err := digest(algorithm, kind, message)
	if err != nil {
		return nil, err
	}
	switch key := p.key.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(algorithm, "RSASSA_PSS") {
			return rsa.SignPSS(rand.Reader, key, hash, hashed, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, key, hash, hashed)
	case *ecdsa.PrivateKey:
		return ecdsa.SignASN1(rand.Reader, key, hashed)
	case *secp256k1.PrivateKey:
		return koblitz.Sign(key, hashed).Serialize(), nil
	}
	return nil, ErrAlgorithm
}

// edwards is what Ed25519 is given for an algorithm and a type of message. With
// ED25519_PH_SHA_512 the message is hashed although it is called a digest, as
// AWS does.
func edwards(algorithm, kind string, message []byte) ([]byte, *ed25519.Options, error) {
	if algorithm == "ED25519_SHA_512" {
		if kind != Raw {
			return nil, nil, ErrMessageType
		}
		return message, &ed25519.Options{}, nil
	}
	if kind != Digest {
		return nil, nil, ErrMessageType
	}
	hashed := sha512.Sum512(message)
	return hashed[:], &ed25519.Options{Hash: crypto.SHA512}, nil
}

// Verify checks a signature with a public key, DER, of a spec: ErrSignature if
// it is not the message's.
func Verify(s Spec, public []byte, algorithm, kind string, message, signature []byte) error {
	if !s.Has(ForSigning, algorithm) {
		return ErrAlgorithm
	}
	key, err := parsePublic(s, public)
	if err != nil {
		return err
	}
	switch key := key.(type) {
	case ed25519.PublicKey:
		prepared, options, err := edwards(algorithm, kind, message)
		if err != nil {
			return err
		}
		return valid(ed25519.VerifyWithOptions(key, prepared, signature, options) == nil)
	case *mldsa.PublicKey:
		switch kind {
		case Raw:
			return valid(mldsa.Verify(key, message, signature, nil) == nil)
		case ExternalMu:
			if len(message) != muSize {
				return ErrDigest
			}
			return ErrUnbuilt
		}
		return ErrMessageType
	}
	hashed, hash, err := digest(algorithm, kind, message)
	if err != nil {
		return err
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if strings.HasPrefix(algorithm, "RSASSA_PSS") {
			return valid(rsa.VerifyPSS(key, hash, hashed, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil)
		}
		return valid(rsa.VerifyPKCS1v15(key, hash, hashed, signature) == nil)
	case *ecdsa.PublicKey:
		return valid(ecdsa.VerifyASN1(key, hashed, signature))
	case *secp256k1.PublicKey:
		parsed, err := koblitz.ParseDERSignature(signature)
		return valid(err == nil && parsed.Verify(hashed, key))
	}
	return ErrAlgorithm
}

func valid(ok bool) error {
	if !ok {
		return ErrSignature
	}
	return nil
}

// parsePublic reads a public key, which must be of the spec.
func parsePublic(s Spec, der []byte) (any, error) {
	switch specs[s].family {
	case koblitzPair:
		return parseKoblitzPublic(der)
	case latticePair:
		key, err := mldsax509.ParsePKIXPublicKey(der)
		if lattice, ok := key.(*mldsa.PublicKey); err == nil && ok && lattice.Parameters() == s.parameters() {
			return lattice, nil
		}
		return nil, ErrPublicKey
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if specs[s].family == rsaPair && key.N.BitLen() == specs[s].size {
			return key, nil
		}
	case *ecdsa.PublicKey:
		if specs[s].family == nistPair && key.Curve == s.curve() {
			return key, nil
		}
	case ed25519.PublicKey:
		if specs[s].family == edwardsPair {
			return key, nil
		}
	}
	return nil, ErrPublicKey
}
