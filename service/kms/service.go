// Package kms is AWS Key Management Service: keys whose material never leaves,
// what is encrypted, signed and authenticated with them, and who may do so by
// key policies and grants.
//
// Uses of a key read its record and write none, so that a busy key never
// conflicts with itself; when a key was last used is read from the trail by a
// consumer of its own. Private-key operations and key generation are prepared
// outside transactions. What the calendar does (deletion, expiry, rotation) is
// done by a loop, and minded by every call whether or not the loop has come by.
package kms

import (
	"slices"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Options are what a Service is made of.
type Options struct {
	// Sealer seals key material, import tokens and grant tokens, and the markers of listings.
	Sealer store.Sealer
	// Identities knows users and roles.
	Identities Identities
	// Regions are those served: where keys can be replicated to.
	Regions []string
	// Quotas hold for accounts that Accounts does not name.
	Quotas   Quotas
	Accounts map[string]Quotas
}

// Identities knows the users and roles that key policies and grants name. Package service/iam implements it.
type Identities interface {
	// PrincipalID is the unique id of the user or role with exactly that ARN, or store.ErrNotFound.
	PrincipalID(tx store.Tx, arn string) (string, error)
	// PrincipalARN is the ARN of the user or role that has a unique id now, or store.ErrNotFound.
	PrincipalARN(tx store.Tx, id string) (string, error)
}

// Service is KMS. It is safe for concurrent use.
type Service struct {
	Options
	turns *gateway.Turns
}

// New makes a Service.
func New(o Options) *Service { return &Service{Options: o, turns: gateway.NewTurns()} }

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return slices.Concat(
		s.keyOperations(),
		s.aliasOperations(),
		s.encryptionOperations(),
	)
}

func (s *Service) keyOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.PrepareWhen(kms.CreateKey, needsPair, keyToCreate, s.prepareKey, s.createKey),
		gateway.Op(kms.DescribeKey, s.describedKey, s.describeKey),
		gateway.Op(kms.ListKeys, gateway.Account[kms.ListKeysInput], s.listKeys),
		gateway.Op(kms.EnableKey, managed(s, func(in *kms.EnableKeyInput) string { return in.KeyId }), s.enableKey),
		gateway.Op(kms.DisableKey, managed(s, func(in *kms.DisableKeyInput) string { return in.KeyId }), s.disableKey),
		gateway.Op(kms.UpdateKeyDescription, managed(s, func(in *kms.UpdateKeyDescriptionInput) string { return in.KeyId }), s.updateKeyDescription),
		gateway.Op(kms.ScheduleKeyDeletion, s.keyToDelete, s.scheduleKeyDeletion),
		gateway.Op(kms.CancelKeyDeletion, managed(s, func(in *kms.CancelKeyDeletionInput) string { return in.KeyId }), s.cancelKeyDeletion),
		gateway.Op(kms.PutKeyPolicy, s.keyToGovern, s.putKeyPolicy),
		gateway.Op(kms.GetKeyPolicy, managed(s, func(in *kms.GetKeyPolicyInput) string { return in.KeyId }), s.getKeyPolicy),
		gateway.Op(kms.ListKeyPolicies, managed(s, func(in *kms.ListKeyPoliciesInput) string { return in.KeyId }), s.listKeyPolicies),
		gateway.Op(kms.TagResource, s.keyToTag, s.tagResource),
		gateway.Op(kms.UntagResource, s.keyToUntag, s.untagResource),
		gateway.Op(kms.ListResourceTags, managed(s, func(in *kms.ListResourceTagsInput) string { return in.KeyId }), s.listResourceTags),
	}
}

func (s *Service) aliasOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(kms.CreateAlias, s.aliasToCreate, s.createAlias),
		gateway.Op(kms.UpdateAlias, s.aliasToMove, s.updateAlias),
		gateway.Op(kms.DeleteAlias, s.aliasToDelete, s.deleteAlias),
		gateway.Op(kms.ListAliases, gateway.Account[kms.ListAliasesInput], s.listAliases),
	}
}

func (s *Service) encryptionOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(kms.Encrypt, s.keyToEncrypt, s.encrypt),
		gateway.PrepareWhen(kms.Decrypt, opensPair, s.keyToDecrypt, s.openCiphertext, s.decrypt),
		gateway.PrepareWhen(kms.ReEncrypt, opensSource, s.keysToReEncrypt, s.openSource, s.reEncrypt),
		gateway.Op(kms.GenerateDataKey, s.keyOfDataKey, s.generateDataKey),
		gateway.Op(kms.GenerateDataKeyWithoutPlaintext, s.keyOfHiddenDataKey, s.generateDataKeyWithoutPlaintext),
		gateway.Prepare(kms.GenerateDataKeyPair, s.keyOfPair, s.makePair, s.generateDataKeyPair),
		gateway.Prepare(kms.GenerateDataKeyPairWithoutPlaintext, s.keyOfHiddenPair, s.makeHiddenPair, s.generateDataKeyPairWithoutPlaintext),
		gateway.Op(kms.GenerateRandom, gateway.Account[kms.GenerateRandomInput], s.generateRandom),
	}
}
