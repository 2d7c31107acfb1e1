package kms

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/xks"
	"github.com/garrison-security/garrison/store"
)

// KeyStore is a custom key store, as stored under Region and id: where the
// cryptography of its keys is done outside.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
type KeyStore struct {
	ID      string // "cks-" and 17 hexadecimal digits
	Name    string
	Account string
	Region  string
	Kind    kms.CustomKeyStoreType
	Created time.Time

	State   kms.ConnectionStateType
	Error   kms.ConnectionErrorCodeType `cbor:",omitempty"` // of a store that is FAILED
	Attempt int                         // counts the changes that a call asked for: work for an earlier one comes to nothing

	Cluster     string `cbor:",omitempty"` // AWS_CLOUDHSM
	TrustAnchor string `cbor:",omitempty"` // AWS_CLOUDHSM: PEM

	Connectivity kms.XksProxyConnectivityType `cbor:",omitempty"` // EXTERNAL_KEY_STORE, as all below
	Endpoint     string                       `cbor:",omitempty"` // "https://" and the host
	Path         string                       `cbor:",omitempty"`
	AccessKeyID  string                       `cbor:",omitempty"`

	// Sealed is the password of kmsuser, or the proxy's secret access key, sealed under the account.
	Sealed []byte
}

// keyStoresPerAccount is how many custom key stores an account may have in a Region.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
const keyStoresPerAccount = 10

var (
	storesByName = &store.Index[KeyStore]{Name: "name", Unique: true, Of: func(k *KeyStore, add func(...string)) { add(k.Region, k.Name) }}
	storesByURI  = &store.Index[KeyStore]{Name: "uri", Unique: true, Of: func(k *KeyStore, add func(...string)) {
		if k.external() {
			add(k.Region, k.host()+k.Path)
		}
	}}
	storesByCluster = &store.Index[KeyStore]{Name: "cluster", Unique: true, Of: func(k *KeyStore, add func(...string)) {
		if !k.external() {
			add(k.Cluster)
		}
	}}
	// storesAtWork are those that are to be connected or disconnected.
	storesAtWork = &store.Index[KeyStore]{Name: "work", Global: true, Of: func(k *KeyStore, add func(...string)) {
		if k.working() {
			add(k.ID)
		}
	}}
	keyStores = store.NewTable[KeyStore]("kms/key-store", storesByName, storesByURI, storesByCluster, storesAtWork)
)

// external tells an external key store from one in an HSM.
func (k *KeyStore) external() bool { return k.Kind == kms.CustomKeyStoreTypeExternalKeyStore }

func (k *KeyStore) connected() bool { return k.State == kms.ConnectionStateTypeConnected }

// working tells a store that is on its way from one state to another.
func (k *KeyStore) working() bool {
	return k.State == kms.ConnectionStateTypeConnecting || k.State == kms.ConnectionStateTypeDisconnecting
}

// host is the host of the proxy's endpoint.
func (k *KeyStore) host() string { return strings.ToLower(strings.TrimPrefix(k.Endpoint, "https://")) }

func (k *KeyStore) save(tx store.Tx) error { return keyStores.Put(tx, k.Account, k, k.Region, k.ID) }

// newID makes a store's id.
func (k *KeyStore) newID() {
	var b [9]byte
	rand.Read(b[:])
	k.ID = "cks-" + hex.EncodeToString(b[:])[:17]
}

// turn begins the way to another state.
func (k *KeyStore) turn(to kms.ConnectionStateType) {
	k.State, k.Error = to, ""
	k.Attempt++
}

// secretKey is what a store's secret is sealed under. No table has that name.
func (k *KeyStore) secretKey() []byte {
	return store.Key("kms/key-store-secret", k.Account, k.Region, k.ID)
}

// keep seals the secret of a store.
func (s *Service) keep(k *KeyStore, secret string) error {
	sealed, err := s.Sealer.Seal(nil, k.Account, k.secretKey(), []byte(secret))
	if err != nil {
		return fmt.Errorf("seal a key store's secret: %w", err)
	}
	k.Sealed = sealed
	return nil
}

// secretOf opens the secret of a store. Whoever opens it clears it.
func (s *Service) secretOf(k *KeyStore) ([]byte, error) {
	secret, err := s.Sealer.Open([]byte{}, k.Account, k.secretKey(), k.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open a key store's secret: %w", err)
	}
	return secret, nil
}

// proxy is a store's proxy, and how Garrison is known to it. Whoever has it clears its secret.
func (s *Service) proxy(k *KeyStore) (*xks.Proxy, error) {
	secret, err := s.secretOf(k)
	if err != nil {
		return nil, err
	}
	return &xks.Proxy{Host: k.host(), Path: k.Path, Region: k.Region, AccessKeyID: k.AccessKeyID, Secret: secret}, nil
}

// storeNamed is a custom key store as a call names it. It has no ARN: its
// operations are allowed on all of an account's or on none.
type storeNamed struct{ *KeyStore }

// ARN implements gateway.Resource.
func (*storeNamed) ARN() string { return "*" }

// findStore finds a store of the call's account and Region by its id.
func findStore(call *gateway.Call, id string) (*KeyStore, error) {
	k, err := keyStores.Get(call.Tx, call.Account, call.Region, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &kms.CustomKeyStoreNotFoundException{Message: "The custom key store " + id + " does not exist."}
	}
	return k, err
}

// storeOf finds the store that an operation is about.
func storeOf[In any](id func(*In) string) gateway.Target[In, *storeNamed] {
	return func(call *gateway.Call, in *In) (*storeNamed, error) {
		call.Condition("kms:CallerAccount", call.Account)
		k, err := findStore(call, id(in))
		if k != nil {
			k.note(call)
		}
		return &storeNamed{k}, err
	}
}

// note writes down which store a call is about, as AWS's records have it.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-connect-keystore.html
func (k *KeyStore) note(call *gateway.Call) {
	call.Note("customKeyStoreName", k.Name)
	if !k.external() {
		call.Note("clusterId", k.Cluster)
	}
}

// entry is the store as answers list it.
func (k *KeyStore) entry() kms.CustomKeyStoresListEntry {
	e := kms.CustomKeyStoresListEntry{
		CustomKeyStoreId: &k.ID, CustomKeyStoreName: &k.Name, CustomKeyStoreType: &k.Kind, ConnectionState: &k.State, CreationDate: &k.Created,
	}
	if k.Error != "" {
		e.ConnectionErrorCode = &k.Error
	}
	if k.external() {
		e.XksProxyConfiguration = &kms.XksProxyConfigurationType{
			Connectivity: &k.Connectivity, AccessKeyId: &k.AccessKeyID, UriEndpoint: &k.Endpoint, UriPath: &k.Path,
		}
	} else {
		e.CloudHsmClusterId, e.TrustAnchorCertificate = &k.Cluster, &k.TrustAnchor
	}
	return e
}
