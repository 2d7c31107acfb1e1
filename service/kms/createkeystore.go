package kms

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// newStore is the custom key store that a call is to make, with its secret.
type newStore struct {
	*KeyStore
	secret string
}

// ARN implements gateway.Resource.
func (*newStore) ARN() string { return "*" }

// proxyVersion ends the path of a proxy that speaks the version of its API that Garrison speaks.
const proxyVersion = "/kms/xks/v1"

// storeToCreate is the store that CreateCustomKeyStore asks for. What is wrong
// with the input itself is said to anyone.
func (s *Service) storeToCreate(call *gateway.Call, in *kms.CreateCustomKeyStoreInput) (*newStore, error) {
	call.Condition("kms:CallerAccount", call.Account)
	k := &KeyStore{
		Name: in.CustomKeyStoreName, Account: call.Account, Region: call.Region, Created: second(call.Time),
		Kind: kms.CustomKeyStoreTypeAwsCloudhsm, State: kms.ConnectionStateTypeDisconnected,
	}
	if in.CustomKeyStoreType != nil {
		k.Kind = *in.CustomKeyStoreType
	}
	n := &newStore{KeyStore: k}
	var err error
	if k.external() {
		err = n.ofProxy(call, in)
	} else {
		err = n.ofCluster(in)
	}
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(k.free(call.Tx), k.room(call.Tx)); err != nil {
		return n, err
	}
	if !k.external() && (s.Clusters == nil || !s.Clusters.Has(k.Cluster)) {
		return n, &kms.CloudHsmClusterNotFoundException{Message: "This installation has no HSM for the cluster " + k.Cluster + ": its operator lists those it has (hsm)."}
	}
	return n, nil
}

// ofCluster takes what describes a store in an HSM.
func (n *newStore) ofCluster(in *kms.CreateCustomKeyStoreInput) error {
	switch {
	case in.CloudHsmClusterId == nil || in.TrustAnchorCertificate == nil || in.KeyStorePassword == nil:
		return validation("CloudHsmClusterId, TrustAnchorCertificate and KeyStorePassword are required for a custom key store of type AWS_CLOUDHSM.")
	case in.XksProxyUriEndpoint != nil || in.XksProxyUriPath != nil || in.XksProxyAuthenticationCredential != nil || in.XksProxyConnectivity != nil ||
		in.XksProxyVpcEndpointServiceName != nil || in.XksProxyVpcEndpointServiceOwner != nil:
		return validation("Parameters of an external key store proxy are not valid for a custom key store of type AWS_CLOUDHSM.")
	}
	if block, _ := pem.Decode([]byte(*in.TrustAnchorCertificate)); block == nil {
		return &kms.IncorrectTrustAnchorException{Message: "The trust anchor certificate is no certificate in PEM."}
	} else if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return &kms.IncorrectTrustAnchorException{Message: "The trust anchor certificate can't be read."}
	}
	n.Cluster, n.TrustAnchor, n.secret = *in.CloudHsmClusterId, *in.TrustAnchorCertificate, *in.KeyStorePassword
	return nil
}

// ofProxy takes what describes an external key store.
func (n *newStore) ofProxy(call *gateway.Call, in *kms.CreateCustomKeyStoreInput) error {
	switch {
	case in.XksProxyUriEndpoint == nil || in.XksProxyUriPath == nil || in.XksProxyAuthenticationCredential == nil || in.XksProxyConnectivity == nil:
		return validation("XksProxyUriEndpoint, XksProxyUriPath, XksProxyAuthenticationCredential and XksProxyConnectivity are required for a custom key store of type EXTERNAL_KEY_STORE.")
	case in.CloudHsmClusterId != nil || in.TrustAnchorCertificate != nil || in.KeyStorePassword != nil:
		return validation("Parameters of an AWS CloudHSM cluster are not valid for a custom key store of type EXTERNAL_KEY_STORE.")
	}
	n.Endpoint, n.Path, n.Connectivity = *in.XksProxyUriEndpoint, *in.XksProxyUriPath, *in.XksProxyConnectivity
	n.AccessKeyID, n.secret = in.XksProxyAuthenticationCredential.AccessKeyId, in.XksProxyAuthenticationCredential.RawSecretAccessKey
	return checkProxySettings(call, n.KeyStore, in.XksProxyVpcEndpointServiceName, in.XksProxyVpcEndpointServiceOwner)
}

