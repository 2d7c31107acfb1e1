package kms_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/internal/xkstest"
	"github.com/garrison-security/garrison/service/kms"
	"github.com/garrison-security/garrison/service/kms/xks"
)

const (
	proxyHost   = "xks.example.com"
	proxyPath   = "/one/kms/xks/v1"
	proxyKeyID  = "ABCDEFGHIJKLMNOPQRST"
	proxySecret = "0123456789012345678901234567890123456789abc"
)

// proxied is a plane from which an external key store's proxy can be reached.
type proxied struct {
	*plane
	proxy  *xkstest.Proxy
	client *xks.Client
}

// patience is how long the proxy may take.
func (p *proxied) patience(d time.Duration) { p.client.Timeout = d }

func newProxied(t *testing.T) *proxied {
	t.Helper()
	proxy := xkstest.New(proxyPath, proxyKeyID, proxySecret)
	address, authority := xkstest.Start(t, proxy, proxyHost)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := xks.New(xks.Options{Hosts: map[string]string{proxyHost: address}, Roots: roots, Timeout: 10 * time.Second, Clock: time.Now})
	t.Cleanup(client.Close)
	return &proxied{newPlane(t, func(o *kms.Options) { o.Proxies = client }), proxy, client}
}

// externalStore is what makes an external key store.
func externalStore(name string) *api.CreateCustomKeyStoreInput {
	return &api.CreateCustomKeyStoreInput{
		CustomKeyStoreName: name, CustomKeyStoreType: new(api.CustomKeyStoreTypeExternalKeyStore),
		XksProxyConnectivity: new(api.XksProxyConnectivityTypePublicEndpoint), XksProxyUriEndpoint: new("https://" + proxyHost), XksProxyUriPath: new(proxyPath),
		XksProxyAuthenticationCredential: &api.XksProxyAuthenticationCredentialType{AccessKeyId: proxyKeyID, RawSecretAccessKey: proxySecret},
	}
}

// work lets the loop come by.
func (p *plane) work() {
	p.Helper()
	if err := p.kms.WorkOnStores(p.Context(), p.engine); err != nil {
		p.Fatal(err)
	}
}

// logOut lets the loop of this node's logins come by.
func (p *plane) logOut() {
	p.Helper()
	if err := p.kms.LogOut(p.Context(), p.engine); err != nil {
		p.Fatal(err)
	}
}

// another is a second node on the same store.
func (p *plane) another(change func(*kms.Options)) *plane {
	p.Helper()
	second := &plane{TB: p.TB, engine: p.engine, trail: p.trail, iam: p.iam, root: p.root, now: p.clock()}
	o := p.kms.Options
	change(&o)
	second.kms = kms.New(o)
	second.serve()
	return second
}

func (p *plane) store(id string) api.CustomKeyStoresListEntry {
	p.Helper()
	return call(p, p.root, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{CustomKeyStoreId: &id}).CustomKeyStores[0]
}

