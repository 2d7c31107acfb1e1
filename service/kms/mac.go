package kms

import (
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

// authenticating finds the key that a call makes or checks a MAC with.
func (s *Service) authenticating(call *gateway.Call, key string, algorithm kms.MacAlgorithmSpec, tokens []string) (*named, error) {
	if err := s.checkTokens(tokens); err != nil {
		return nil, err
	}
	call.Condition("kms:MacAlgorithm", string(algorithm))
	return s.named(call, key, true)
}

// macSecret opens the secret of a key that can make a MAC as a call asks.
func (s *Service) macSecret(call *gateway.Call, n *named, algorithm kms.MacAlgorithmSpec, run *bool) ([]byte, error) {
	if err := n.usable(call.Time); err != nil {
		return nil, err
	}
	if err := n.serves(kms.KeyUsageTypeGenerateVerifyMac, call.Operation.Name); err != nil {
		return nil, err
	}
	if err := n.has(material.ForMACs, string(algorithm)); err != nil {
		return nil, err
	}
	if err := dry(run); err != nil {
		return nil, err
	}
	return s.currentSecret(call.Tx, n.Key)
}

func (s *Service) keyToAuthenticate(call *gateway.Call, in *kms.GenerateMacInput) (*named, error) {
	return s.authenticating(call, in.KeyId, in.MacAlgorithm, in.GrantTokens)
}

func (s *Service) generateMac(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateMacInput) (*kms.GenerateMacOutput, error) {
	secret, err := s.macSecret(call, n, in.MacAlgorithm, in.DryRun)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	mac, err := material.MAC(n.Spec, secret, string(in.MacAlgorithm), in.Message)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateMacOutput{Mac: mac, MacAlgorithm: &in.MacAlgorithm, KeyId: &n.Arn}, nil
}

func (s *Service) keyOfMac(call *gateway.Call, in *kms.VerifyMacInput) (*named, error) {
	return s.authenticating(call, in.KeyId, in.MacAlgorithm, in.GrantTokens)
}

func (s *Service) verifyMac(_ context.Context, call *gateway.Call, n *named, in *kms.VerifyMacInput) (*kms.VerifyMacOutput, error) {
	secret, err := s.macSecret(call, n, in.MacAlgorithm, in.DryRun)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	ok, err := material.VerifyMAC(n.Spec, secret, string(in.MacAlgorithm), in.Message, in.Mac)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &kms.KMSInvalidMacException{}
	}
	return &kms.VerifyMacOutput{KeyId: &n.Arn, MacValid: new(true), MacAlgorithm: &in.MacAlgorithm}, nil
}