// checkProxySettings refuses settings of a proxy that can't be meant.
func checkProxySettings(call *gateway.Call, k *KeyStore, service, owner *string) error {
	switch {
	case k.Connectivity == kms.XksProxyConnectivityTypeVpcEndpointService:
		return gateway.NotImplemented(call.Operation, "XksProxyConnectivity VPC_ENDPOINT_SERVICE")
	case service != nil && *service != "" || owner != nil:
		return validation("A VPC endpoint service is not valid for XksProxyConnectivity PUBLIC_ENDPOINT.")
	case !strings.HasSuffix(k.Path, proxyVersion):
		return validation("XksProxyUriPath must end with %s.", proxyVersion)
	}
	return nil
}

// place is where no two stores of an account may stand, and the refusal of the second.
type place struct {
	index   *store.Index[KeyStore]
	parts   []string
	refusal error
}

func (k *KeyStore) places() []place {
	name := place{storesByName, []string{k.Region, k.Name}, &kms.CustomKeyStoreNameInUseException{Message: "The custom key store name " + k.Name + " is already in use."}}
	if k.external() {
		return []place{name, {storesByURI, []string{k.Region, k.host() + k.Path}, &kms.XksProxyUriInUseException{
			Message: "The XksProxyUriEndpoint and XksProxyUriPath are already in use by another external key store."}}}
	}
	return []place{name, {storesByCluster, []string{k.Cluster}, &kms.CloudHsmClusterInUseException{
		Message: "The cluster " + k.Cluster + " is already in use by another custom key store."}}}
}

// free refuses a name, an address or a cluster that another store of the account has.
func (k *KeyStore) free(tx store.Tx) error {
	for _, p := range k.places() {
		entry, err := keyStores.Find(tx, p.index, k.Account, p.parts...)
		if errors.Is(err, store.ErrNotFound) || err == nil && entry.Value.ID == k.ID {
			continue
		}
		if err != nil {
			return err
		}
		return p.refusal
	}
	return nil
}

// room refuses one store too many.
func (k *KeyStore) room(tx store.Tx) error {
	n := 0
	for _, err := range keyStores.List(tx, k.Account, nil, k.Region) {
		if err != nil {
			return err
		}
		if n++; n >= keyStoresPerAccount {
			return limitExceeded("The quota of %d custom key stores in this Region has been reached.", keyStoresPerAccount)
		}
	}
	return nil
}

// proxied tells a store whose proxy is asked before it is made.
func proxied(n *newStore, _ *kms.CreateCustomKeyStoreInput) bool { return n.external() }

// checkNewProxy asks the proxy of a new store for its health.
func (s *Service) checkNewProxy(ctx context.Context, call *gateway.Call, n *newStore, _ *kms.CreateCustomKeyStoreInput) (struct{}, error) {
	return struct{}{}, s.checkProxy(ctx, call, n.KeyStore, n.secret)
}

func (s *Service) createCustomKeyStore(_ context.Context, call *gateway.Call, n *newStore, _ *kms.CreateCustomKeyStoreInput, _ struct{}) (*kms.CreateCustomKeyStoreOutput, error) {
	n.newID()
	if err := s.keep(n.KeyStore, n.secret); err != nil {
		return nil, err
	}
	if err := keyStores.Insert(call.Tx, n.Account, n.KeyStore, n.Region, n.ID); err != nil {
		return nil, err
	}
	return &kms.CreateCustomKeyStoreOutput{CustomKeyStoreId: &n.ID}, nil
}