// connect connects a store and answers its id.
func (p *plane) connect(in *api.CreateCustomKeyStoreInput) string {
	p.Helper()
	id := *call(p, p.root, api.CreateCustomKeyStore, in).CustomKeyStoreId
	call(p, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	if state := *p.store(id).ConnectionState; state != api.ConnectionStateTypeConnected {
		p.Fatalf("the store is %s, %v", state, p.store(id).ConnectionErrorCode)
	}
	return id
}

// in makes keys in an external key store.
func in(store, external string) func(*api.CreateKeyInput) {
	return func(in *api.CreateKeyInput) {
		in.Origin, in.CustomKeyStoreId, in.XksKeyId = new(api.OriginTypeExternalKeyStore), &store, &external
	}
}

// The life of an external key store, and of a key in it.
func TestAnExternalKeyStore(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext.1")
	id := *call(p.plane, p.root, api.CreateCustomKeyStore, externalStore("first")).CustomKeyStoreId
	state := func() string {
		s := p.store(id)
		if s.ConnectionErrorCode != nil {
			return string(*s.ConnectionState) + " " + string(*s.ConnectionErrorCode)
		}
		return string(*s.ConnectionState)
	}
	want := func(what, want string) {
		t.Helper()
		if got := state(); got != want {
			t.Errorf("%s: the store is %s, want %s", what, got, want)
		}
	}
	want("made", "DISCONNECTED")
	call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	want("before the loop", "CONNECTING")
	p.proxy.Fail("health", xkstest.Answer{Status: 401, Name: "AuthenticationFailedException"})
	p.work()
	want("refused", "FAILED INVALID_CREDENTIALS")
	if got := try(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id}); !strings.HasPrefix(got, "CustomKeyStoreInvalidStateException") {
		t.Errorf("a failed store is connected: %s", got)
	}
	p.proxy.Fail("health", xkstest.Answer{})
	call(p.plane, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	want("before the loop", "DISCONNECTING")
	p.work()
	want("disconnected", "DISCONNECTED")
	call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	want("connected", "CONNECTED")
	call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	want("connected twice", "CONNECTED")

	key := p.key(in(id, "ext.1"))
	if *key.CustomKeyStoreId != id || *key.XksKeyConfiguration.Id != "ext.1" || key.CloudHsmClusterId != nil || key.CurrentKeyMaterialId != nil || *key.Origin != api.OriginTypeExternalKeyStore {
		t.Errorf("the key is %+v", key)
	}
	p.proxy.Asked()
	context := map[string]string{"tenant": "blue"}
	blob := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret words"), EncryptionContext: context}).CiphertextBlob
	opened := call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: context})
	if string(opened.Plaintext) != "secret words" || opened.KeyMaterialId != nil {
		t.Errorf("Decrypt = %q", opened.Plaintext)
	}
	for _, asked := range p.proxy.Asked() {
		if bytes.Contains(asked.Plaintext, []byte("secret words")) {
			t.Error("the proxy is told what it encrypts")
		}
		m := asked.Metadata
		if m.AwsPrincipalArn != p.root.ARN || m.KmsKeyArn != *key.Arn || m.KmsRequestId == "" || m.KmsOperation == "" {
			t.Errorf("the proxy is told %+v", m)
		}
	}
	data := call(p.plane, p.root, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: key.KeyId, KeySpec: new(api.DataKeySpecAes256)})
	if got := call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: data.CiphertextBlob}).Plaintext; !bytes.Equal(got, data.Plaintext) {
		t.Error("a data key opens to another")
	}
	hidden := call(p.plane, p.root, api.GenerateDataKeyWithoutPlaintext, &api.GenerateDataKeyWithoutPlaintextInput{KeyId: key.KeyId, NumberOfBytes: new(int32(1024))})
	if got := call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: hidden.CiphertextBlob}).Plaintext; len(got) != 1024 {
		t.Errorf("a data key of %d bytes", len(got))
	}
	plain := p.key()
	moved := call(p.plane, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: context, DestinationKeyId: plain.KeyId})
	back := call(p.plane, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: moved.CiphertextBlob, DestinationKeyId: key.KeyId})
	again := call(p.plane, p.root, api.ReEncrypt, &api.ReEncryptInput{CiphertextBlob: back.CiphertextBlob, DestinationKeyId: key.KeyId, DestinationEncryptionContext: context})
	if got := call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: again.CiphertextBlob, EncryptionContext: context}).Plaintext; string(got) != "secret words" {
		t.Errorf("after three keys it is %q", got)
	}
	if moved.SourceKeyMaterialId != nil || moved.DestinationKeyMaterialId == nil || back.DestinationKeyMaterialId != nil {
		t.Error("materials are named that are not KMS's, or not named")
	}

	// The longest of all that may be encrypted fits through the proxy.
	longest := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: make([]byte, 4096), EncryptionContext: map[string]string{"a": strings.Repeat("b", 8000)}})
	if got := call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: longest.CiphertextBlob, EncryptionContext: map[string]string{"a": strings.Repeat("b", 8000)}}).Plaintext; len(got) != 4096 {
		t.Errorf("%d bytes", len(got))
	}

	call(p.plane, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	if got := try(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: context}); !strings.HasPrefix(got, "KMSInvalidStateException: This KMS key is in a custom key store that is not connected") {
		t.Errorf("a key of a store that is being disconnected decrypts: %s", got)
	}
	p.work()
	describe := func() string {
		return string(*call(p.plane, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}).KeyMetadata.KeyState)
	}
	if got := describe(); got != "Unavailable" {
		t.Errorf("the key is %s", got)
	}
	call(p.plane, p.root, api.DisableKey, &api.DisableKeyInput{KeyId: key.KeyId})
	if got := describe(); got != "Unavailable" {
		t.Errorf("the disabled key is %s", got)
	}
	if got := try(p.plane, p.root, api.DeleteCustomKeyStore, &api.DeleteCustomKeyStoreInput{CustomKeyStoreId: id}); !strings.HasPrefix(got, "CustomKeyStoreHasCMKsException") {
		t.Errorf("a store with keys is deleted: %s", got)
	}
	call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	if got := describe(); got != "Disabled" {
		t.Errorf("the disabled key of a connected store is %s", got)
	}
	call(p.plane, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	call(p.plane, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
	p.work()
	if got := describe(); got != "PendingDeletion" {
		t.Errorf("the doomed key is %s", got)
	}
	p.pass(8 * 24 * time.Hour)
	if _, err := p.kms.Sweep(t.Context(), p.engine, p.clock()); err != nil {
		t.Fatal(err)
	}
	call(p.plane, p.root, api.DeleteCustomKeyStore, &api.DeleteCustomKeyStoreInput{CustomKeyStoreId: id})
	if all := call(p.plane, p.root, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{}).CustomKeyStores; len(all) != 0 {
		t.Errorf("there are still %d stores", len(all))
	}
}
