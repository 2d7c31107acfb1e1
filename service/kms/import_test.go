package kms_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/service/kms/material/materialtest"
)

func external(in *api.CreateKeyInput) { in.Origin = new(api.OriginTypeExternal) }

// parameters ask for a wrapping key of a key.
func (p *plane) parameters(key, algorithm string) *api.GetParametersForImportOutput {
	p.Helper()
	return call(p, p.root, api.GetParametersForImport, &api.GetParametersForImportInput{KeyId: key, WrappingAlgorithm: api.AlgorithmSpec(algorithm), WrappingKeySpec: "RSA_2048"})
}

func (p *plane) wrap(public []byte, algorithm string, secret []byte) []byte {
	p.Helper()
	wrapped, err := materialtest.Wrap(public, algorithm, secret)
	if err != nil {
		p.Fatal(err)
	}
	return wrapped
}

const keyWrap = "RSA_AES_KEY_WRAP_SHA_256"

// importInput is an import of a secret that does not expire. A key's wrapping key is used while it is good.
func (p *plane) importInput(key string, secret []byte) *api.ImportKeyMaterialInput {
	p.Helper()
	got := p.wrapping[key]
	if got == nil || !p.clock().Before(*got.ParametersValidTo) {
		got = p.parameters(key, keyWrap)
		p.wrapping[key] = got
	}
	return &api.ImportKeyMaterialInput{
		KeyId: key, ImportToken: got.ImportToken, EncryptedKeyMaterial: p.wrap(got.PublicKey, keyWrap, secret),
		ExpirationModel: new(api.ExpirationModelTypeKeyMaterialDoesNotExpire),
	}
}

// imported is a key with that secret.
func (p *plane) imported(spec api.KeySpec, usage api.KeyUsageType, secret []byte) *api.KeyMetadata {
	p.Helper()
	key := p.key(external, of(spec, usage))
	call(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, secret))
	return p.describe(key.KeyId)
}

func TestImportSymmetric(t *testing.T) {
	p := newPlane(t)
	secret := bytes.Repeat([]byte{7}, 32)
	key := p.key(external)
	if *key.KeyState != "PendingImport" || *key.Enabled || key.CurrentKeyMaterialId != nil {
		t.Errorf("CreateKey = %+v", key)
	}
	encrypt := func() string {
		return try(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	}
	pending := "KMSInvalidStateException: " + *key.Arn + " is pending import."
	if got := encrypt(); got != pending {
		t.Errorf("Encrypt = %s", got)
	}
	id := call(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, secret)).KeyMaterialId
	if got := p.describe(key.KeyId); *got.KeyState != "Enabled" || *got.ExpirationModel != "KEY_MATERIAL_DOES_NOT_EXPIRE" || *got.CurrentKeyMaterialId != *id {
		t.Errorf("DescribeKey = %+v", got)
	}
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	call(p, p.root, api.DeleteImportedKeyMaterial, &api.DeleteImportedKeyMaterialInput{KeyId: key.KeyId})
	if got := encrypt(); got != pending {
		t.Errorf("Encrypt after the material was deleted = %s", got)
	}
	if got := try(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); got != pending {
		t.Errorf("Decrypt after the material was deleted = %s", got)
	}
	if got := try(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, bytes.Repeat([]byte{8}, 32))); !strings.HasPrefix(got, "IncorrectKeyMaterialException") {
		t.Errorf("another material = %s", got)
	}
	if again := call(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, secret)).KeyMaterialId; *again != *id {
		t.Errorf("the same material is %s, was %s", *again, *id)
	}
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}).Plaintext; string(got) != "x" {
		t.Errorf("Decrypt = %q", got)
	}
}

func TestImportExpires(t *testing.T) {
	p := newPlane(t)
	secret := bytes.Repeat([]byte{7}, 32)
	key := p.key(external)
	in := p.importInput(key.KeyId, secret)
	in.ExpirationModel = nil
	if got := try(p, p.root, api.ImportKeyMaterial, in); got != "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES" {
		t.Errorf("without a date: %s", got)
	}
	for _, when := range []time.Duration{0, 366 * aDay} {
		in.ValidTo = new(p.clock().Add(when))
		if got := try(p, p.root, api.ImportKeyMaterial, in); got != "The validTo date must be in the future, and at most 365 days from now." {
			t.Errorf("for %v: %s", when, got)
		}
	}
	in.ValidTo = new(p.clock().Add(time.Hour))
	call(p, p.root, api.ImportKeyMaterial, in)
	p.pass(time.Hour - time.Second)
	if got := p.describe(key.KeyId); *got.KeyState != "Enabled" || !got.ValidTo.Equal(*in.ValidTo) {
		t.Errorf("a second before: %+v", got)
	}
	p.pass(time.Second)
	for range 2 { // before the loop has come by, and after
		if got := p.describe(key.KeyId); *got.KeyState != "PendingImport" || got.ValidTo != nil {
			t.Errorf("at its end: %+v", got)
		}
		if got := try(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}); !strings.Contains(got, "is pending import") {
			t.Errorf("Encrypt = %s", got)
		}
		p.sweep()
	}
	call(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, secret))
	call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
}

