package kms

import (
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// describeCustomKeyStores lists the custom key stores: there are none, for
// CreateCustomKeyStore is not built.
func (s *Service) describeCustomKeyStores(_ context.Context, _ *gateway.Call, _ gateway.Anything, in *kms.DescribeCustomKeyStoresInput) (*kms.DescribeCustomKeyStoresOutput, error) {
	if in.CustomKeyStoreId != nil || in.CustomKeyStoreName != nil {
		return nil, &kms.CustomKeyStoreNotFoundException{}
	}
	if in.Marker != nil {
		return nil, &kms.InvalidMarkerException{Message: "Could not deserialize marker"}
	}
	return &kms.DescribeCustomKeyStoresOutput{CustomKeyStores: []kms.CustomKeyStoresListEntry{}, Truncated: new(false)}, nil
}
