package kms

import (
	"cmp"
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

func (s *Service) keyToAgree(call *gateway.Call, in *kms.DeriveSharedSecretInput) (*named, error) {
	if in.Recipient != nil {
		return nil, gateway.NotImplemented(call.Operation, "Recipient")
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	call.Condition("kms:KeyAgreementAlgorithm", string(in.KeyAgreementAlgorithm))
	n, err := s.named(call, in.KeyId, true)
	if err != nil {
		return n, err
	}
	return n, n.loadPair(call, false)
}

// agrees refuses a key that can't agree on a secret.
func (n *named) agrees(call *gateway.Call) error {
	if err := n.usable(call.Time); err != nil {
		return err
	}
	return n.serves(kms.KeyUsageTypeKeyAgreement, "DeriveSharedSecret")
}

func (s *Service) agree(ctx context.Context, call *gateway.Call, n *named, in *kms.DeriveSharedSecretInput) (*done, error) {
	if err := n.agrees(call); err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	var secret []byte
	err := s.withPair(ctx, call, n, func(pair *material.Pair) (err error) {
		secret, err = pair.Agree(in.PublicKey)
		return err
	})
	if errors.Is(err, material.ErrPublicKey) {
		return nil, validation("") // AWS gives no text
	}
	return &done{key: n.Arn, plaintext: secret}, err
}

func (s *Service) deriveSharedSecret(_ context.Context, call *gateway.Call, n *named, in *kms.DeriveSharedSecretInput, d *done) (*kms.DeriveSharedSecretOutput, error) {
	if err := cmp.Or(n.agrees(call), d.of(n)); err != nil {
		return nil, err
	}
	return &kms.DeriveSharedSecretOutput{
		KeyId: &n.Arn, SharedSecret: d.opened(), KeyAgreementAlgorithm: &in.KeyAgreementAlgorithm, KeyOrigin: &n.Origin,
	}, nil
}

func (s *Service) keyToPublish(call *gateway.Call, in *kms.GetPublicKeyInput) (*named, error) {
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	return s.named(call, in.KeyId, true)
}

func (s *Service) getPublicKey(_ context.Context, call *gateway.Call, n *named, _ *kms.GetPublicKeyInput) (*kms.GetPublicKeyOutput, error) {
	if !n.Spec.Paired() {
		return nil, unsupported("%s key spec is %s which is not valid for GetPublicKey.", n.Arn, n.Spec)
	}
	if err := n.usable(call.Time); err != nil {
		return nil, err
	}
	m := n.metadata(call.Partition, call.Time)
	return &kms.GetPublicKeyOutput{
		KeyId: &n.Arn, PublicKey: n.Public, KeySpec: m.KeySpec, CustomerMasterKeySpec: m.CustomerMasterKeySpec, KeyUsage: m.KeyUsage,
		EncryptionAlgorithms: m.EncryptionAlgorithms, SigningAlgorithms: m.SigningAlgorithms, KeyAgreementAlgorithms: m.KeyAgreementAlgorithms,
	}, nil
}
