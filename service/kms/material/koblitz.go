package material

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// secp256k1 in DER, which the standard library's x509 does not know (RFC 5480, RFC 5915, SEC 2).
var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSecp256k1   = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// koblitzParameters is the curve's name in DER, and no more.
var koblitzParameters = func() asn1.RawValue {
	der, err := asn1.Marshal(oidSecp256k1)
	if err != nil {
		panic(err)
	}
	return asn1.RawValue{FullBytes: der}
}()

type pkcs8 struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	Key        []byte
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
}

type ecPrivateKey struct {
	Version    int
	Key        []byte
	Parameters asn1.RawValue  `asn1:"optional,explicit,tag:0"`
	Public     asn1.BitString `asn1:"optional,explicit,tag:1"`
}

type publicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

func koblitzAlgorithm() pkix.AlgorithmIdentifier {
	return pkix.AlgorithmIdentifier{Algorithm: oidECPublicKey, Parameters: koblitzParameters}
}

func namesKoblitz(a pkix.AlgorithmIdentifier) bool {
	return a.Algorithm.Equal(oidECPublicKey) && string(a.Parameters.FullBytes) == string(koblitzParameters.FullBytes)
}

func marshalKoblitz(key *secp256k1.PrivateKey) ([]byte, error) {
	secret := key.Serialize()
	defer clear(secret)
	public := key.PubKey().SerializeUncompressed()
	inner, err := asn1.Marshal(ecPrivateKey{Version: 1, Key: secret, Public: asn1.BitString{Bytes: public, BitLength: 8 * len(public)}})
	if err != nil {
		return nil, err
	}
	defer clear(inner)
	return asn1.Marshal(pkcs8{Algorithm: koblitzAlgorithm(), Key: inner})
}

func parseKoblitz(der []byte) (*secp256k1.PrivateKey, error) {
	var outer pkcs8
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 || !namesKoblitz(outer.Algorithm) {
		return nil, ErrMaterial
	}
	var inner ecPrivateKey
	if rest, err := asn1.Unmarshal(outer.Key, &inner); err != nil || len(rest) > 0 || inner.Version != 1 || len(inner.Key) != 32 {
		return nil, ErrMaterial
	}
	defer clear(outer.Key)
	defer clear(inner.Key)
	var scalar secp256k1.ModNScalar
	if scalar.SetByteSlice(inner.Key) || scalar.IsZero() {
		return nil, ErrMaterial
	}
	key := secp256k1.NewPrivateKey(&scalar)
	if given := inner.Public.Bytes; len(given) > 0 {
		public, err := secp256k1.ParsePubKey(given)
		if err != nil || !public.IsEqual(key.PubKey()) {
			return nil, ErrMaterial
		}
	}
	return key, nil
}

func marshalKoblitzPublic(key *secp256k1.PublicKey) ([]byte, error) {
	b := key.SerializeUncompressed()
	return asn1.Marshal(publicKeyInfo{koblitzAlgorithm(), asn1.BitString{Bytes: b, BitLength: 8 * len(b)}})
}

func parseKoblitzPublic(der []byte) (*secp256k1.PublicKey, error) {
	var info publicKeyInfo
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 || !namesKoblitz(info.Algorithm) {
		return nil, ErrPublicKey
	}
	key, err := secp256k1.ParsePubKey(info.Key.RightAlign())
	if err != nil {
		return nil, ErrPublicKey
	}
	return key, nil
}
