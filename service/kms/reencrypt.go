package kms

import (
	"cmp"
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// reencryption is the two keys of ReEncrypt: the caller is authorised on the
// source first, then on the destination.
type reencryption struct {
	*named
	to *named
}

// Further implements gateway.Compound.
func (r *reencryption) Further() []gateway.Authorization {
	return []gateway.Authorization{{Action: "kms:ReEncryptTo", On: r.to}}
}

func (s *Service) keysToReEncrypt(call *gateway.Call, in *kms.ReEncryptInput) (*reencryption, error) {
	if err := checkModifiers(in.DryRun, in.DryRunModifiers, in.CiphertextBlob); err != nil {
		return nil, err
	}
	from, missing := s.sealer(call, ciphertext{
		blob: in.CiphertextBlob, key: in.SourceKeyId, algorithm: algorithmOf(&in.SourceEncryptionAlgorithm),
		context: in.SourceEncryptionContext, tokens: in.GrantTokens, ignored: ignoresCiphertext(in.DryRun, in.DryRunModifiers),
	})
	if from == nil {
		return nil, missing
	}
	to, missingToo := s.cipher(call, in.DestinationKeyId, algorithmOf(&in.DestinationEncryptionAlgorithm), in.DestinationEncryptionContext, in.GrantTokens)
	if to == nil {
		return nil, missingToo
	}
	same := onOtherKey
	if from.Arn == to.Arn {
		same = onSameKey
	}
	from.reEncrypt, to.reEncrypt = same, same
	if missing == nil {
		missing = missingToo
	}
	return &reencryption{from, to}, missing
}

// reEncryptsOutside tells a re-encryption with a private key, or with a key store at either end.
func reEncryptsOutside(r *reencryption, in *kms.ReEncryptInput) bool {
	return r.paired() && (in.DryRun == nil || !*in.DryRun) || r.outside(in.DryRun) || r.to.outside(in.DryRun)
}

// reEncrypted is what was done outside transactions: at each end, or nothing.
type reEncrypted struct{ from, to *done }

// Wipe implements gateway.Wiped.
func (re reEncrypted) Wipe() {
	re.from.Wipe()
}

// reEncryptOutside decrypts the source and encrypts for the destination, as far
// as that is done outside transactions.
func (s *Service) reEncryptOutside(ctx context.Context, call *gateway.Call, r *reencryption, in *kms.ReEncryptInput) (re reEncrypted, err error) {
	if err := cmp.Or(r.encrypts(call, "ReEncrypt"), r.to.encrypts(call, "ReEncrypt")); err != nil {
		return re, err
	}
	re.from = &done{key: r.Arn}
	if r.store == nil && r.Spec.Symmetric() {
		re.from.plaintext, err = s.open(r.named, in.CiphertextBlob)
	} else {
		re.from.plaintext, err = s.decryptBy(ctx, call, r.named, in.CiphertextBlob)
	}
	if err != nil || r.to.store == nil {
		return re, err
	}
	re.to = &done{key: r.to.Arn}
	re.to.blob, err = s.sealOutside(ctx, call, r.to, re.from.plaintext)
	return re, err
}

func (s *Service) reEncrypt(_ context.Context, call *gateway.Call, r *reencryption, in *kms.ReEncryptInput, re reEncrypted) (*kms.ReEncryptOutput, error) {
	if err := r.encrypts(call, "ReEncrypt"); err != nil {
		return nil, err
	}
	if err := r.to.encrypts(call, "ReEncrypt"); err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	out := &kms.ReEncryptOutput{
		SourceKeyId: &r.Arn, KeyId: &r.to.Arn, SourceEncryptionAlgorithm: new(kms.EncryptionAlgorithmSpec(r.algorithm)),
		DestinationEncryptionAlgorithm: new(kms.EncryptionAlgorithmSpec(r.to.algorithm)),
	}
	opened, err := s.openOnce(r.named, in.CiphertextBlob, re.from)
	if err != nil {
		return nil, err
	}
	defer clear(opened)
	if r.store != nil {
		r.noteStore(call)
	} else if r.Spec.Symmetric() {
		out.SourceKeyMaterialId = &r.used
	}
	if err := r.to.fits(opened); err != nil {
		return nil, err
	}
	if out.CiphertextBlob, err = s.sealOnce(call, r.to, opened, re.to); err != nil {
		return nil, err
	}
	if r.to.Spec.Symmetric() {
		out.DestinationKeyMaterialId = r.to.materialID()
	}
	return out, nil
}
