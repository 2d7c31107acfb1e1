package kms_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/internal/xkstest"
	"github.com/garrison-security/garrison/service/kms"
)

const (
	clusterID = "cluster-4a23b4cdefg"
	hsmPIN    = "correct horse 7"
)

// token is an HSM in memory, with its keys and whoever is logged in.
type token struct {
	mu      sync.Mutex
	pin     string
	keys    map[string]cipher.AEAD
	logins  int
	failing error // what all calls answer
}

func (k *token) Has(cluster string) bool { return cluster == clusterID }

func (k *token) Open(cluster string, password []byte) (kms.HSM, error) {
	if cluster != clusterID {
		return nil, kms.ErrHSMAbsent
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.logins++
	return &session{token: k, pin: string(password)}, nil
}

type session struct {
	*token
	pin    string
	closed bool // under the token's mu
}

// Connect implements kms.HSM.
func (s *session) Connect(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pin != s.token.pin {
		return kms.ErrHSMPassword
	}
	return s.failing
}

func (s *session) key(label string) (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errors.New("closed")
	case s.failing != nil:
		return nil, s.failing
	case s.keys[label] == nil:
		return nil, kms.ErrHSMKey
	}
	return s.keys[label], nil
}

func (s *session) Generate(_ context.Context, label string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		return s.failing
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		return err
	}
	s.keys[label], err = cipher.NewGCMWithRandomNonce(block)
	return err
}

func (s *session) Encrypt(_ context.Context, label string, plaintext, aad []byte) ([]byte, error) {
	key, err := s.key(label)
	if err != nil {
		return nil, err
	}
	return key.Seal(nil, nil, plaintext, aad), nil
}

func (s *session) Decrypt(_ context.Context, label string, sealed, aad []byte) ([]byte, error) {
	key, err := s.key(label)
	if err != nil {
		return nil, err
	}
	plaintext, err := key.Open(nil, nil, sealed, aad)
	if err != nil {
		return nil, kms.ErrHSMCiphertext
	}
	return plaintext, nil
}

func (s *session) Destroy(_ context.Context, label string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing == nil {
		delete(s.keys, label)
	}
	return s.failing
}

func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.logins--
	return nil
}

// fail makes all calls answer an error.
func (k *token) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failing = err
}

func (k *token) count() (keys, logins int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.keys), k.logins
}

func newHSMPlane(t *testing.T) (*plane, *token) {
	k := &token{pin: hsmPIN, keys: map[string]cipher.AEAD{}}
	return newPlane(t, func(o *kms.Options) { o.Clusters = k }), k
}

