package kms

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// specifyStore refuses what does not go together with a custom key store, or without one.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
func (n *newKey) specifyStore(in *kms.CreateKeyInput) error {
	hsm, proxied := n.Origin == kms.OriginTypeAwsCloudhsm, n.Origin == kms.OriginTypeExternalKeyStore
	switch {
	case in.XksKeyId != nil && !proxied:
		return validation("XksKeyId is not valid for a KMS key whose origin is %s.", n.Origin)
	case in.CustomKeyStoreId != nil && !hsm && !proxied:
		return validation("CustomKeyStoreId is not valid for a KMS key whose origin is %s.", n.Origin)
	case !hsm && !proxied:
		return nil
	case in.CustomKeyStoreId == nil:
		return validation("CustomKeyStoreId is required for a KMS key whose origin is %s.", n.Origin)
	case proxied && in.XksKeyId == nil:
		return validation("XksKeyId is required for a KMS key whose origin is %s.", n.Origin)
	case proxied && (*in.XksKeyId == "." || *in.XksKeyId == ".."): // steps of a path, not names
		return validation("XksKeyId %s is not valid.", *in.XksKeyId)
	case n.Spec != material.Symmetric:
		return unsupported("KeySpec %s is not supported in a custom key store.", n.Spec)
	case in.MultiRegion != nil && *in.MultiRegion:
		return unsupported("Multi-Region keys are not supported in a custom key store.")
	}
	return nil
}

// placeOutside finds the key store that is to hold a key, and refuses a key that it can't have.
func (s *Service) placeOutside(call *gateway.Call, n *newKey, in *kms.CreateKeyInput) error {
	k, err := findStore(call, *in.CustomKeyStoreId)
	if err != nil {
		return err
	}
	if k.external() != (n.Origin == kms.OriginTypeExternalKeyStore) {
		return validation("The custom key store %s is of type %s, which is not valid for a KMS key whose origin is %s.", k.ID, k.Kind, n.Origin)
	}
	if !k.connected() {
		if k.external() {
			return &kms.CustomKeyStoreInvalidStateException{Message: unconnectedProxy}
		}
		return k.wrongState("CreateKey")
	}
	n.store, n.Store = k, k.ID
	if in.XksKeyId != nil {
		n.XksKeyID = *in.XksKeyId
		return n.unique(call.Tx)
	}
	return s.checkedBefore(call, n, in)
}

// unique refuses an external key that another KMS key of the store has.
func (n *newKey) unique(tx store.Tx) error {
	_, err := keys.Find(tx, keysByStore, n.Account, n.Region, n.Store, n.XksKeyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return &kms.XksKeyAlreadyInUseException{Message: "The external key " + n.XksKeyID + " is already associated with another KMS key in this external key store."}
}

// checkedBefore refuses, before an HSM makes material for it, a key that will
// not come to be: nothing removes what an HSM made for no key.
func (s *Service) checkedBefore(call *gateway.Call, n *newKey, in *kms.CreateKeyInput) error {
	n.newID(call)
	if _, err := s.firstPolicy(call, &n.Key, in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return err
	}
	have, err := counts.Total(call.Tx, n.Account, "key "+n.Region)
	if limit := s.quotas(n.Account).Keys; err == nil && have >= limit {
		return limitExceeded("The quota of %d KMS keys in this Region has been reached.", limit)
	}
	return err
}

// prepareOutside asks a proxy for the external key, or has an HSM make material.
func (s *Service) prepareOutside(ctx context.Context, call *gateway.Call, n *newKey) (*made, error) {
	if !n.store.external() {
		return s.generateInHSM(ctx, call, n.store)
	}
	proxy, err := s.proxy(n.store)
	if err != nil {
		return nil, err
	}
	defer clear(proxy.Secret)
	asking := (&named{Key: &n.Key}).asking(call)
	if err := s.proxies().CheckKey(ctx, proxy, n.XksKeyID, asking); err != nil {
		return nil, making(err)
	}
	return s.generate(ctx, call.Account, n.Spec)
}

// generateInHSM has an HSM make the material of a key whose id is chosen with it.
func (s *Service) generateInHSM(ctx context.Context, call *gateway.Call, in *KeyStore) (*made, error) {
	k := &Key{Account: in.Account, Region: in.Region}
	k.newID(call)
	hsm, err := s.login(in)
	if err == nil {
		err = hsm.Generate(ctx, k.hsmLabel())
	}
	switch {
	case err == nil:
		return &made{id: k.ID}, nil
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return nil, &kms.DependencyTimeoutException{Message: "The AWS CloudHSM cluster of the custom key store did not respond in time."}
	}
	return nil, &kms.CustomKeyStoreInvalidStateException{Message: "The AWS CloudHSM cluster of the custom key store could not make key material."}
}
