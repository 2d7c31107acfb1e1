package kms

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

// symmetricAlgorithm is the one algorithm of symmetric keys, and the default of all that name none.
const symmetricAlgorithm = string(kms.EncryptionAlgorithmSpecSymmetricDefault)

// algorithmOf is the encryption algorithm that a call asks for. The default is
// set in the input, for AWS records it, too.
func algorithmOf(a **kms.EncryptionAlgorithmSpec) string {
	if *a == nil {
		*a = new(kms.EncryptionAlgorithmSpecSymmetricDefault)
	}
	return string(**a)
}

// cipher finds the key that a call encrypts or decrypts with.
func (s *Service) cipher(call *gateway.Call, key string, algorithm string, pairs map[string]string, tokens []string) (*named, error) {
	if err := s.checkTokens(tokens); err != nil {
		return nil, err
	}
	if err := checkContext(pairs); err != nil {
		return nil, err
	}
	n, err := s.named(call, key, true)
	if n != nil {
		n.context, n.algorithm = pairs, algorithm
	}
	if err == nil {
		err = n.loadInner(call)
	}
	return n, err
}

// checkContext bounds an encryption context.
func checkContext(pairs map[string]string) error {
	if n := material.Context(pairs).Size(); n > encryptionContext {
		return validation("The encryption context is %d bytes long; it can have %d bytes at most.", n, encryptionContext)
	}
	return nil
}

// encrypts refuses a key that can't encrypt, or decrypt, as a call asks.
func (n *named) encrypts(call *gateway.Call, operation string) error {
	if err := n.usable(call.Time); err != nil {
		return err
	}
	if err := n.serves(kms.KeyUsageTypeEncryptDecrypt, operation); err != nil {
		return err
	}
	if err := n.has(material.ForEncryption, n.algorithm); err != nil {
		return err
	}
	if !n.Spec.Symmetric() && len(n.context) > 0 {
		return validation("EncryptionContext is not supported for asymmetric KMS keys.")
	}
	return nil
}

// has refuses an algorithm that the key's spec has not.
func (k *Key) has(usage, algorithm string) error {
	if !k.Spec.Has(usage, algorithm) {
		return &kms.InvalidKeyUsageException{Message: "Algorithm " + algorithm + " is incompatible with key spec " + string(k.Spec) + "."}
	}
	return nil
}

// dry ends a dry run, which has gone as far as it goes.
func dry(run *bool) error {
	if run != nil && *run {
		return errDryRun
	}
	return nil
}

func (s *Service) keyToEncrypt(call *gateway.Call, in *kms.EncryptInput) (*named, error) {
	return s.cipher(call, in.KeyId, algorithmOf(&in.EncryptionAlgorithm), in.EncryptionContext, in.GrantTokens)
}

// encryptsOutside tells an encryption in a key store.
func encryptsOutside(n *named, in *kms.EncryptInput) bool { return n.outside(in.DryRun) }

// encryptOutside encrypts in a key store, outside any transaction.
func (s *Service) encryptOutside(ctx context.Context, call *gateway.Call, n *named, in *kms.EncryptInput) (*done, error) {
	if err := n.encrypts(call, "Encrypt"); err != nil {
		return nil, err
	}
	blob, err := s.sealOutside(ctx, call, n, in.Plaintext)
	return &done{key: n.Arn, blob: blob}, err
}

func (s *Service) encrypt(_ context.Context, call *gateway.Call, n *named, in *kms.EncryptInput, d *done) (*kms.EncryptOutput, error) {
	if err := n.encrypts(call, "Encrypt"); err != nil {
		return nil, err
	}
	if err := n.fits(in.Plaintext); err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	blob, err := s.sealOnce(call, n, in.Plaintext, d)
	if err != nil {
		return nil, err
	}
	return &kms.EncryptOutput{CiphertextBlob: blob, KeyId: &n.Arn, EncryptionAlgorithm: new(kms.EncryptionAlgorithmSpec(n.algorithm))}, nil
}

// fits refuses a plaintext that is longer than the key's algorithm takes.
func (n *named) fits(plaintext []byte) error {
	if n.Spec.Symmetric() {
		return nil
	}
	if most := material.MaxPlaintext(n.Spec, n.algorithm); len(plaintext) > most {
		return validation("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", n.algorithm, n.Spec, most)
	}
	return nil
}

// sealOnce is what seal makes, or what was sealed in the key's store before.
func (s *Service) sealOnce(call *gateway.Call, n *named, plaintext []byte, d *done) ([]byte, error) {
	if n.store == nil && d == nil {
		return s.seal(call, n, plaintext)
	}
	if err := d.of(n); err != nil {
		return nil, err
	}
	n.noteStore(call)
	return d.blob, nil
}

// seal encrypts under a key, symmetric or RSA, that may be used for it.
func (s *Service) seal(call *gateway.Call, n *named, plaintext []byte) ([]byte, error) {
	if !n.Spec.Symmetric() {
		return material.Encrypt(n.Spec, n.Public, n.algorithm, plaintext)
	}
	secret, err := s.currentSecret(call.Tx, n.Key)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	call.Note("keyMaterialId", n.Current)
	return material.Seal(secret, material.Header{Account: n.Account, Key: n.ID, Material: n.Current[:32]}, n.context, plaintext)
}

// open decrypts what seal made under a symmetric key's material that is stored as sealed.
func (s *Service) open(n *named, blob []byte) ([]byte, error) {
	secret, err := s.openSecret(n.Key, n.used, n.sealed)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	plaintext, err := material.Open(secret, n.context, blob)
	if errors.Is(err, material.ErrCiphertext) {
		return nil, errCiphertext
	}
	return plaintext, err
}
