package kms

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// describeCustomKeyStores lists the stores of the account and Region, or the
// one that is named.
func (s *Service) describeCustomKeyStores(_ context.Context, call *gateway.Call, _ gateway.Anything, in *kms.DescribeCustomKeyStoresInput) (*kms.DescribeCustomKeyStoresOutput, error) {
	if in.CustomKeyStoreId != nil && in.CustomKeyStoreName != nil {
		return nil, validation("You cannot specify both CustomKeyStoreId and CustomKeyStoreName in the same request.")
	}
	if in.CustomKeyStoreId != nil || in.CustomKeyStoreName != nil {
		k, err := oneStore(call, in)
		if err != nil {
			return nil, err
		}
		return &kms.DescribeCustomKeyStoresOutput{CustomKeyStores: []kms.CustomKeyStoresListEntry{k.entry()}, Truncated: new(false)}, nil
	}
	p, err := s.page(call, in.Marker, in.Limit, defaultLimit, 1000, "")
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, keyStores.List(call.Tx, call.Account, p.After, call.Region), func(*KeyStore) bool { return true })
	if err != nil {
		return nil, err
	}
	out := &kms.DescribeCustomKeyStoresOutput{CustomKeyStores: make([]kms.CustomKeyStoresListEntry, len(found)), NextMarker: p.Next, Truncated: p.More()}
	for i, k := range found {
		out.CustomKeyStores[i] = k.entry()
	}
	return out, nil
}

func oneStore(call *gateway.Call, in *kms.DescribeCustomKeyStoresInput) (*KeyStore, error) {
	if in.CustomKeyStoreId != nil {
		return findStore(call, *in.CustomKeyStoreId)
	}
	entry, err := keyStores.Find(call.Tx, storesByName, call.Account, call.Region, *in.CustomKeyStoreName)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &kms.CustomKeyStoreNotFoundException{Message: "The custom key store " + *in.CustomKeyStoreName + " does not exist."}
	}
	return entry.Value, err
}
