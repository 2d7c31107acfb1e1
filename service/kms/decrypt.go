package kms

import (
	"context"
	"errors"
	"strings"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

// ciphertext is what a call decrypts.
type ciphertext struct {
	blob      []byte
	key       *string // that it must be under
	algorithm string
	context   map[string]string
	tokens    []string
	ignored   bool // a dry run that asks for permission alone
}

// sealer finds the key that a ciphertext is under: a symmetric blob says so
// itself, for RSA the call does. A blob that names no key of this Region says
// no more than one that the caller has no right to.
func (s *Service) sealer(call *gateway.Call, c ciphertext) (*named, error) {
	if c.key != nil && (c.algorithm != symmetricAlgorithm || c.ignored) {
		n, err := s.cipher(call, *c.key, c.algorithm, c.context, c.tokens)
		if n != nil && err == nil {
			err = n.loadPair(call, c.ignored)
		}
		return n, err
	}
	if err := s.checkTokens(c.tokens); err != nil {
		return nil, err
	}
	if err := checkContext(c.context); err != nil {
		return nil, err
	}
	if c.ignored || c.algorithm != symmetricAlgorithm {
		return nil, validation("You must specify the KeyId of an asymmetric KMS key.")
	}
	header, err := material.ParseBlob(c.blob)
	if err != nil {
		if c.key == nil {
			return nil, errCiphertext
		}
		// The key named decides who is told.
		n, err := s.cipher(call, *c.key, c.algorithm, c.context, c.tokens)
		if err == nil {
			err = n.usable(call.Time)
		}
		if err == nil {
			err = errCiphertext
		}
		if n != nil && !n.missing && !n.Spec.Symmetric() {
			err = errIncorrectKey
		}
		return n, err
	}
	s.conditions(call)
	n := &named{account: header.Account, context: c.context, algorithm: c.algorithm}
	if err := n.byID(call, header.Key); err != nil && !n.missing {
		return nil, err
	}
	s.touch(call, n)
	if c.key != nil {
		return s.sameAs(call, n, *c.key, header)
	}
	if n.missing {
		return n, errForeign
	}
	return n, n.load(call, header)
}

// sameAs checks that the key that a blob is under is the one that the call names.
func (s *Service) sameAs(call *gateway.Call, n *named, key string, header material.Header) (*named, error) {
	asked, err := find(call, key, true)
	if asked == nil || asked.Key == nil {
		return nil, err
	}
	asked.context, asked.algorithm, asked.grants = n.context, n.algorithm, s
	if err == nil && (asked.Key.ID != n.ID || asked.account != n.account) {
		err = errIncorrectKey
	}
	if err != nil {
		return asked, err
	}
	return asked, asked.load(call, header)
}

// load reads the material that a blob is under.
func (n *named) load(call *gateway.Call, header material.Header) error {
	if header.Outside != (n.Store != "") { // the inner half of a double encryption is no ciphertext of its own
		return errCiphertext
	}
	for i := range n.Materials {
		m := &n.Materials[i]
		if !strings.HasPrefix(m.ID, header.Material) {
			continue
		}
		if n.external() && !m.thereAt(call.Time) {
			if m.pending() {
				return errCiphertext
			}
			return nil // the key's state says so
		}
		n.used = m.ID
		if n.Origin == kms.OriginTypeAwsCloudhsm {
			return nil // the HSM has it
		}
		var err error
		n.sealed, err = sealedSecret(call.Tx, n.Key, m.ID)
		return err
	}
	return errCiphertext
}

// loadPair reads the private half that a ciphertext of RSA is decrypted with.
func (n *named) loadPair(call *gateway.Call, unneeded bool) error {
	if unneeded || !n.Spec.Paired() || n.Current == "" || n.stateAt(call.Time) == kms.KeyStatePendingImport {
		return nil // the handler says what is wrong
	}
	var err error
	n.used = n.Current
	n.sealed, err = sealedSecret(call.Tx, n.Key, n.Current)
	return err
}

// paired tells whether the material loaded is a pair's, whose use is prepared.
func (n *named) paired() bool { return n.sealed != nil && n.Spec.Paired() }

func decryptInput(in *kms.DecryptInput) ciphertext {
	return ciphertext{
		blob: in.CiphertextBlob, key: in.KeyId, algorithm: algorithmOf(&in.EncryptionAlgorithm), context: in.EncryptionContext,
		tokens: in.GrantTokens, ignored: ignoresCiphertext(in.DryRun, in.DryRunModifiers),
	}
}

// ignoresCiphertext tells a dry run that asks for permission alone.
func ignoresCiphertext(run *bool, modifiers []kms.DryRunModifierType) bool {
	return run != nil && *run && len(modifiers) > 0
}

// checkModifiers refuses modifiers of what is no dry run, and a call without a ciphertext.
func checkModifiers(run *bool, modifiers []kms.DryRunModifierType, blob []byte) error {
	if len(modifiers) > 0 && (run == nil || !*run) {
		return validation("DryRunModifiers can be used only when DryRun is true.")
	}
	if len(blob) == 0 && !ignoresCiphertext(run, modifiers) {
		return validation("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	return nil
}

func (s *Service) keyToDecrypt(call *gateway.Call, in *kms.DecryptInput) (*named, error) {
	if in.Recipient != nil {
		return nil, gateway.NotImplemented(call.Operation, "Recipient")
	}
	if err := checkModifiers(in.DryRun, in.DryRunModifiers, in.CiphertextBlob); err != nil {
		return nil, err
	}
	return s.sealer(call, decryptInput(in))
}

// opensOutside tells a decryption with a private key, or in a key store.
func opensOutside(n *named, in *kms.DecryptInput) bool {
	return n.paired() && (in.DryRun == nil || !*in.DryRun) || n.outside(in.DryRun)
}

// openCiphertext decrypts with a private key or in a key store, outside any transaction.
func (s *Service) openCiphertext(ctx context.Context, call *gateway.Call, n *named, in *kms.DecryptInput) (*done, error) {
	if err := n.encrypts(call, "Decrypt"); err != nil {
		return nil, err
	}
	plaintext, err := s.decryptBy(ctx, call, n, in.CiphertextBlob)
	return &done{key: n.Arn, plaintext: plaintext}, err
}

func (s *Service) decryptBy(ctx context.Context, call *gateway.Call, n *named, blob []byte) ([]byte, error) {
	if n.store != nil {
		return s.openOutside(ctx, call, n, blob)
	}
	return s.decryptPair(ctx, call, n, blob)
}

func (s *Service) decryptPair(ctx context.Context, call *gateway.Call, n *named, blob []byte) ([]byte, error) {
	var plaintext []byte
	err := s.withPair(ctx, call, n, func(pair *material.Pair) (err error) {
		plaintext, err = pair.Decrypt(n.algorithm, blob)
		return err
	})
	if errors.Is(err, material.ErrCiphertext) {
		return nil, errCiphertext
	}
	return plaintext, err
}

// withPair uses the private half that n has loaded, in its turn, and clears it.
func (s *Service) withPair(ctx context.Context, call *gateway.Call, n *named, use func(*material.Pair) error) error {
	leave, err := s.using.Enter(ctx, call.Account)
	if err != nil {
		return err
	}
	defer leave()
	secret, err := s.openSecret(n.Key, n.used, n.sealed)
	if err != nil {
		return err
	}
	defer clear(secret)
	pair, err := material.OpenPair(n.Spec, secret)
	if err != nil {
		return err
	}
	defer pair.Close()
	return use(pair)
}

// openOnce is what open answers, or what was opened before: with a private key, or in the key's store.
func (s *Service) openOnce(n *named, blob []byte, d *done) ([]byte, error) {
	if n.store == nil && n.Spec.Symmetric() {
		return s.open(n, blob)
	}
	if err := d.of(n); err != nil {
		return nil, err
	}
	return d.opened(), nil
}

func (s *Service) decrypt(_ context.Context, call *gateway.Call, n *named, in *kms.DecryptInput, d *done) (*kms.DecryptOutput, error) {
	if err := n.encrypts(call, "Decrypt"); err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	out := &kms.DecryptOutput{KeyId: &n.Arn, EncryptionAlgorithm: new(kms.EncryptionAlgorithmSpec(n.algorithm))}
	var err error
	if out.Plaintext, err = s.openOnce(n, in.CiphertextBlob, d); err != nil {
		return nil, err
	}
	switch {
	case n.store != nil:
		n.noteStore(call)
	case n.Spec.Symmetric():
		out.KeyMaterialId = &n.used
		call.Note("keyMaterialId", n.used)
	}
	if out.Plaintext == nil {
		out.Plaintext = []byte{}
	}
	return out, nil
}
