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
	"github.com/garrison-security/garrison/service/kms/xks"
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
	// Proxies reaches the proxies of external key stores; nil: none may be reached.
	Proxies *xks.Client
	// Clusters are the HSMs behind key stores of type AWS_CLOUDHSM; nil: there are none.
	Clusters Clusters
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
	making *gateway.Turns // of pairs
	using  *gateway.Turns // of private keys
	logins logins
}

// How many pieces of work of one account may wait or run: RSA makes a key in up to seconds, and signs in milliseconds.
const (
	makingKept = 32
	usingKept  = 1024
)

// New makes a Service.
func New(o Options) *Service {
	return &Service{Options: o, making: gateway.NewTurns(makingKept), using: gateway.NewTurns(usingKept), logins: logins{open: map[string]*login{}}}
}

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return slices.Concat(
		s.keyOperations(),
		s.aliasOperations(),
		s.encryptionOperations(),
		s.signingOperations(),
		s.grantOperations(),
		s.importOperations(),
		s.rotationOperations(),
		s.regionOperations(),
		s.keyStoreOperations(),
	)
}

func (s *Service) keyOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.PrepareWhen(kms.CreateKey, madeOutside, s.keyToCreate, s.prepareKey, s.createKey),
		gateway.Op(kms.DescribeKey, s.describedKey, s.describeKey),
		gateway.Op(kms.ListKeys, ofAccount[kms.ListKeysInput], s.listKeys),
		gateway.Op(kms.EnableKey, managed(s, func(in *kms.EnableKeyInput) string { return in.KeyId }), s.enableKey),
		gateway.Op(kms.DisableKey, unused(s, func(in *kms.DisableKeyInput) string { return in.KeyId }), s.disableKey),
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
		gateway.Op(kms.ListAliases, ofAccount[kms.ListAliasesInput], s.listAliases),
	}
}

func (s *Service) encryptionOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.PrepareWhen(kms.Encrypt, encryptsOutside, s.keyToEncrypt, s.encryptOutside, s.encrypt),
		gateway.PrepareWhen(kms.Decrypt, opensOutside, s.keyToDecrypt, s.openCiphertext, s.decrypt),
		gateway.PrepareWhen(kms.ReEncrypt, reEncryptsOutside, s.keysToReEncrypt, s.reEncryptOutside, s.reEncrypt),
		gateway.PrepareWhen(kms.GenerateDataKey, dataKeyOutside, s.keyOfDataKey, s.makeDataKey, s.generateDataKey),
		gateway.PrepareWhen(kms.GenerateDataKeyWithoutPlaintext, hiddenDataKeyOutside, s.keyOfHiddenDataKey, s.makeHiddenDataKey, s.generateDataKeyWithoutPlaintext),
		gateway.Prepare(kms.GenerateDataKeyPair, s.keyOfPair, s.makePair, s.generateDataKeyPair),
		gateway.Prepare(kms.GenerateDataKeyPairWithoutPlaintext, s.keyOfHiddenPair, s.makeHiddenPair, s.generateDataKeyPairWithoutPlaintext),
		gateway.Op(kms.GenerateRandom, ofAccount[kms.GenerateRandomInput], s.generateRandom),
	}
}

func (s *Service) signingOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(kms.Sign, s.keyToSign, s.makeSignature, s.sign),
		gateway.Prepare(kms.Verify, s.keyToVerify, s.checkSignature, s.verify),
		gateway.Op(kms.GenerateMac, s.keyToAuthenticate, s.generateMac),
		gateway.Op(kms.VerifyMac, s.keyOfMac, s.verifyMac),
		gateway.Prepare(kms.DeriveSharedSecret, s.keyToAgree, s.agree, s.deriveSharedSecret),
		gateway.Op(kms.GetPublicKey, s.keyToPublish, s.getPublicKey),
	}
}

func (s *Service) grantOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(kms.CreateGrant, s.keyToGrant, s.createGrant),
		gateway.Op(kms.RetireGrant, s.grantToRetire, s.retireGrant),
		gateway.Op(kms.RevokeGrant, onGrants(s, func(in *kms.RevokeGrantInput) string { return in.KeyId }), s.revokeGrant),
		gateway.Op(kms.ListGrants, onGrants(s, func(in *kms.ListGrantsInput) string { return in.KeyId }), s.listGrants),
		gateway.Op(kms.ListRetirableGrants, ofAccount[kms.ListRetirableGrantsInput], s.listRetirableGrants),
	}
}

func (s *Service) importOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(kms.GetParametersForImport, s.keyToImport, s.makeWrapping, s.getParametersForImport),
		gateway.Prepare(kms.ImportKeyMaterial, s.keyToFill, s.unwrap, s.importKeyMaterial),
		gateway.Op(kms.DeleteImportedKeyMaterial, managed(s, func(in *kms.DeleteImportedKeyMaterialInput) string { return in.KeyId }), s.deleteImportedKeyMaterial),
	}
}

func (s *Service) rotationOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(kms.EnableKeyRotation, s.keyToRotate, s.enableKeyRotation),
		gateway.Op(kms.DisableKeyRotation, managed(s, func(in *kms.DisableKeyRotationInput) string { return in.KeyId }), s.disableKeyRotation),
		gateway.Op(kms.GetKeyRotationStatus, shared(s, func(in *kms.GetKeyRotationStatusInput) string { return in.KeyId }), s.getKeyRotationStatus),
		gateway.Op(kms.RotateKeyOnDemand, managed(s, func(in *kms.RotateKeyOnDemandInput) string { return in.KeyId }), s.rotateKeyOnDemand),
		gateway.Op(kms.ListKeyRotations, managed(s, func(in *kms.ListKeyRotationsInput) string { return in.KeyId }), s.listKeyRotations),
		gateway.Op(kms.GetKeyLastUsage, managed(s, func(in *kms.GetKeyLastUsageInput) string { return in.KeyId }), s.getKeyLastUsage),
	}
}

func (s *Service) regionOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(kms.ReplicateKey, s.keyToReplicate, s.replicateKey),
		gateway.Op(kms.UpdatePrimaryRegion, s.keyToPromote, s.updatePrimaryRegion),
	}
}

func (s *Service) keyStoreOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.PrepareWhen(kms.CreateCustomKeyStore, proxied, s.storeToCreate, s.checkNewProxy, s.createCustomKeyStore),
		gateway.Op(kms.DescribeCustomKeyStores, ofAccount[kms.DescribeCustomKeyStoresInput], s.describeCustomKeyStores),
		gateway.PrepareWhen(kms.UpdateCustomKeyStore, reproxied, s.storeToUpdate, s.checkChangedProxy, s.updateCustomKeyStore),
		gateway.Op(kms.DeleteCustomKeyStore, storeOf(func(in *kms.DeleteCustomKeyStoreInput) string { return in.CustomKeyStoreId }), s.deleteCustomKeyStore),
		gateway.Op(kms.ConnectCustomKeyStore, storeOf(func(in *kms.ConnectCustomKeyStoreInput) string { return in.CustomKeyStoreId }), s.connectCustomKeyStore),
		gateway.Op(kms.DisconnectCustomKeyStore, storeOf(func(in *kms.DisconnectCustomKeyStoreInput) string { return in.CustomKeyStoreId }), s.disconnectCustomKeyStore),
	}
}
