package kms_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"sync"
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

// What each kind of key signs verifies here, and nothing else does.
func TestSignAndVerify(t *testing.T) {
	p := newPlane(t)
	for _, spec := range []api.KeySpec{"RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_DSA_44"} {
		key := p.key(of(spec, "SIGN_VERIFY"))
		if len(key.SigningAlgorithms) == 0 || key.CurrentKeyMaterialId != nil {
			t.Errorf("%s: %+v", spec, key)
		}
		for _, algorithm := range key.SigningAlgorithms {
			kind := api.MessageTypeRaw
			if algorithm == "ED25519_PH_SHA_512" {
				kind = api.MessageTypeDigest
			}
			signature := call(p, p.root, api.Sign, &api.SignInput{KeyId: key.KeyId, Message: []byte("m"), MessageType: &kind, SigningAlgorithm: algorithm}).Signature
			if !*call(p, p.root, api.Verify, &api.VerifyInput{KeyId: key.KeyId, Message: []byte("m"), MessageType: &kind, SigningAlgorithm: algorithm, Signature: signature}).SignatureValid {
				t.Errorf("%s: not valid", algorithm)
			}
			if got := try(p, p.root, api.Verify, &api.VerifyInput{KeyId: key.KeyId, Message: []byte("n"), MessageType: &kind, SigningAlgorithm: algorithm, Signature: signature}); got != "KMSInvalidSignatureException: " {
				t.Errorf("%s: Verify of another message = %s", algorithm, got)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	p := newPlane(t)
	ec, rsaKey, symmetric, lattice := p.key(of("ECC_NIST_P256", "SIGN_VERIFY")), p.key(of("RSA_2048", "SIGN_VERIFY")), p.key(), p.key(of("ML_DSA_44", "SIGN_VERIFY"))
	edwards, mac := p.key(of("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")), p.key(of("HMAC_256", "GENERATE_VERIFY_MAC"))
	sign := func(key *api.KeyMetadata, algorithm api.SigningAlgorithmSpec, kind api.MessageType, message string) string {
		return try(p, p.root, api.Sign, &api.SignInput{KeyId: key.KeyId, Message: []byte(message), MessageType: &kind, SigningAlgorithm: algorithm})
	}
	for _, c := range []struct{ name, got, want string }{
		{"a short digest", sign(ec, "ECDSA_SHA_256", "DIGEST", "short"), "Digest is invalid length for algorithm ECDSA_SHA_256."},
		{"a short digest for RSA", sign(rsaKey, "RSASSA_PSS_SHA_512", "DIGEST", "short"), "Digest is invalid length for algorithm RSASSA_PSS_SHA_512."},
		{"another curve's algorithm", sign(ec, "ECDSA_SHA_384", "RAW", "m"), "InvalidKeyUsageException: Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256."},
		{"a symmetric key", sign(symmetric, "ECDSA_SHA_256", "RAW", "m"), "InvalidKeyUsageException: " + *symmetric.Arn + " key usage is ENCRYPT_DECRYPT which is not valid for Sign."},
		{"a digest for ML-DSA", sign(lattice, "ML_DSA_SHAKE_256", "DIGEST", "m"), "MessageType DIGEST is not compatible with algorithm ML_DSA_SHAKE_256."},
		{"a short representative", sign(lattice, "ML_DSA_SHAKE_256", "EXTERNAL_MU", "m"), "Digest is invalid length for algorithm ML_DSA_SHAKE_256."},
		{"Ed25519 of a digest", sign(edwards, "ED25519_SHA_512", "DIGEST", "m"), "MessageType DIGEST is not compatible with algorithm ED25519_SHA_512."},
		{"Ed25519ph of a message", sign(edwards, "ED25519_PH_SHA_512", "RAW", "m"), "MessageType RAW is not compatible with algorithm ED25519_PH_SHA_512."},
		{"a dry run", try(p, p.root, api.Sign, &api.SignInput{KeyId: ec.KeyId, Message: []byte("m"), SigningAlgorithm: "ECDSA_SHA_256", DryRun: new(true)}), "DryRunOperationException: The request would have succeeded, but the DryRun option is set."},
		{"a representative to verify", try(p, p.root, api.Verify, &api.VerifyInput{KeyId: lattice.KeyId, Message: make([]byte, 64), MessageType: new(api.MessageTypeExternalMu), SigningAlgorithm: "ML_DSA_SHAKE_256", Signature: []byte("s")}), "Garrison does not implement kms:Verify, parameter MessageType EXTERNAL_MU yet"},
		{"another MAC", try(p, p.root, api.GenerateMac, &api.GenerateMacInput{KeyId: mac.KeyId, Message: []byte("m"), MacAlgorithm: "HMAC_SHA_512"}), "InvalidKeyUsageException: Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256."},
		{"a MAC with a symmetric key", try(p, p.root, api.GenerateMac, &api.GenerateMacInput{KeyId: symmetric.KeyId, Message: []byte("m"), MacAlgorithm: "HMAC_SHA_512"}), "InvalidKeyUsageException: " + *symmetric.Arn + " key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac."},
		{"a MAC that is none", try(p, p.root, api.VerifyMac, &api.VerifyMacInput{KeyId: mac.KeyId, Message: []byte("m"), MacAlgorithm: "HMAC_SHA_256", Mac: []byte("m")}), "KMSInvalidMacException: "},
		{"the public half of a secret", try(p, p.root, api.GetPublicKey, &api.GetPublicKeyInput{KeyId: symmetric.KeyId}), "UnsupportedOperationException: " + *symmetric.Arn + " key spec is SYMMETRIC_DEFAULT which is not valid for GetPublicKey."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestMacs(t *testing.T) {
	p := newPlane(t)
	for spec, algorithm := range map[api.KeySpec]api.MacAlgorithmSpec{
		"HMAC_224": "HMAC_SHA_224", "HMAC_256": "HMAC_SHA_256", "HMAC_384": "HMAC_SHA_384", "HMAC_512": "HMAC_SHA_512",
	} {
		key := p.key(of(spec, "GENERATE_VERIFY_MAC"))
		mac := call(p, p.root, api.GenerateMac, &api.GenerateMacInput{KeyId: key.KeyId, Message: []byte("m"), MacAlgorithm: algorithm}).Mac
		call(p, p.root, api.VerifyMac, &api.VerifyMacInput{KeyId: key.KeyId, Message: []byte("m"), MacAlgorithm: algorithm, Mac: mac})
		mac[0] ^= 1
		if got := try(p, p.root, api.VerifyMac, &api.VerifyMacInput{KeyId: key.KeyId, Message: []byte("m"), MacAlgorithm: algorithm, Mac: mac}); got != "KMSInvalidMacException: " {
			t.Errorf("%s altered: %s", algorithm, got)
		}
	}
}

// Public keys work outside: what is encrypted to one opens here, what is signed
// here verifies there, and both ends of an agreement have one secret.
func TestPublicKeysWorkOutside(t *testing.T) {
	p := newPlane(t)
	public := func(key *api.KeyMetadata) any {
		out := call(p, p.root, api.GetPublicKey, &api.GetPublicKeyInput{KeyId: key.KeyId})
		parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	encrypting := p.key(of("RSA_2048", "ENCRYPT_DECRYPT"))
	blob, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public(encrypting).(*rsa.PublicKey), []byte("from outside"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{KeyId: &encrypting.KeyId, CiphertextBlob: blob, EncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256)}).Plaintext; string(got) != "from outside" {
		t.Errorf("Decrypt = %q", got)
	}
	signing := p.key(of("RSA_2048", "SIGN_VERIFY"))
	digest := sha256.Sum256([]byte("m"))
	signature := call(p, p.root, api.Sign, &api.SignInput{KeyId: signing.KeyId, Message: digest[:], MessageType: new(api.MessageTypeDigest), SigningAlgorithm: "RSASSA_PSS_SHA_256"}).Signature
	if err := rsa.VerifyPSS(public(signing).(*rsa.PublicKey), crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: 32}); err != nil {
		t.Error(err)
	}
	agreeing := p.key(of("ECC_NIST_P256", "KEY_AGREEMENT"))
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ownDER, _ := x509.MarshalPKIXPublicKey(own.PublicKey())
	out := call(p, p.root, api.DeriveSharedSecret, &api.DeriveSharedSecretInput{KeyId: agreeing.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: ownDER})
	theirs, err := public(agreeing).(*ecdsa.PublicKey).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	if want, err := own.ECDH(theirs); err != nil || string(want) != string(out.SharedSecret) {
		t.Errorf("the ends have two secrets: %v", err)
	}
	if got := try(p, p.root, api.DeriveSharedSecret, &api.DeriveSharedSecretInput{KeyId: agreeing.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: []byte("no key")}); got != "" && got != "ValidationException" {
		t.Errorf("DeriveSharedSecret of no key = %q", got)
	}
}

// Data key pairs are pairs, and their private halves open with their keys and contexts alone.
func TestDataKeyPairs(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	context := map[string]string{"for": "pairs"}
	for _, spec := range []api.DataKeyPairSpec{"RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"} {
		out := call(p, p.root, api.GenerateDataKeyPair, &api.GenerateDataKeyPairInput{KeyId: key.KeyId, KeyPairSpec: spec, EncryptionContext: context})
		pair, err := material.OpenPair(material.Spec(spec), out.PrivateKeyPlaintext)
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		if public, _ := pair.Public(); string(public) != string(out.PublicKey) {
			t.Errorf("%s: the halves are no pair", spec)
		}
		opened := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: out.PrivateKeyCiphertextBlob, EncryptionContext: context})
		if string(opened.Plaintext) != string(out.PrivateKeyPlaintext) {
			t.Errorf("%s: another private half opens", spec)
		}
		hidden := call(p, p.root, api.GenerateDataKeyPairWithoutPlaintext, &api.GenerateDataKeyPairWithoutPlaintextInput{KeyId: key.KeyId, KeyPairSpec: spec})
		if got := try(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: hidden.PrivateKeyCiphertextBlob, EncryptionContext: context}); !strings.HasPrefix(got, "InvalidCiphertextException") {
			t.Errorf("%s: Decrypt with another context = %q", spec, got)
		}
	}
}

func TestReEncrypt(t *testing.T) {
	p := newPlane(t)
	from, to, pair := p.key(), p.key(), p.key(of("RSA_2048", "ENCRYPT_DECRYPT"))
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: from.KeyId, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "1"}}).CiphertextBlob
	out := call(p, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: map[string]string{"a": "1"}, DestinationKeyId: to.KeyId, DestinationEncryptionContext: map[string]string{"b": "2"}})
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{KeyId: to.Arn, CiphertextBlob: out.CiphertextBlob, EncryptionContext: map[string]string{"b": "2"}}).Plaintext; string(got) != "x" {
		t.Errorf("Decrypt = %q", got)
	}
	out = call(p, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: map[string]string{"a": "1"}, DestinationKeyId: pair.KeyId, DestinationEncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256)})
	out = call(p, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: out.CiphertextBlob, SourceKeyId: &pair.KeyId, SourceEncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256), DestinationKeyId: from.KeyId})
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: out.CiphertextBlob}).Plaintext; string(got) != "x" {
		t.Errorf("Decrypt = %q", got)
	}
	if got := try(p, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: blob, SourceKeyId: &to.KeyId, SourceEncryptionContext: map[string]string{"a": "1"}, DestinationKeyId: to.KeyId}); got != "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation." {
		t.Errorf("ReEncrypt from another key = %q", got)
	}
	// Both halves need permission, each on its own key.
	half := p.user("half", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:ReEncryptFrom","Resource":"`+*from.Arn+`"},{"Effect":"Allow","Action":"kms:ReEncryptTo","Resource":"`+*to.Arn+`","Condition":{"Bool":{"kms:ReEncryptOnSameKey":"false"}}}]}`)
	again := func(key string) string {
		return try(p, half, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: map[string]string{"a": "1"}, DestinationKeyId: key})
	}
	if got := again(to.KeyId); got != "" {
		t.Errorf("ReEncrypt with both halves = %q", got)
	}
	if got := again(from.KeyId); !strings.Contains(got, "not authorized to perform: kms:ReEncryptTo on resource: "+*from.Arn) {
		t.Errorf("ReEncrypt to another key = %q", got)
	}
}

