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

// newDataKey makes a data key, for a key that can seal it.
func (n *named) newDataKey(call *gateway.Call, bytes *int32, spec *kms.DataKeySpec, run *bool) ([]byte, error) {
	size, err := dataKeySize(bytes, spec)
	if err != nil {
		return nil, err
	}
	if err := n.encrypts(call, call.Operation.Name); err != nil {
		return nil, err
	}
	if err := dry(run); err != nil {
		return nil, err
	}
	key := make([]byte, size)
	rand.Read(key)
	return key, nil
}

// dataKeyOutside and hiddenDataKeyOutside tell data keys that a key store seals.
func dataKeyOutside(n *named, in *kms.GenerateDataKeyInput) bool { return n.outside(in.DryRun) }

func hiddenDataKeyOutside(n *named, in *kms.GenerateDataKeyWithoutPlaintextInput) bool {
	return n.outside(in.DryRun)
}

func (s *Service) makeDataKey(ctx context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyInput) (*done, error) {
	return s.dataKeyBy(ctx, call, n, in.NumberOfBytes, in.KeySpec, in.DryRun)
}

func (s *Service) makeHiddenDataKey(ctx context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyWithoutPlaintextInput) (*done, error) {
	d, err := s.dataKeyBy(ctx, call, n, in.NumberOfBytes, in.KeySpec, in.DryRun)
	if err == nil {
		clear(d.plaintext) // nobody is told
	}
	return d, err
}

// dataKeyBy makes a data key, and has it sealed in a key store, outside any transaction.
func (s *Service) dataKeyBy(ctx context.Context, call *gateway.Call, n *named, bytes *int32, spec *kms.DataKeySpec, run *bool) (*done, error) {
	key, err := n.newDataKey(call, bytes, spec, run)
	if err != nil {
		return nil, err
	}
	blob, err := s.sealOutside(ctx, call, n, key)
	if err != nil {
		clear(key)
		return nil, err
	}
	return &done{key: n.Arn, plaintext: key, blob: blob}, nil
}

// dataKey makes a data key, and seals it, unless a key store has.
func (s *Service) dataKey(call *gateway.Call, n *named, bytes *int32, spec *kms.DataKeySpec, run *bool, d *done) (key, blob []byte, err error) {
	if key, err = n.newDataKey(call, bytes, spec, run); err != nil {
		return nil, nil, err
	}
	blob, err = s.sealOnce(call, n, key, d)
	if d != nil {
		clear(key)
		key = d.opened()
	}
	return key, blob, err
}

func (s *Service) generateDataKey(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyInput, d *done) (*kms.GenerateDataKeyOutput, error) {
	key, blob, err := s.dataKey(call, n, in.NumberOfBytes, in.KeySpec, in.DryRun, d)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyOutput{CiphertextBlob: blob, Plaintext: key, KeyId: &n.Arn, KeyMaterialId: n.materialID()}, nil
}

func (s *Service) generateDataKeyWithoutPlaintext(_ context.Context, call *gateway.Call, n *named, in *kms.GenerateDataKeyWithoutPlaintextInput, d *done) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	key, blob, err := s.dataKey(call, n, in.NumberOfBytes, in.KeySpec, in.DryRun, d)
	clear(key)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: blob, KeyId: &n.Arn, KeyMaterialId: n.materialID()}, nil
}

// materialID is the material that encrypts, as answers name it; nil for a key in a key store.
func (n *named) materialID() *string {
	if n.store != nil {
		return nil
	}
	return &n.Current
}

func (s *Service) generateRandom(_ context.Context, call *gateway.Call, _ gateway.Anything, in *kms.GenerateRandomInput) (*kms.GenerateRandomOutput, error) {
	switch {
	case in.Recipient != nil:
		return nil, gateway.NotImplemented(call.Operation, "Recipient")
	case in.NumberOfBytes == nil:
		return nil, validation("NumberOfBytes is required.")
	case in.CustomKeyStoreId != nil:
		return nil, s.randomOf(call, *in.CustomKeyStoreId)
	}
	random := make([]byte, *in.NumberOfBytes)
	rand.Read(random)
	return &kms.GenerateRandomOutput{Plaintext: random}, nil
}

// randomOf refuses to make random bytes in a key store.
func (s *Service) randomOf(call *gateway.Call, id string) error {
	k, err := findStore(call, id)
	switch {
	case err != nil:
		return err
	case k.external():
		return unsupported("The custom key store %s is an external key store, which is not valid for GenerateRandom.", id)
	case !k.connected():
		return k.wrongState("GenerateRandom")
	}
	return gateway.NotImplemented(call.Operation, "CustomKeyStoreId")
}
