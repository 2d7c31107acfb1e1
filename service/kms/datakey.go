package kms

import (
	"context"
	"crypto/rand"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) keyOfDataKey(call *gateway.Call, in *kms.GenerateDataKeyInput) (*named, error) {
	if in.Recipient != nil {
		return nil, gateway.NotImplemented(call.Operation, "Recipient")
	}
	return s.cipher(call, in.KeyId, symmetricAlgorithm, in.EncryptionContext, in.GrantTokens)
}

func (s *Service) keyOfHiddenDataKey(call *gateway.Call, in *kms.GenerateDataKeyWithoutPlaintextInput) (*named, error) {
	return s.cipher(call, in.KeyId, symmetricAlgorithm, in.EncryptionContext, in.GrantTokens)
}

// dataKeySize is the length of the data key that a call asks for, in bytes.
func dataKeySize(bytes *int32, spec *kms.DataKeySpec) (int, error) {
	if (bytes == nil) == (spec == nil) {
		return 0, validation("Please specify either number of bytes or key spec.")
	}
	switch {
	case bytes != nil:
		return int(*bytes), nil
	case *spec == kms.DataKeySpecAes128:
		return 16, nil
	}
	return 32, nil
}

// dataKey makes a data key, and seals it.
func (s *Service) dataKey(call *gateway.Call, n *named, bytes *int32, spec *kms.DataKeySpec, run *bool) (key, blob []byte, err error) {
	size, err := dataKeySize(bytes, spec)
	if err != nil {
		return nil, nil, err
	}
	if err := n.encrypts(call, call.Operation.Name); err != nil {
		return nil, nil, err
	}
	if err := dry(run); err != nil {
		return nil, nil, err
	}
	key = make([]byte, size)
	rand.Read(key)
	blob, err = s.seal(call, n, key)
	return key, blob, err
}

func (s *Service) generateDataKey(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	key, blob, err := s.dataKey(call, n, in.NumberOfBytes, in.KeySpec, in.DryRun)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyOutput{CiphertextBlob: blob, Plaintext: key, KeyId: &n.Arn, KeyMaterialId: &n.Current}, nil
}

func (s *Service) generateDataKeyWithoutPlaintext(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	key, blob, err := s.dataKey(call, n, in.NumberOfBytes, in.KeySpec, in.DryRun)
	clear(key)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: blob, KeyId: &n.Arn, KeyMaterialId: &n.Current}, nil
}

func (s *Service) generateRandom(_ context.Context, call *gateway.Call, _ gateway.Anything, in *kms.GenerateRandomInput) (*kms.GenerateRandomOutput, error) {
	switch {
	case in.Recipient != nil:
		return nil, gateway.NotImplemented(call.Operation, "Recipient")
	case in.CustomKeyStoreId != nil:
		return nil, gateway.NotImplemented(call.Operation, "CustomKeyStoreId")
	case in.NumberOfBytes == nil:
		return nil, validation("NumberOfBytes is required.")
	}
	random := make([]byte, *in.NumberOfBytes)
	rand.Read(random)
	return &kms.GenerateRandomOutput{Plaintext: random}, nil
}
