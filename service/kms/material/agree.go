package material

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
)

// Agree is the shared secret with the holder of a public key, DER, on the same
// curve: the x coordinate (NIST SP 800-56A, 5.7.1.2). ErrPublicKey for any
// other key, and for a point that is not on the curve.
func (p *Pair) Agree(public []byte) ([]byte, error) {
	key, ok := p.key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, ErrAlgorithm
	}
	parsed, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return nil, ErrPublicKey
	}
	peer, ok := parsed.(*ecdsa.PublicKey)
	if !ok || peer.Curve != key.Curve {
		return nil, ErrPublicKey
	}
	var theirs *ecdh.PublicKey
	if theirs, err = peer.ECDH(); err != nil {
		return nil, ErrPublicKey
	}
	own, err := key.ECDH()
	if err != nil {
		return nil, err
	}
	secret, err := own.ECDH(theirs)
	if err != nil {
		return nil, ErrPublicKey
	}
	return secret, nil
}
