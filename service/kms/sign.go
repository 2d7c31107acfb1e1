package kms

import (
	"cmp"
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
)

// signing finds the key that a call signs or verifies with.
func (s *Service) signing(call *gateway.Call, key string, algorithm kms.SigningAlgorithmSpec, kind *kms.MessageType, tokens []string) (*named, error) {
	if err := s.checkTokens(tokens); err != nil {
		return nil, err
	}
	call.Condition("kms:SigningAlgorithm", string(algorithm))
	call.Condition("kms:MessageType", messageType(kind))
	return s.named(call, key, true)
}

func messageType(kind *kms.MessageType) string {
	if kind == nil {
		return material.Raw
	}
	return string(*kind)
}

// signs refuses a key that can't sign, or verify, as a call asks.
func (n *named) signs(call *gateway.Call, algorithm kms.SigningAlgorithmSpec) error {
	if err := n.usable(call.Time); err != nil {
		return err
	}
	if err := n.serves(kms.KeyUsageTypeSignVerify, call.Operation.Name); err != nil {
		return err
	}
	return n.has(material.ForSigning, string(algorithm))
}

// signatureError words what package material says of a message.
func signatureError(call *gateway.Call, err error, algorithm kms.SigningAlgorithmSpec, kind *kms.MessageType) error {
	switch {
	case errors.Is(err, material.ErrDigest):
		return validation("Digest is invalid length for algorithm %s.", algorithm)
	case errors.Is(err, material.ErrMessageType):
		return validation("MessageType %s is not compatible with algorithm %s.", messageType(kind), algorithm)
	case errors.Is(err, material.ErrSignature):
		return &kms.KMSInvalidSignatureException{}
	case errors.Is(err, material.ErrUnbuilt):
		return gateway.NotImplemented(call.Operation, "MessageType "+messageType(kind))
	}
	return err
}

func (s *Service) keyToSign(call *gateway.Call, in *kms.SignInput) (*named, error) {
	n, err := s.signing(call, in.KeyId, in.SigningAlgorithm, in.MessageType, in.GrantTokens)
	if err != nil {
		return n, err
	}
	return n, n.loadPair(call, false)
}

func (s *Service) makeSignature(ctx context.Context, call *gateway.Call, n *named, in *kms.SignInput) (*done, error) {
	if err := n.signs(call, in.SigningAlgorithm); err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	var signature []byte
	err := s.withPair(ctx, call, n, func(pair *material.Pair) (err error) {
		signature, err = pair.Sign(string(in.SigningAlgorithm), messageType(in.MessageType), in.Message)
		return err
	})
	return &done{key: n.Arn, blob: signature}, signatureError(call, err, in.SigningAlgorithm, in.MessageType)
}

func (s *Service) sign(_ context.Context, call *gateway.Call, n *named, in *kms.SignInput, d *done) (*kms.SignOutput, error) {
	if err := cmp.Or(n.signs(call, in.SigningAlgorithm), d.of(n)); err != nil {
		return nil, err
	}
	return &kms.SignOutput{KeyId: &n.Arn, Signature: d.blob, SigningAlgorithm: &in.SigningAlgorithm}, nil
}

func (s *Service) keyToVerify(call *gateway.Call, in *kms.VerifyInput) (*named, error) {
	return s.signing(call, in.KeyId, in.SigningAlgorithm, in.MessageType, in.GrantTokens)
}

func (s *Service) checkSignature(ctx context.Context, call *gateway.Call, n *named, in *kms.VerifyInput) (*done, error) {
	if err := n.signs(call, in.SigningAlgorithm); err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	leave, err := s.using.Enter(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	defer leave()
	err = material.Verify(n.Spec, n.Public, string(in.SigningAlgorithm), messageType(in.MessageType), in.Message, in.Signature)
	return &done{key: n.Arn}, signatureError(call, err, in.SigningAlgorithm, in.MessageType)
}

func (s *Service) verify(_ context.Context, call *gateway.Call, n *named, in *kms.VerifyInput, d *done) (*kms.VerifyOutput, error) {
	if err := cmp.Or(n.signs(call, in.SigningAlgorithm), d.of(n)); err != nil {
		return nil, err
	}
	return &kms.VerifyOutput{KeyId: &n.Arn, SignatureValid: new(true), SigningAlgorithm: &in.SigningAlgorithm}, nil
}
