package kms

import (
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// storeChange is a custom key store that a call is to change: as it stands and as it is to be.
type storeChange struct {
	was, to *KeyStore
	secret  string // a new one; "": as it was
}

// ARN implements gateway.Resource.
func (*storeChange) ARN() string { return "*" }

func (s *Service) storeToUpdate(call *gateway.Call, in *kms.UpdateCustomKeyStoreInput) (*storeChange, error) {
	call.Condition("kms:CallerAccount", call.Account)
	c := new(storeChange)
	var err error
	if c.was, err = findStore(call, in.CustomKeyStoreId); err != nil {
		return c, err
	}
	c.was.note(call)
	if c.to, err = keyStores.Edit(call.Tx, call.Account, call.Region, c.was.ID); err != nil {
		return c, err
	}
	if in.NewCustomKeyStoreName != nil {
		c.to.Name = *in.NewCustomKeyStoreName
	}
	if c.to.external() {
		err = c.ofProxy(call, in)
	} else {
		err = c.ofCluster(in)
	}
	if err != nil {
		return c, err
	}
	return c, c.to.free(call.Tx)
}

// settled refuses a change that needs a store to be disconnected, or, of what
// may change meanwhile, disconnected or connected.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html
func (c *storeChange) settled(alsoConnected bool) error {
	if c.was.State == kms.ConnectionStateTypeDisconnected || alsoConnected && c.was.connected() {
		return nil
	}
	return c.was.wrongState("UpdateCustomKeyStore")
}

// ofCluster takes changes of a store in an HSM.
func (c *storeChange) ofCluster(in *kms.UpdateCustomKeyStoreInput) error {
	switch {
	case in.XksProxyUriEndpoint != nil || in.XksProxyUriPath != nil || in.XksProxyAuthenticationCredential != nil || in.XksProxyConnectivity != nil ||
		in.XksProxyVpcEndpointServiceName != nil || in.XksProxyVpcEndpointServiceOwner != nil:
		return validation("Parameters of an external key store proxy are not valid for a custom key store of type AWS_CLOUDHSM.")
	case in.NewCustomKeyStoreName == nil && in.KeyStorePassword == nil && in.CloudHsmClusterId == nil:
		return errNoChange
	case in.CloudHsmClusterId != nil && *in.CloudHsmClusterId != c.was.Cluster:
		// No two HSMs of an installation are known to have the same keys.
		return &kms.CloudHsmClusterNotRelatedException{Message: "The cluster " + *in.CloudHsmClusterId + " is not related to the cluster " + c.was.Cluster + "."}
	}
	if in.KeyStorePassword != nil {
		c.secret = *in.KeyStorePassword
	}
	return c.settled(in.KeyStorePassword == nil && in.CloudHsmClusterId == nil)
}

// ofProxy takes changes of an external key store.
func (c *storeChange) ofProxy(call *gateway.Call, in *kms.UpdateCustomKeyStoreInput) error {
	if in.KeyStorePassword != nil || in.CloudHsmClusterId != nil {
		return validation("Parameters of an AWS CloudHSM cluster are not valid for a custom key store of type EXTERNAL_KEY_STORE.")
	}
	moved := false
	if in.XksProxyUriEndpoint != nil {
		c.to.Endpoint, moved = *in.XksProxyUriEndpoint, true
	}
	if in.XksProxyConnectivity != nil {
		c.to.Connectivity, moved = *in.XksProxyConnectivity, true
	}
	if in.XksProxyUriPath != nil {
		c.to.Path = *in.XksProxyUriPath
	}
	if in.XksProxyAuthenticationCredential != nil {
		c.to.AccessKeyID, c.secret = in.XksProxyAuthenticationCredential.AccessKeyId, in.XksProxyAuthenticationCredential.RawSecretAccessKey
	}
	if !moved && !reproxied(c, in) && in.NewCustomKeyStoreName == nil && in.XksProxyVpcEndpointServiceName == nil && in.XksProxyVpcEndpointServiceOwner == nil {
		return errNoChange
	}
	if err := checkProxySettings(call, c.to, in.XksProxyVpcEndpointServiceName, in.XksProxyVpcEndpointServiceOwner); err != nil {
		return err
	}
	return c.settled(!moved)
}

var errNoChange = validation("You must specify at least one property of the custom key store to update.")

// reproxied tells a change after which the proxy is to be asked whether it serves.
func reproxied(_ *storeChange, in *kms.UpdateCustomKeyStoreInput) bool {
	return in.XksProxyUriEndpoint != nil || in.XksProxyConnectivity != nil || in.XksProxyUriPath != nil || in.XksProxyAuthenticationCredential != nil
}

func (s *Service) checkChangedProxy(ctx context.Context, call *gateway.Call, c *storeChange, _ *kms.UpdateCustomKeyStoreInput) (struct{}, error) {
	secret := c.secret
	if secret == "" {
		opened, err := s.secretOf(c.was)
		if err != nil {
			return struct{}{}, err
		}
		secret = string(opened)
		clear(opened)
	}
	return struct{}{}, s.checkProxy(ctx, call, c.to, secret)
}

func (s *Service) updateCustomKeyStore(_ context.Context, call *gateway.Call, c *storeChange, _ *kms.UpdateCustomKeyStoreInput, _ struct{}) (*kms.UpdateCustomKeyStoreOutput, error) {
	if c.secret != "" {
		if err := s.keep(c.to, c.secret); err != nil {
			return nil, err
		}
	}
	return nil, c.to.save(call.Tx)
}
