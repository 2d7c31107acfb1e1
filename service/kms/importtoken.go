package kms

import (
	"context"
	"encoding/json"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// An import token is all that opens what is imported with it, sealed: nothing
// of it is stored, and every node opens it.
const importTokenFormat = 1

// importLife is how long a token and its public key can be used.
const importLife = 24 * time.Hour

// wrapping is what an import token holds.
type wrapping struct {
	Key       string // ARN
	Algorithm string
	Private   []byte // of an RSA pair, PKCS #8
	ValidTo   time.Time
}

// importTokenKey is what import tokens of a key are sealed under. No table has that name.
func (k *Key) importTokenKey() []byte {
	return store.Key("kms/import-token", k.Account, k.Region, k.ID)
}

func (s *Service) keyToImport(call *gateway.Call, in *kms.GetParametersForImportInput) (*named, error) {
	call.Condition("kms:WrappingAlgorithm", string(in.WrappingAlgorithm))
	call.Condition("kms:WrappingKeySpec", string(in.WrappingKeySpec))
	return s.own(call, in.KeyId)
}

// imports refuses a key that material can't be imported into now.
func (n *named) imports() error {
	if !n.external() {
		return n.wrongOrigin()
	}
	if err := available(n.Spec); err != nil {
		return err
	}
	return n.notPendingDeletion()
}

// checkWrapping refuses wrapping that AWS has ended, has in China alone, or that does not hold the key's material.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html
func (n *named) checkWrapping(in *kms.GetParametersForImportInput) error {
	switch in.WrappingAlgorithm {
	case kms.AlgorithmSpecRsaesPkcs1V15, kms.AlgorithmSpecSm2pke:
		return unsupported("WrappingAlgorithm %s is not supported.", in.WrappingAlgorithm)
	}
	if in.WrappingKeySpec == kms.WrappingKeySpecSm2 {
		return unsupported("WrappingKeySpec %s is not supported.", in.WrappingKeySpec)
	}
	direct := in.WrappingAlgorithm == kms.AlgorithmSpecRsaesOaepSha1 || in.WrappingAlgorithm == kms.AlgorithmSpecRsaesOaepSha256
	if direct && n.Spec.RSA() {
		return validation("WrappingAlgorithm %s is not compatible with KeySpec %s.", in.WrappingAlgorithm, n.Spec)
	}
	return nil
}

// makeWrapping makes the RSA pair that material is wrapped under, outside any transaction.
func (s *Service) makeWrapping(ctx context.Context, call *gateway.Call, n *named, in *kms.GetParametersForImportInput) (*made, error) {
	if err := n.imports(); err != nil {
		return nil, err
	}
	if err := n.checkWrapping(in); err != nil {
		return nil, err
	}
	return s.generate(ctx, call.Account, material.Spec(in.WrappingKeySpec))
}

func (s *Service) getParametersForImport(_ context.Context, call *gateway.Call, n *named, in *kms.GetParametersForImportInput, m *made) (*kms.GetParametersForImportOutput, error) {
	if err := n.imports(); err != nil {
		return nil, err
	}
	w := wrapping{Key: n.Arn, Algorithm: string(in.WrappingAlgorithm), Private: m.secret, ValidTo: second(call.Time).Add(importLife)}
	text, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	token, err := s.Sealer.Seal([]byte{importTokenFormat}, n.Account, n.importTokenKey(), text)
	if err != nil {
		return nil, err
	}
	return &kms.GetParametersForImportOutput{KeyId: &n.Arn, ImportToken: token, PublicKey: m.public, ParametersValidTo: &w.ValidTo}, nil
}

// openToken opens an import token of the key.
func (s *Service) openToken(n *named, token []byte, now time.Time) (*wrapping, error) {
	bad := &kms.InvalidImportTokenException{}
	if len(token) == 0 || token[0] != importTokenFormat {
		return nil, bad
	}
	text, err := s.Sealer.Open([]byte{}, n.Account, n.importTokenKey(), token[1:])
	if err != nil {
		return nil, bad
	}
	defer clear(text)
	w := new(wrapping)
	if json.Unmarshal(text, w) != nil || w.Key != n.Arn {
		return nil, bad
	}
	if !now.Before(w.ValidTo) {
		clear(w.Private)
		return nil, &kms.ExpiredImportTokenException{}
	}
	return w, nil
}
