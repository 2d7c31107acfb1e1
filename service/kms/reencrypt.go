package kms

import (
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

// opensSource tells a decryption with a private key.
func opensSource(r *reencryption, in *kms.ReEncryptInput) bool {
	return r.paired() && (in.DryRun == nil || !*in.DryRun)
}

// openSource decrypts the source with a private key, outside any transaction.
func (s *Service) openSource(ctx context.Context, call *gateway.Call, r *reencryption, in *kms.ReEncryptInput) ([]byte, error) {
	if err := r.encrypts(call, "ReEncrypt"); err != nil {
		return nil, err
	}
	return s.decryptPair(ctx, call, r.named, in.CiphertextBlob)
}

func (s *Service) reEncrypt(_ context.Context, call *gateway.Call, r *reencryption, in *kms.ReEncryptInput, opened []byte) (*kms.ReEncryptOutput, error) {
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
	var err error
	if r.Spec.Symmetric() {
		if opened, err = s.open(r.named, in.CiphertextBlob); err != nil {
			return nil, err
		}
		defer clear(opened)
		out.SourceKeyMaterialId = &r.used
	}
	if err := r.to.fits(opened); err != nil {
		return nil, err
	}
	if out.CiphertextBlob, err = s.seal(call, r.to, opened); err != nil {
		return nil, err
	}
	if r.to.Spec.Symmetric() {
		out.DestinationKeyMaterialId = &r.to.Current
	}
	return out, nil
}