// hsmStore is what makes a key store in the HSM.
func hsmStore(t *testing.T, name string) *api.CreateCustomKeyStoreInput {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &api.CreateCustomKeyStoreInput{
		CustomKeyStoreName: name, CloudHsmClusterId: new(clusterID), KeyStorePassword: new(hsmPIN),
		TrustAnchorCertificate: new(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
	}
}

// The life of a key store in an HSM, and of a key whose material is there alone.
func TestAKeyStoreInAnHSM(t *testing.T) {
	p, hsm := newHSMPlane(t)
	input := hsmStore(t, "hsm")
	input.KeyStorePassword = new("wrong horse 7")
	id := *call(p, p.root, api.CreateCustomKeyStore, input).CustomKeyStoreId
	call(p, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	if s := p.store(id); s.ConnectionErrorCode == nil || *s.ConnectionErrorCode != api.ConnectionErrorCodeTypeInvalidCredentials || *s.CloudHsmClusterId != clusterID || s.TrustAnchorCertificate == nil {
		t.Errorf("with a wrong password the store is %+v", s)
	}
	call(p, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	call(p, p.root, api.UpdateCustomKeyStore, &api.UpdateCustomKeyStoreInput{CustomKeyStoreId: id, KeyStorePassword: new(hsmPIN)})
	call(p, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	if s := p.store(id); *s.ConnectionState != api.ConnectionStateTypeConnected {
		t.Fatalf("with the right password the store is %s", *s.ConnectionState)
	}
	inHSM := func(in *api.CreateKeyInput) { in.Origin, in.CustomKeyStoreId = new(api.OriginTypeAwsCloudhsm), &id }
	key := p.key(inHSM)
	if *key.CustomKeyStoreId != id || *key.CloudHsmClusterId != clusterID || key.XksKeyConfiguration != nil || key.CurrentKeyMaterialId != nil {
		t.Errorf("the key is %+v", key)
	}
	context := map[string]string{"a": "b"}
	out := call(p, p.root, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: key.KeyId, NumberOfBytes: new(int32(32)), EncryptionContext: context})
	opens := func() string {
		return try(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: context})
	}
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: context}).Plaintext; string(got) != string(out.Plaintext) {
		t.Error("a data key opens to another")
	}
	if got := try(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: out.CiphertextBlob}); !strings.HasPrefix(got, "InvalidCiphertextException") {
		t.Errorf("without its context it is %q", got)
	}
	plain := p.key()
	moved := call(p, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: out.CiphertextBlob, SourceEncryptionContext: context, DestinationKeyId: plain.KeyId})
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: moved.CiphertextBlob}).Plaintext; string(got) != string(out.Plaintext) {
		t.Error("a moved data key opens to another")
	}

	// Refused, nothing is left behind in the HSM.
	have, _ := hsm.count()
	bad := new(api.CreateKeyInput)
	inHSM(bad)
	bad.Policy = new(`{}`)
	if got := try(p, p.root, api.CreateKey, bad); !strings.HasPrefix(got, "MalformedPolicyDocumentException") {
		t.Errorf("CreateKey = %q", got)
	}
	if got := try(p, p.user("nobody", ""), api.CreateKey, bad); !strings.Contains(got, "not authorized") {
		t.Errorf("CreateKey = %q", got)
	}
	if now, _ := hsm.count(); now != have {
		t.Errorf("refused keys leave %d in the HSM", now-have)
	}

	hsm.fail(errors.New("a secret of the module's"))
	if got := opens(); got != "KMSInvalidStateException: The AWS CloudHSM cluster of this key store could not carry out the operation." {
		t.Error(got)
	}
	good := new(api.CreateKeyInput)
	inHSM(good)
	if got := try(p, p.root, api.CreateKey, good); got != "CustomKeyStoreInvalidStateException: The AWS CloudHSM cluster of the custom key store could not make key material." {
		t.Error(got)
	}
	hsm.fail(nil)
	if got := opens(); got != "" {
		t.Error(got)
	}

	// Deleted, the key is deleted in the HSM, once the store is connected.
	call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	call(p, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	p.logOut()
	if _, logins := hsm.count(); logins != 0 {
		t.Errorf("%d are logged in to the HSM of a disconnected store", logins)
	}
	p.pass(8 * 24 * time.Hour)
	if _, err := p.kms.Sweep(t.Context(), p.engine, p.clock()); err != nil {
		t.Fatal(err)
	}
	p.work()
	if n, _ := hsm.count(); n != have {
		t.Errorf("a disconnected HSM has %d keys", n)
	}
	call(p, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	p.work()
	if n, _ := hsm.count(); n != have-1 {
		t.Errorf("the HSM still has %d keys", n)
	}
	if got := try(p, p.root, api.GenerateRandom, &api.GenerateRandomInput{NumberOfBytes: new(int32(8)), CustomKeyStoreId: &id}); got != "Garrison does not implement kms:GenerateRandom, parameter CustomKeyStoreId yet" {
		t.Error(got)
	}
}

// What a cluster's key store can't be.
func TestHSMRefusals(t *testing.T) {
	p, _ := newHSMPlane(t)
	id := p.connect(hsmStore(t, "one"))
	absent := hsmStore(t, "two")
	absent.CloudHsmClusterId = new("cluster-2a23b4cdefg")
	update := func(change func(*api.UpdateCustomKeyStoreInput)) string {
		in := &api.UpdateCustomKeyStoreInput{CustomKeyStoreId: id}
		change(in)
		return try(p, p.root, api.UpdateCustomKeyStore, in)
	}
	for _, c := range []struct{ name, got, want string }{
		{"a cluster twice", try(p, p.root, api.CreateCustomKeyStore, hsmStore(t, "two")), "CloudHsmClusterInUseException: "},
		{"an unknown cluster", try(p, p.root, api.CreateCustomKeyStore, absent), "CloudHsmClusterNotFoundException: "},
		{"another password while connected", update(func(in *api.UpdateCustomKeyStoreInput) { in.KeyStorePassword = new("1234567") }), "CustomKeyStoreInvalidStateException: "},
		{"another cluster", update(func(in *api.UpdateCustomKeyStoreInput) { in.CloudHsmClusterId = new("cluster-2a23b4cdefg") }), "CloudHsmClusterNotRelatedException: "},
		{"a proxy's path", update(func(in *api.UpdateCustomKeyStoreInput) { in.XksProxyUriPath = new(proxyPath) }), "Parameters of an external key store proxy are not valid"},
		{"to delete while connected", try(p, p.root, api.DeleteCustomKeyStore, &api.DeleteCustomKeyStoreInput{CustomKeyStoreId: id}), "CustomKeyStoreInvalidStateException: "},
	} {
		if !strings.HasPrefix(c.got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// Two nodes work on one store: each has its own login, and what one
// disconnects the other can't use any more.
func TestKeyStoresOnTwoNodes(t *testing.T) {
	p, hsm := newHSMPlane(t)
	id := p.connect(hsmStore(t, "one"))
	key := p.key(func(in *api.CreateKeyInput) { in.Origin, in.CustomKeyStoreId = new(api.OriginTypeAwsCloudhsm), &id })
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	second := p.another(func(o *kms.Options) { o.Clusters = hsm })
	if got := call(second, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}).Plaintext; string(got) != "x" {
		t.Errorf("on the second node it opens as %q", got)
	}
	if _, logins := hsm.count(); logins != 2 {
		t.Errorf("%d logins", logins)
	}
	call(p, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	if got := try(second, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); !strings.HasPrefix(got, "KMSInvalidStateException: "+*key.Arn+" is unavailable.") {
		t.Errorf("on the second node: %q", got)
	}
	p.work()
	second.work()
	p.logOut()
	second.logOut()
	if _, logins := hsm.count(); logins != 0 {
		t.Errorf("%d are still logged in", logins)
	}
}

// What was connected for an attempt that is over changes nothing.
func TestConnectingTooLate(t *testing.T) {
	p := newProxied(t)
	id := *call(p.plane, p.root, api.CreateCustomKeyStore, externalStore("one")).CustomKeyStoreId
	call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.proxy.Fail("health", xkstest.Answer{Once: true, Do: func() {
		call(p.plane, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	}})
	p.work()
	if state := *p.store(id).ConnectionState; state != api.ConnectionStateTypeDisconnecting {
		t.Errorf("the store is %s", state)
	}
	p.work()
	if state := *p.store(id).ConnectionState; state != api.ConnectionStateTypeDisconnected {
		t.Errorf("the store is %s", state)
	}
}

// tokens are several HSMs.
type tokens map[string]*token

func (k tokens) Has(cluster string) bool { return k[cluster] != nil }

func (k tokens) Open(cluster string, password []byte) (kms.HSM, error) {
	return k[cluster].Open(clusterID, password)
}

// An HSM that does not delete keys keeps none in another.
func TestDeletedKeysOfTwoHSMs(t *testing.T) {
	clusters := tokens{clusterID: {pin: hsmPIN, keys: map[string]cipher.AEAD{}}, "cluster-2a23b4cdefg": {pin: hsmPIN, keys: map[string]cipher.AEAD{}}}
	p := newPlane(t, func(o *kms.Options) { o.Clusters = clusters })
	stores := map[string]*token{}
	for cluster, hsm := range clusters {
		in := hsmStore(t, cluster)
		in.CloudHsmClusterId = &cluster
		stores[p.connect(in)] = hsm
	}
	ids := slices.Sorted(maps.Keys(stores))
	failing, working := stores[ids[0]], stores[ids[1]] // the first is the first to be looked at
	for i := range 26 {
		id := ids[0]
		if i == 25 {
			id = ids[1]
		}
		key := p.key(func(in *api.CreateKeyInput) { in.Origin, in.CustomKeyStoreId = new(api.OriginTypeAwsCloudhsm), &id })
		call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	}
	p.pass(8 * 24 * time.Hour)
	for more := true; more; {
		var err error
		if more, err = p.kms.Sweep(t.Context(), p.engine, p.clock()); err != nil {
			t.Fatal(err)
		}
	}
	failing.fail(kms.ErrHSMUnreachable)
	p.work()
	if n, _ := working.count(); n != 0 {
		t.Errorf("the HSM that works still has %d keys", n)
	}
	failing.fail(nil)
	p.work()
	p.work()
	if n, _ := failing.count(); n != 0 {
		t.Errorf("the HSM that works again still has %d keys", n)
	}
}
