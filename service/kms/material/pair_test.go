package material

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"testing"

	"github.com/garrison-security/garrison/service/kms/material/materialtest"
)

// Each spec signs by each of its algorithms what verifies, and nothing else does.
func TestSignatures(t *testing.T) {
	for _, spec := range []Spec{RSA2048, RSA3072, P256, P384, P521, P256K1, Ed25519, MLDSA44, MLDSA65, MLDSA87} {
		secret, err := Generate(spec)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := OpenPair(spec, secret)
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		public, err := pair.Public()
		if err != nil {
			t.Fatal(err)
		}
		for _, algorithm := range spec.Algorithms(ForSigning) {
			kind, message := Raw, []byte("a message")
			if algorithm == "ED25519_PH_SHA_512" {
				kind = Digest
			}
			signature, err := pair.Sign(algorithm, kind, message)
			if err != nil {
				t.Fatalf("%s %s: %v", spec, algorithm, err)
			}
			if err := Verify(spec, public, algorithm, kind, message, signature); err != nil {
				t.Errorf("%s %s: %v", spec, algorithm, err)
			}
			if err := Verify(spec, public, algorithm, kind, []byte("another"), signature); !errors.Is(err, ErrSignature) {
				t.Errorf("%s %s of another message: %v", spec, algorithm, err)
			}
			signature[len(signature)/2] ^= 1
			if err := Verify(spec, public, algorithm, kind, message, signature); !errors.Is(err, ErrSignature) {
				t.Errorf("%s %s altered: %v", spec, algorithm, err)
			}
		}
		for _, other := range []Spec{RSA4096, P256, Ed25519, MLDSA44, P256K1, P384} {
			if _, err := OpenPair(other, secret); other != spec && !errors.Is(err, ErrMaterial) {
				t.Errorf("%s opens as %s: %v", spec, other, err)
			}
		}
	}
}

// A digest signs as its message does, and only if it has the hash's length.
func TestDigests(t *testing.T) {
	message := []byte("a message")
	sum256, sum384, sum512 := sha256.Sum256(message), sha512.Sum384(message), sha512.Sum512(message)
	for _, c := range []struct {
		spec      Spec
		algorithm string
		digest    []byte
	}{
		{P256, "ECDSA_SHA_256", sum256[:]}, {P384, "ECDSA_SHA_384", sum384[:]}, {P521, "ECDSA_SHA_512", sum512[:]},
		{P256K1, "ECDSA_SHA_256", sum256[:]}, {RSA2048, "RSASSA_PSS_SHA_384", sum384[:]}, {RSA2048, "RSASSA_PKCS1_V1_5_SHA_512", sum512[:]},
	} {
		secret, _ := Generate(c.spec)
		pair, err := OpenPair(c.spec, secret)
		if err != nil {
			t.Fatal(err)
		}
		public, _ := pair.Public()
		signature, err := pair.Sign(c.algorithm, Digest, c.digest)
		if err != nil || Verify(c.spec, public, c.algorithm, Raw, message, signature) != nil {
			t.Errorf("%s: a digest's signature is not the message's: %v", c.algorithm, err)
		}
		if _, err := pair.Sign(c.algorithm, Digest, c.digest[1:]); !errors.Is(err, ErrDigest) {
			t.Errorf("%s: a short digest: %v", c.algorithm, err)
		}
		if _, err := pair.Sign(c.algorithm, ExternalMu, c.digest); !errors.Is(err, ErrMessageType) {
			t.Errorf("%s: a mu: %v", c.algorithm, err)
		}
		if _, err := pair.Sign("ML_DSA_SHAKE_256", Raw, message); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s signs by ML-DSA: %v", c.spec, err)
		}
	}
}

func TestUnwrap(t *testing.T) {
	der, err := Generate(RSA2048)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := OpenPair(RSA2048, der)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := pair.Public()
	for algorithm, want := range map[string][]byte{
		"RSAES_OAEP_SHA_1":         bytes.Repeat([]byte{3}, 32),
		"RSAES_OAEP_SHA_256":       bytes.Repeat([]byte{3}, 32),
		"RSA_AES_KEY_WRAP_SHA_1":   bytes.Repeat([]byte{5}, 1217),
		"RSA_AES_KEY_WRAP_SHA_256": bytes.Repeat([]byte{5}, 8),
	} {
		wrapped, err := materialtest.Wrap(public, algorithm, want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Unwrap(der, algorithm, wrapped); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v", algorithm, got, err)
		}
		wrapped[len(wrapped)-1] ^= 1
		if _, err := Unwrap(der, algorithm, wrapped); !errors.Is(err, ErrCiphertext) {
			t.Errorf("%s altered: %v", algorithm, err)
		}
		if _, err := Unwrap(der, algorithm, nil); !errors.Is(err, ErrCiphertext) {
			t.Errorf("%s of nothing: %v", algorithm, err)
		}
	}
	if _, err := Unwrap(der, "RSAES_PKCS1_V1_5", make([]byte, 256)); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("an algorithm that AWS has ended: %v", err)
	}
}

func FuzzUnwrapPadded(f *testing.F) {
	f.Add(bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{1}, 24))
	f.Fuzz(func(t *testing.T, key, wrapped []byte) {
		secret, err := unwrapPadded(key, wrapped)
		if err != nil {
			return
		}
		if again, err := materialtest.WrapPadded(key, secret); err != nil || !bytes.Equal(again, wrapped) {
			t.Errorf("%x unwraps to %x, which wraps otherwise", wrapped, secret)
		}
	})
}

func FuzzOpenPair(f *testing.F) {
	for _, spec := range []Spec{P256, P256K1, Ed25519, MLDSA44} {
		secret, _ := Generate(spec)
		f.Add(string(spec), secret)
	}
	f.Fuzz(func(t *testing.T, spec string, der []byte) {
		if pair, err := OpenPair(Spec(spec), der); err == nil {
			if _, err := pair.Public(); err != nil {
				t.Error(err)
			}
		}
	})
}
