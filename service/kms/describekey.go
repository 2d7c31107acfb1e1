package kms

import (
	"context"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// metadata is the key as answers describe it.
func (k *Key) metadata(partition string, now time.Time) *kms.KeyMetadata {
	state := k.stateAt(now)
	m := &kms.KeyMetadata{
		AWSAccountId: &k.Account, KeyId: k.ID, Arn: &k.Arn, CreationDate: &k.Created, Enabled: new(state == kms.KeyStateEnabled),
		Description: &k.Description, KeyUsage: &k.Usage, KeyState: &state, Origin: &k.Origin, KeyManager: &k.Manager,
		KeySpec: new(kms.KeySpec(k.Spec)), CustomerMasterKeySpec: new(kms.CustomerMasterKeySpec(k.Spec)),
		MultiRegion: &k.MultiRegion, MultiRegionConfiguration: k.multiRegion(partition),
	}
	algorithms := k.Spec.Algorithms(string(k.Usage))
	switch k.Usage {
	case kms.KeyUsageTypeEncryptDecrypt:
		m.EncryptionAlgorithms = typed[kms.EncryptionAlgorithmSpec](algorithms)
	case kms.KeyUsageTypeSignVerify:
		m.SigningAlgorithms = typed[kms.SigningAlgorithmSpec](algorithms)
	case kms.KeyUsageTypeGenerateVerifyMac:
		m.MacAlgorithms = typed[kms.MacAlgorithmSpec](algorithms)
	case kms.KeyUsageTypeKeyAgreement:
		m.KeyAgreementAlgorithms = typed[kms.KeyAgreementAlgorithmSpec](algorithms)
	}
	if k.Store != "" {
		m.CustomKeyStoreId = &k.Store
	}
	if k.XksKeyID != "" {
		m.XksKeyConfiguration = &kms.XksKeyConfigurationType{Id: &k.XksKeyID}
	}
	if k.Spec == material.Symmetric && k.Store == "" && k.Current != "" && state != kms.KeyStatePendingImport {
		m.CurrentKeyMaterialId = &k.Current
	}
	if !k.DeletionDate.IsZero() {
		m.DeletionDate = &k.DeletionDate
	}
	if k.State == kms.KeyStatePendingReplicaDeletion {
		m.PendingDeletionWindowInDays = new(int32(k.Window))
	}
	if current, ok := k.material(k.Current); ok && k.external() && current.thereAt(now) {
		m.ExpirationModel = new(current.expirationModel())
		if !current.ValidTo.IsZero() {
			m.ValidTo = &current.ValidTo
		}
	}
	return m
}

// metadata is the key as answers describe it, with what its key store makes of it.
func (n *named) metadata(partition string, now time.Time) *kms.KeyMetadata {
	m := n.Key.metadata(partition, now)
	if n.store != nil {
		state := n.stateAt(now)
		m.KeyState, m.Enabled = &state, new(state == kms.KeyStateEnabled)
		n.store.describe(m)
	}
	return m
}

// describe adds what an answer tells of a key's store.
func (k *KeyStore) describe(m *kms.KeyMetadata) {
	if !k.external() {
		m.CloudHsmClusterId = &k.Cluster
	}
}

func (m *Material) expirationModel() kms.ExpirationModelType {
	if m.ValidTo.IsZero() {
		return kms.ExpirationModelTypeKeyMaterialDoesNotExpire
	}
	return kms.ExpirationModelTypeKeyMaterialExpires
}

// multiRegion is how answers describe a key's relations; nil for a key of one Region.
func (k *Key) multiRegion(partition string) *kms.MultiRegionConfiguration {
	if !k.MultiRegion {
		return nil
	}
	in := func(region string) kms.MultiRegionKey {
		return kms.MultiRegionKey{Arn: new(arnIn(partition, region, k.Account, k.ID)), Region: new(region)}
	}
	c := &kms.MultiRegionConfiguration{
		MultiRegionKeyType: new(kms.MultiRegionKeyType(k.multiRegionType())), PrimaryKey: new(in(k.Primary)), ReplicaKeys: []kms.MultiRegionKey{},
	}
	for _, region := range k.Replicas {
		c.ReplicaKeys = append(c.ReplicaKeys, in(region))
	}
	return c
}

// typed is a list of names in the type that an answer has for them.
func typed[T ~string](names []string) []T {
	list := make([]T, len(names))
	for i, name := range names {
		list[i] = T(name)
	}
	return list
}

// describedKey finds the key to describe. An alias that is reserved for an AWS
// managed key makes that key, if its caller may describe it.
func (s *Service) describedKey(call *gateway.Call, in *kms.DescribeKeyInput) (*named, error) {
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	n, missing := s.named(call, in.KeyId, true)
	if n == nil || !n.missing || n.account != call.Account || !strings.HasPrefix(n.alias, reservedAliases) {
		return n, missing
	}
	k, err := newManaged(call, n.alias)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return n, missing
	}
	n.Key, n.missing, n.fresh = k, false, true
	s.touch(call, n)
	return n, nil
}

func (s *Service) describeKey(_ context.Context, call *gateway.Call, n *named, _ *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	if n.fresh {
		if err := s.storeManaged(call, n.Key, n.alias); err != nil {
			return nil, err
		}
	}
	return &kms.DescribeKeyOutput{KeyMetadata: n.metadata(call.Partition, call.Time)}, nil
}

func (s *Service) listKeys(_ context.Context, call *gateway.Call, _ gateway.Anything, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	p, err := s.page(call, in.Marker, in.Limit, defaultLimit, 1000, "")
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, keys.List(call.Tx, call.Account, p.After, call.Region), func(k *Key) bool { return !k.gone(call.Time) })
	if err != nil {
		return nil, err
	}
	out := &kms.ListKeysOutput{Keys: make([]kms.KeyListEntry, len(found)), NextMarker: p.Next, Truncated: p.More()}
	for i, k := range found {
		out.Keys[i] = kms.KeyListEntry{KeyId: &k.ID, KeyArn: &k.Arn}
	}
	return out, nil
}
