package kms

import (
	"bytes"
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

func (s *Service) keyOfPair(call *gateway.Call, in *kms.GenerateDataKeyPairInput) (*named, error) {
	if in.Recipient != nil {
		return nil, gateway.NotImplemented(call.Operation, "Recipient")
	}
	return s.keyForPair(call, in.KeyId, in.KeyPairSpec, in.EncryptionContext, in.GrantTokens)
}

func (s *Service) keyOfHiddenPair(call *gateway.Call, in *kms.GenerateDataKeyPairWithoutPlaintextInput) (*named, error) {
	return s.keyForPair(call, in.KeyId, in.KeyPairSpec, in.EncryptionContext, in.GrantTokens)
}

func (s *Service) keyForPair(call *gateway.Call, key string, spec kms.DataKeyPairSpec, pairs map[string]string, tokens []string) (*named, error) {
	call.Condition("kms:DataKeyPairSpec", string(spec))
	return s.cipher(call, key, symmetricAlgorithm, pairs, tokens)
}

func (s *Service) makePair(ctx context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyPairInput) (*made, error) {
	return s.prepareDataKeyPair(ctx, call, n, in.KeyPairSpec, in.DryRun)
}

func (s *Service) makeHiddenPair(ctx context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyPairWithoutPlaintextInput) (*made, error) {
	return s.prepareDataKeyPair(ctx, call, n, in.KeyPairSpec, in.DryRun)
}

// prepareDataKeyPair makes a pair, for a key that can seal its private half.
func (s *Service) prepareDataKeyPair(ctx context.Context, call *gateway.Call, n *named, spec kms.DataKeyPairSpec, run *bool) (*made, error) {
	if err := n.encrypts(call, call.Operation.Name); err != nil {
		return nil, err
	}
	if n.store != nil {
		return nil, unsupported("%s is in a custom key store, which is not valid for %s.", n.Arn, call.Operation.Name)
	}
	if !material.Spec(spec).Known() {
		return nil, unsupported("KeyPairSpec %s is not supported in this Region.", spec)
	}
	if err := available(material.Spec(spec)); err != nil {
		return nil, err
	}
	if err := dry(run); err != nil {
		return nil, err
	}
	return s.generate(ctx, call.Account, material.Spec(spec))
}

func (s *Service) generateDataKeyPair(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyPairInput, m *made) (*kms.GenerateDataKeyPairOutput, error) {
	if err := n.encrypts(call, "GenerateDataKeyPair"); err != nil {
		return nil, err
	}
	blob, err := s.seal(call, n, m.secret)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyPairOutput{
		PrivateKeyCiphertextBlob: blob, PrivateKeyPlaintext: bytes.Clone(m.secret), PublicKey: m.public, KeyId: &n.Arn,
		KeyPairSpec: &in.KeyPairSpec, KeyMaterialId: &n.Current,
	}, nil
}

func (s *Service) generateDataKeyPairWithoutPlaintext(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyPairWithoutPlaintextInput, m *made) (*kms.GenerateDataKeyPairWithoutPlaintextOutput, error) {
	if err := n.encrypts(call, "GenerateDataKeyPairWithoutPlaintext"); err != nil {
		return nil, err
	}
	blob, err := s.seal(call, n, m.secret)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyPairWithoutPlaintextOutput{
		PrivateKeyCiphertextBlob: blob, PublicKey: m.public, KeyId: &n.Arn, KeyPairSpec: &in.KeyPairSpec, KeyMaterialId: &n.Current,
	}, nil
}
