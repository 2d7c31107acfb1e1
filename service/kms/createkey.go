package kms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/kms/material"
)

// newKey is the key that a call is to make: what it is decided by.
type newKey struct {
	Key
	bypass bool
	tagged []gateway.Authorization
	store  *KeyStore // that is to hold it; nil: none is
}

// ARN implements gateway.Resource: a key that is not yet there has none.
func (*newKey) ARN() string { return "*" }

// Describe implements gateway.Described.
func (n *newKey) Describe(x *policy.Context) {
	n.describeKey(x)
	x.SetBool("kms:BypassPolicyLockoutSafetyCheck", n.bypass)
}

// Further implements gateway.Compound: tags need the right to tag.
func (n *newKey) Further() []gateway.Authorization { return n.tagged }

// keyToCreate is the key that CreateKey asks for. What is wrong with the input itself is said to anyone.
func (s *Service) keyToCreate(call *gateway.Call, in *kms.CreateKeyInput) (*newKey, error) {
	n := &newKey{Key: Key{
		Account: call.Account, Region: call.Region, Manager: kms.KeyManagerTypeCustomer, Created: second(call.Time),
		Spec: material.Symmetric, Usage: kms.KeyUsageTypeEncryptDecrypt, Origin: kms.OriginTypeAwsKms, State: kms.KeyStateEnabled,
	}}
	call.Condition("kms:CallerAccount", call.Account)
	if err := n.specify(call, in); err != nil {
		return nil, err
	}
	if in.Description != nil {
		n.Description = *in.Description
	}
	if in.MultiRegion != nil && *in.MultiRegion {
		n.MultiRegion, n.Primary = true, call.Region
	}
	n.bypass = in.BypassPolicyLockoutSafetyCheck != nil && *in.BypassPolicyLockoutSafetyCheck
	var err error
	if n.Tags, err = tagsOf(in.Tags); err != nil {
		return nil, err
	}
	if len(n.Tags) > 0 {
		tagConditions(call, n.Tags)
		n.tagged = []gateway.Authorization{{Action: "kms:TagResource", On: untouchedKey(call)}}
	}
	if in.CustomKeyStoreId == nil {
		return n, nil
	}
	return n, s.placeOutside(call, n, in)
}

// specify sets spec, usage and origin, and refuses what does not go together.
func (n *newKey) specify(call *gateway.Call, in *kms.CreateKeyInput) error {
	switch {
	case in.KeySpec != nil && in.CustomerMasterKeySpec != nil:
		return validation("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	case in.KeySpec != nil:
		n.Spec = material.Spec(*in.KeySpec)
	case in.CustomerMasterKeySpec != nil:
		n.Spec = material.Spec(*in.CustomerMasterKeySpec)
	}
	if !n.Spec.Known() {
		return unsupported("KeySpec %s is not supported in this Region.", n.Spec)
	}
	if err := available(n.Spec); err != nil {
		return err
	}
	if in.KeyUsage == nil && !n.Spec.Symmetric() {
		return validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	}
	if in.KeyUsage != nil {
		n.Usage = *in.KeyUsage
	}
	if !n.Spec.Serves(string(n.Usage)) {
		return validation("KeyUsage %s is not compatible with KeySpec %s", n.Usage, n.Spec)
	}
	if in.Origin != nil {
		n.Origin = *in.Origin
	}
	if n.external() {
		n.State = kms.KeyStatePendingImport
	}
	return n.specifyStore(in)
}

// made is what is made for a new key outside its transaction.
type made struct {
	id             string // of a key whose material an HSM made under it
	secret, public []byte
}

// Wipe implements gateway.Wiped.
func (m *made) Wipe() {
	if m != nil { // what has no material here
		clear(m.secret)
	}
}

// generate makes material, in its turn where that takes long.
func (s *Service) generate(ctx context.Context, account string, spec material.Spec) (*made, error) {
	if spec.Paired() {
		leave, err := s.making.Enter(ctx, account)
		if err != nil {
			return nil, err
		}
		defer leave()
	}
	secret, err := material.Generate(spec)
	if err != nil {
		return nil, err
	}
	m := &made{secret: secret}
	if spec.Paired() {
		pair, err := material.OpenPair(spec, secret)
		if err != nil {
			return nil, err
		}
		defer pair.Close()
		if m.public, err = pair.Public(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// madeOutside tells a key whose material takes long to make, or is in a key store.
func madeOutside(n *newKey, _ *kms.CreateKeyInput) bool {
	return n.Spec.Paired() && !n.external() || n.store != nil
}

func (s *Service) prepareKey(ctx context.Context, call *gateway.Call, n *newKey, _ *kms.CreateKeyInput) (*made, error) {
	if n.store != nil {
		return s.prepareOutside(ctx, call, n)
	}
	return s.generate(ctx, call.Account, n.Spec)
}

// newID makes a key's id.
func (k *Key) newID(call *gateway.Call) {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80 // RFC 9562, section 5.4
	h := hex.EncodeToString(b[:])
	k.ID = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	if k.MultiRegion {
		k.ID = "mrk-" + h
	}
	k.Arn = keyARN(call, k.Account, k.ID)
}

func (s *Service) createKey(ctx context.Context, call *gateway.Call, n *newKey, in *kms.CreateKeyInput, m *made) (*kms.CreateKeyOutput, error) {
	k := &n.Key
	k.newID(call)
	if m != nil && m.id != "" {
		k.ID, k.Arn = m.id, keyARN(call, k.Account, m.id)
	}
	var err error
	if k.Policy, err = s.firstPolicy(call, k, in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	if err := s.countKey(call.Tx, k); err != nil {
		return nil, err
	}
	if m == nil && !k.external() {
		if m, err = s.generate(ctx, call.Account, k.Spec); err != nil {
			return nil, err
		}
		defer clear(m.secret)
	}
	switch {
	case m != nil && m.secret == nil:
		k.addMaterial(Material{ID: material.ID(k.ID, []byte(k.hsmLabel()))})
	case m != nil:
		k.Public = m.public
		if err := s.newMaterial(call.Tx, k, m.secret, Material{}); err != nil {
			return nil, err
		}
	}
	if err := k.save(call.Tx); err != nil {
		return nil, err
	}
	call.Touched(k.Arn, k.Account, keyType)
	return &kms.CreateKeyOutput{KeyMetadata: (&named{Key: k, store: n.store}).metadata(call.Partition, call.Time)}, nil
}

// firstPolicy is the policy of a key that is made.
func (s *Service) firstPolicy(call *gateway.Call, k *Key, given *string, bypass *bool) (*Document, error) {
	if given == nil {
		return defaultPolicy(call.Partition, call.Account), nil
	}
	saved, err := s.savePolicy(call, *given)
	if err != nil {
		return nil, err
	}
	return saved, checkLockout(call, k.Arn, saved, bypass)
}

// second is t as KMS's dates have it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