// Several materials: the next waits until it is rotated to; all open what was encrypted with them.
func TestImportForRotation(t *testing.T) {
	p := newPlane(t)
	key := p.imported("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", bytes.Repeat([]byte{1}, 32))
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	rotate := func() string {
		return try(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId})
	}
	if got := rotate(); got != "KMSInvalidStateException: No available key material pending rotation for the key: "+*key.Arn+"." {
		t.Errorf("RotateKeyOnDemand = %s", got)
	}
	next := p.importInput(key.KeyId, bytes.Repeat([]byte{2}, 32))
	next.ImportType = new(api.ImportTypeNewKeyMaterial)
	id := *call(p, p.root, api.ImportKeyMaterial, next).KeyMaterialId
	if got := *p.describe(key.KeyId).CurrentKeyMaterialId; got == id {
		t.Error("material that waits is current")
	}
	third := p.importInput(key.KeyId, bytes.Repeat([]byte{3}, 32))
	third.ImportType = next.ImportType
	if got := try(p, p.root, api.ImportKeyMaterial, third); !strings.HasPrefix(got, "KMSInvalidStateException: New key material (id: ") || !strings.HasSuffix(got, "(id: "+id+") is pending rotation.") {
		t.Errorf("a third material: %s", got)
	}
	if got := rotate(); got != "" {
		t.Errorf("RotateKeyOnDemand = %s", got)
	}
	if got := *p.describe(key.KeyId).CurrentKeyMaterialId; got != id {
		t.Error("material that was rotated to is not current")
	}
	call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob})
	// Without any of its materials the key is of no use.
	call(p, p.root, api.DeleteImportedKeyMaterial, &api.DeleteImportedKeyMaterialInput{KeyId: key.KeyId, KeyMaterialId: key.CurrentKeyMaterialId})
	if got := try(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}); !strings.Contains(got, "is pending import") {
		t.Errorf("Encrypt = %s", got)
	}
}

// An attacker brings a token or material that is not the key's.
func TestImportRefuses(t *testing.T) {
	p := newPlane(t)
	key, another, ours := p.key(external), p.key(external), p.key()
	secret := bytes.Repeat([]byte{7}, 32)
	good := p.importInput(key.KeyId, secret)
	with := func(change func(*api.ImportKeyMaterialInput)) string {
		in := *good
		change(&in)
		return try(p, p.root, api.ImportKeyMaterial, &in)
	}
	for _, c := range []struct{ name, got, want string }{
		{"another key's token", with(func(in *api.ImportKeyMaterialInput) { in.KeyId = another.KeyId }), "InvalidImportTokenException"},
		{"a token altered", with(func(in *api.ImportKeyMaterialInput) {
			in.ImportToken = bytes.Clone(in.ImportToken)
			in.ImportToken[40] ^= 1
		}), "InvalidImportTokenException"},
		{"material altered", with(func(in *api.ImportKeyMaterialInput) {
			in.EncryptedKeyMaterial = bytes.Clone(in.EncryptedKeyMaterial)
			in.EncryptedKeyMaterial[300%len(in.EncryptedKeyMaterial)] ^= 1
		}), "InvalidCiphertextException"},
		{"short material", try(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, secret[:31])), "IncorrectKeyMaterialException"},
		{"material for a key of KMS's", try(p, p.root, api.GetParametersForImport, &api.GetParametersForImportInput{KeyId: ours.KeyId, WrappingAlgorithm: keyWrap, WrappingKeySpec: "RSA_2048"}), "UnsupportedOperationException: " + *ours.Arn + " origin is AWS_KMS which is not valid for this operation."},
		{"an algorithm that AWS has ended", try(p, p.root, api.GetParametersForImport, &api.GetParametersForImportInput{KeyId: key.KeyId, WrappingAlgorithm: "RSAES_PKCS1_V1_5", WrappingKeySpec: "RSA_2048"}), "UnsupportedOperationException"},
		{"an id for new material", with(func(in *api.ImportKeyMaterialInput) {
			in.ImportType, in.KeyMaterialId = new(api.ImportTypeNewKeyMaterial), new(strings.Repeat("0", 64))
		}), "You cannot specify a KeyMaterialId"},
	} {
		if !strings.HasPrefix(c.got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	p.pass(aDay)
	if got := with(func(*api.ImportKeyMaterialInput) {}); got != "ExpiredImportTokenException: " {
		t.Errorf("a day later: %s", got)
	}
}

// Each spec takes its material, and no other.
func TestImportOfEverySpec(t *testing.T) {
	p := newPlane(t)
	for spec, usage := range map[api.KeySpec]api.KeyUsageType{
		"HMAC_224": "GENERATE_VERIFY_MAC", "HMAC_512": "GENERATE_VERIFY_MAC", "RSA_2048": "SIGN_VERIFY", "ECC_NIST_P256": "KEY_AGREEMENT",
		"ECC_NIST_P521": "SIGN_VERIFY", "ECC_SECG_P256K1": "SIGN_VERIFY", "ECC_NIST_EDWARDS25519": "SIGN_VERIFY", "ML_DSA_65": "SIGN_VERIFY",
	} {
		secret, err := material.Generate(material.Spec(spec))
		if err != nil {
			t.Fatal(err)
		}
		key := p.imported(spec, usage, secret)
		if *key.KeyState != "Enabled" || key.CurrentKeyMaterialId != nil {
			t.Errorf("%s: %+v", spec, key)
		}
		if public, err := material.Check(material.Spec(spec), secret); err == nil && public != nil {
			if got := call(p, p.root, api.GetPublicKey, &api.GetPublicKeyInput{KeyId: key.KeyId}).PublicKey; !bytes.Equal(got, public) {
				t.Errorf("%s: another public key", spec)
			}
		}
		other, _ := material.Generate(material.Spec(spec))
		if got := try(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, other)); !strings.HasPrefix(got, "IncorrectKeyMaterialException") {
			t.Errorf("%s: a second material: %s", spec, got)
		}
		if got := try(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, bytes.Repeat([]byte{1}, 33))); !strings.HasPrefix(got, "IncorrectKeyMaterialException") {
			t.Errorf("%s: no material of its spec: %s", spec, got)
		}
	}
}