// While an alias moves between two keys, whatever is signed under it verifies
// by the key that the answer names.
func TestSigningUnderAnAliasThatMoves(t *testing.T) {
	p := newPlane(t)
	keys := []*api.KeyMetadata{p.key(of("ECC_NIST_P256", "SIGN_VERIFY")), p.key(of("ECC_NIST_P256", "SIGN_VERIFY"))}
	call(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/a", TargetKeyId: keys[0].KeyId})
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				call(p, p.root, api.UpdateAlias, &api.UpdateAliasInput{AliasName: "alias/a", TargetKeyId: keys[n%2].KeyId})
			}
		}
	})
	for range 300 {
		out, err := gateway.Invoke(t.Context(), p.Gateway, p.root, api.Sign, &api.SignInput{KeyId: "alias/a", Message: []byte("m"), SigningAlgorithm: "ECDSA_SHA_256"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "KMSInternalException") {
				t.Error(err)
			}
			continue
		}
		if got := try(p, p.root, api.Verify, &api.VerifyInput{KeyId: *out.KeyId, Message: []byte("m"), Signature: out.Signature, SigningAlgorithm: "ECDSA_SHA_256"}); got != "" {
			t.Errorf("signed by another key than is named: %s", got)
			break
		}
	}
	close(stop)
	all.Wait()
}
