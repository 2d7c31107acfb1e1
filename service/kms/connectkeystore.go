package kms

import (
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// wrongState is the refusal of what a store's connection state does not allow.
func (k *KeyStore) wrongState(operation string) error {
	return &kms.CustomKeyStoreInvalidStateException{Message: operation + " is not valid for the custom key store " + k.ID + ", whose connection state is " + string(k.State) + "."}
}

// connectCustomKeyStore begins to connect a store: the loop goes on. One that
// is connected, or about to be, stays so.
func (s *Service) connectCustomKeyStore(_ context.Context, call *gateway.Call, n *storeNamed, _ *kms.ConnectCustomKeyStoreInput) (*kms.ConnectCustomKeyStoreOutput, error) {
	switch n.State {
	case kms.ConnectionStateTypeConnected, kms.ConnectionStateTypeConnecting:
		return nil, nil
	case kms.ConnectionStateTypeDisconnected:
		return nil, n.begin(call, kms.ConnectionStateTypeConnecting)
	}
	return nil, n.wrongState("ConnectCustomKeyStore")
}

// disconnectCustomKeyStore begins to disconnect a store. Its keys can't be used from here on.
func (s *Service) disconnectCustomKeyStore(_ context.Context, call *gateway.Call, n *storeNamed, _ *kms.DisconnectCustomKeyStoreInput) (*kms.DisconnectCustomKeyStoreOutput, error) {
	switch n.State {
	case kms.ConnectionStateTypeDisconnected, kms.ConnectionStateTypeDisconnecting:
		return nil, n.wrongState("DisconnectCustomKeyStore")
	}
	return nil, n.begin(call, kms.ConnectionStateTypeDisconnecting)
}

func (n *storeNamed) begin(call *gateway.Call, to kms.ConnectionStateType) error {
	return keyStores.Update(call.Tx, n.Account, func(k *KeyStore) error {
		k.turn(to)
		return nil
	}, n.Region, n.ID)
}

func (s *Service) deleteCustomKeyStore(_ context.Context, call *gateway.Call, n *storeNamed, _ *kms.DeleteCustomKeyStoreInput) (*kms.DeleteCustomKeyStoreOutput, error) {
	for _, err := range keys.ListBy(call.Tx, keysByStore, n.Account, nil, n.Region, n.ID) {
		if err != nil {
			return nil, err
		}
		return nil, &kms.CustomKeyStoreHasCMKsException{Message: "The custom key store " + n.ID + " contains KMS keys."}
	}
	if n.State != kms.ConnectionStateTypeDisconnected {
		return nil, n.wrongState("DeleteCustomKeyStore")
	}
	return nil, keyStores.Delete(call.Tx, n.Account, n.Region, n.ID)
}
