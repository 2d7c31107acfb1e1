package kms_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/internal/xkstest"
)

// Each refusal of what can't be meant, or not now.
func TestKeyStoreRefusals(t *testing.T) {
	p := newProxied(t)
	root := p.root
	p.proxy.AddKey("ext")
	p.proxy.AddKey("taken")
	id := p.connect(externalStore("one"))
	key := p.key(in(id, "taken"))
	blob := call(p.plane, root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	make := func(change func(*api.CreateCustomKeyStoreInput)) string {
		in := externalStore("two")
		change(in)
		return try(p.plane, root, api.CreateCustomKeyStore, in)
	}
	update := func(change func(*api.UpdateCustomKeyStoreInput)) string {
		in := &api.UpdateCustomKeyStoreInput{CustomKeyStoreId: id}
		change(in)
		return try(p.plane, root, api.UpdateCustomKeyStore, in)
	}
	create := func(change func(*api.CreateKeyInput)) string {
		input := new(api.CreateKeyInput)
		in(id, "ext")(input)
		change(input)
		return try(p.plane, root, api.CreateKey, input)
	}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("none")}))
	for _, c := range []struct{ name, got, want string }{
		{"a name twice", make(func(in *api.CreateCustomKeyStoreInput) { in.CustomKeyStoreName = "one" }), "CustomKeyStoreNameInUseException: "},
		{"an address twice", make(func(*api.CreateCustomKeyStoreInput) {}), "XksProxyUriInUseException: "},
		{"an address twice, but for its case", make(func(in *api.CreateCustomKeyStoreInput) { in.XksProxyUriEndpoint = new("https://XKS.example.COM") }), "XksProxyUriInUseException: "},
		{"a path that the proxy does not serve", make(func(in *api.CreateCustomKeyStoreInput) { in.XksProxyUriPath = new("/two/kms/xks/v1") }), "XksProxyInvalidConfigurationException: The external key store proxy rejected the request because of an invalid URI path."},
		{"another version of the proxy's API", make(func(in *api.CreateCustomKeyStoreInput) { in.XksProxyUriPath = new("/kms/xks/v2") }), "XksProxyUriPath must end with /kms/xks/v1."},
		{"no path", make(func(in *api.CreateCustomKeyStoreInput) { in.XksProxyUriPath = nil }), "XksProxyUriEndpoint, XksProxyUriPath, XksProxyAuthenticationCredential and XksProxyConnectivity are required"},
		{"plain HTTP", make(func(in *api.CreateCustomKeyStoreInput) { in.XksProxyUriEndpoint = new("http://" + proxyHost) }), "1 validation error detected: Value 'http://xks.example.com' at 'xksProxyUriEndpoint' failed to satisfy constraint"},
		{"a port", make(func(in *api.CreateCustomKeyStoreInput) { in.XksProxyUriEndpoint = new("https://" + proxyHost + ":22") }), "1 validation error detected"},
		{"a VPC endpoint service", make(func(in *api.CreateCustomKeyStoreInput) {
			in.XksProxyConnectivity = new(api.XksProxyConnectivityTypeVpcEndpointService)
		}), "Garrison does not implement kms:CreateCustomKeyStore, parameter XksProxyConnectivity VPC_ENDPOINT_SERVICE yet"},
		{"a cluster beside a proxy", make(func(in *api.CreateCustomKeyStoreInput) { in.CloudHsmClusterId = new("cluster-1a23b4cdefg") }), "1 validation error detected"},
		{"a password beside a proxy", make(func(in *api.CreateCustomKeyStoreInput) { in.KeyStorePassword = new("1234567") }), "Parameters of an AWS CloudHSM cluster are not valid"},
		{"an HSM without a cluster", try(p.plane, root, api.CreateCustomKeyStore, &api.CreateCustomKeyStoreInput{CustomKeyStoreName: "two"}), "CloudHsmClusterId, TrustAnchorCertificate and KeyStorePassword are required"},
		{"a trust anchor that is none", try(p.plane, root, api.CreateCustomKeyStore, &api.CreateCustomKeyStoreInput{CustomKeyStoreName: "two", CloudHsmClusterId: new("cluster-2a23b4cdefg"), TrustAnchorCertificate: &certificate, KeyStorePassword: new("1234567")}), "IncorrectTrustAnchorException: "},

		{"an unknown store to connect", try(p.plane, root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: "cks-1"}), "CustomKeyStoreNotFoundException: "},
		{"an unknown store to describe", try(p.plane, root, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{CustomKeyStoreName: new("two")}), "CustomKeyStoreNotFoundException: "},
		{"a store by two names", try(p.plane, root, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{CustomKeyStoreName: new("one"), CustomKeyStoreId: &id}), "You cannot specify both"},
		{"a connected store to delete", try(p.plane, root, api.DeleteCustomKeyStore, &api.DeleteCustomKeyStoreInput{CustomKeyStoreId: id}), "CustomKeyStoreHasCMKsException: "},
		{"another endpoint of a connected store", update(func(in *api.UpdateCustomKeyStoreInput) { in.XksProxyUriEndpoint = new("https://" + proxyHost) }), "CustomKeyStoreInvalidStateException: "},
		{"a wrong path for a connected store", update(func(in *api.UpdateCustomKeyStoreInput) { in.XksProxyUriPath = new("/two/kms/xks/v1") }), "XksProxyInvalidConfigurationException: "},
		{"a wrong credential for a connected store", update(func(in *api.UpdateCustomKeyStoreInput) {
			in.XksProxyAuthenticationCredential = &api.XksProxyAuthenticationCredentialType{AccessKeyId: proxyKeyID, RawSecretAccessKey: strings.Repeat("x", 43)}
		}), "XksProxyIncorrectAuthenticationCredentialException: The external key store proxy rejected the request because it could not authenticate AWS KMS."},
		{"another name of a connected store", update(func(in *api.UpdateCustomKeyStoreInput) { in.NewCustomKeyStoreName = new("renamed") }), ""},
		{"no change", update(func(*api.UpdateCustomKeyStoreInput) {}), "You must specify at least one property"},

		{"a key by another origin", create(func(in *api.CreateKeyInput) { in.Origin = nil }), "XksKeyId is not valid for a KMS key whose origin is AWS_KMS."},
		{"a key of an HSM in an external store", create(func(in *api.CreateKeyInput) { in.Origin, in.XksKeyId = new(api.OriginTypeAwsCloudhsm), nil }), "The custom key store " + id + " is of type EXTERNAL_KEY_STORE"},
		{"a key in a store that is not named", create(func(in *api.CreateKeyInput) { in.CustomKeyStoreId = nil }), "CustomKeyStoreId is required"},
		{"a key that names no external one", create(func(in *api.CreateKeyInput) { in.XksKeyId = nil }), "XksKeyId is required"},
		{"a key in an unknown store", create(func(in *api.CreateKeyInput) { in.CustomKeyStoreId = new("cks-1") }), "CustomKeyStoreNotFoundException: "},
		{"a pair in a store", create(func(in *api.CreateKeyInput) {
			in.KeySpec, in.KeyUsage = new(api.KeySpecRsa2048), new(api.KeyUsageTypeSignVerify)
		}), "UnsupportedOperationException: "},
		{"a multi-Region key in a store", create(func(in *api.CreateKeyInput) { in.MultiRegion = new(true) }), "UnsupportedOperationException: "},
		{"an external key twice", create(func(in *api.CreateKeyInput) { in.XksKeyId = new("taken") }), "XksKeyAlreadyInUseException: "},
		{"an unknown external key", create(func(in *api.CreateKeyInput) { in.XksKeyId = new("none") }), "XksKeyNotFoundException: The external key associated with this KMS key in an external key store was not found in its external key manager."},
		{"an external key that is a step up", create(func(in *api.CreateKeyInput) { in.XksKeyId = new("..") }), "XksKeyId .. is not valid."},

		{"a data key pair", try(p.plane, root, api.GenerateDataKeyPair, &api.GenerateDataKeyPairInput{KeyId: key.KeyId, KeyPairSpec: api.DataKeyPairSpecEccNistP256}), "UnsupportedOperationException: "},
		{"rotation", try(p.plane, root, api.EnableKeyRotation, &api.EnableKeyRotationInput{KeyId: key.KeyId}), "UnsupportedOperationException: " + *key.Arn + " origin is EXTERNAL_KEY_STORE which is not valid for this operation."},
		{"rotation's status", try(p.plane, root, api.GetKeyRotationStatus, &api.GetKeyRotationStatusInput{KeyId: key.KeyId}), "UnsupportedOperationException: "},
		{"rotation on demand", try(p.plane, root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId}), "UnsupportedOperationException: "},
		{"rotations", try(p.plane, root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId}), "UnsupportedOperationException: "},
		{"import", try(p.plane, root, api.GetParametersForImport, &api.GetParametersForImportInput{KeyId: key.KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048"}), "UnsupportedOperationException: "},
		{"to forget material", try(p.plane, root, api.DeleteImportedKeyMaterial, &api.DeleteImportedKeyMaterialInput{KeyId: key.KeyId}), "UnsupportedOperationException: "},
		{"a replica", try(p.plane, root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: "eu-west-1"}), "UnsupportedOperationException: "},
		{"a dry run", try(p.plane, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, DryRun: new(true)}), "DryRunOperationException: "},
		{"random bytes of an external store", try(p.plane, root, api.GenerateRandom, &api.GenerateRandomInput{NumberOfBytes: new(int32(8)), CustomKeyStoreId: &id}), "UnsupportedOperationException: "},
		{"random bytes of an unknown store", try(p.plane, root, api.GenerateRandom, &api.GenerateRandomInput{NumberOfBytes: new(int32(8)), CustomKeyStoreId: new("cks-1")}), "CustomKeyStoreNotFoundException: "},
	} {
		if !strings.HasPrefix(c.got, c.want) || c.want == "" && c.got != "" {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	call(p.plane, root, api.UpdateCustomKeyStore, &api.UpdateCustomKeyStoreInput{CustomKeyStoreId: id, XksProxyAuthenticationCredential: externalStore("").XksProxyAuthenticationCredential})
	if got := call(p.plane, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}).Plaintext; string(got) != "x" {
		t.Errorf("after a change of credentials it opens as %q", got)
	}
}

// What a proxy answers, or doesn't, as each of KMS's operations tells it.
func TestWhatProxiesAnswer(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	p.proxy.AddKey("other")
	id := p.connect(externalStore("one"))
	key := p.key(in(id, "ext"))
	blob := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	kind := func(s string) string { name, _, _ := strings.Cut(s, ":"); return name }
	for _, c := range []struct {
		name                        string
		answer                      xkstest.Answer
		create, made, used, connect string
	}{
		{"ValidationException", xkstest.Answer{Status: 400, Name: "ValidationException"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot interpret", "XKS_PROXY_INVALID_RESPONSE"},
		{"InvalidStateException", xkstest.Answer{Status: 400, Name: "InvalidStateException"}, "XksProxyInvalidResponseException", "XksKeyInvalidConfigurationException", "is not enabled", "XKS_PROXY_INVALID_RESPONSE"},
		{"InvalidCiphertextException", xkstest.Answer{Status: 400, Name: "InvalidCiphertextException"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "specified ciphertext or encryption context is corrupted", "XKS_PROXY_INVALID_RESPONSE"},
		{"InvalidKeyUsageException", xkstest.Answer{Status: 400, Name: "InvalidKeyUsageException"}, "XksProxyInvalidResponseException", "XksKeyInvalidConfigurationException", "does not support the requested operation", "XKS_PROXY_INVALID_RESPONSE"},
		{"AuthenticationFailedException", xkstest.Answer{Status: 401, Name: "AuthenticationFailedException"}, "XksProxyIncorrectAuthenticationCredentialException", "CustomKeyStoreInvalidStateException", "could not authenticate", "INVALID_CREDENTIALS"},
		{"AccessDeniedException", xkstest.Answer{Status: 403, Name: "AccessDeniedException"}, "XksProxyInvalidConfigurationException", "KMSInvalidStateException", "denied access", "XKS_PROXY_ACCESS_DENIED"},
		{"KeyNotFoundException", xkstest.Answer{Status: 404, Name: "KeyNotFoundException"}, "XksProxyInvalidResponseException", "XksKeyNotFoundException", "was not found", "XKS_PROXY_INVALID_RESPONSE"},
		{"InvalidUriPathException", xkstest.Answer{Status: 404, Name: "InvalidUriPathException"}, "XksProxyInvalidConfigurationException", "CustomKeyStoreInvalidStateException", "invalid URI path", "XKS_PROXY_INVALID_CONFIGURATION"},
		{"ThrottlingException", xkstest.Answer{Status: 429, Name: "ThrottlingException"}, "XksProxyUriUnreachableException", "CustomKeyStoreInvalidStateException", "very high request rate", "XKS_PROXY_NOT_REACHABLE"},
		{"UnsupportedOperationException", xkstest.Answer{Status: 501, Name: "UnsupportedOperationException"}, "XksProxyInvalidConfigurationException", "XksKeyInvalidConfigurationException", "does not support the requested operation", "XKS_PROXY_INVALID_RESPONSE"},
		{"DependencyTimeoutException", xkstest.Answer{Status: 503, Name: "DependencyTimeoutException"}, "XksProxyUriUnreachableException", "CustomKeyStoreInvalidStateException", "in the time allotted", "XKS_PROXY_TIMED_OUT"},
		{"InternalException", xkstest.Answer{Status: 500, Name: "InternalException"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot communicate with the external key manager", "XKS_PROXY_INVALID_RESPONSE"},
		{"an error nobody knows", xkstest.Answer{Status: 400, Name: "Surprise"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot interpret", "XKS_PROXY_INVALID_RESPONSE"},
		{"no JSON", xkstest.Answer{Status: 200, Body: "<html>"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot interpret", "XKS_PROXY_INVALID_RESPONSE"},
		{"nothing", xkstest.Answer{Status: 200, Body: "{}"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot interpret", "XKS_PROXY_INVALID_RESPONSE"},
		{"without end", xkstest.Answer{Status: 200, Body: `{"a":"` + strings.Repeat("x", 1<<20)}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot interpret", "XKS_PROXY_INVALID_RESPONSE"},
		{"a way elsewhere", xkstest.Answer{Status: http.StatusTemporaryRedirect, Name: "x"}, "XksProxyInvalidResponseException", "CustomKeyStoreInvalidStateException", "cannot interpret", "XKS_PROXY_INVALID_RESPONSE"},
		{"that nothing is available", xkstest.Answer{Status: 200, Body: `{"xksProxyFleetSize":1,"ekmFleetDetails":[{"healthStatus":"UNAVAILABLE"}],"keySpec":"AES_256","keyUsage":["ENCRYPT"],"keyStatus":"ENABLED"}`}, "XksProxyUriUnreachableException", "XksKeyInvalidConfigurationException", "cannot interpret", "XKS_PROXY_NOT_REACHABLE"},
	} {
		for _, operation := range []string{"health", "metadata", "encrypt", "decrypt"} {
			p.proxy.Fail(operation, c.answer)
		}
		second := externalStore("two")
		second.XksProxyUriPath = new("/x" + proxyPath)
		p.proxy.Path = "/x" + proxyPath
		if got := try(p.plane, p.root, api.CreateCustomKeyStore, second); kind(got) != c.create {
			t.Errorf("%s: CreateCustomKeyStore = %s, want %s", c.name, got, c.create)
		}
		p.proxy.Path = proxyPath
		input := new(api.CreateKeyInput)
		in(id, "other")(input)
		if got := try(p.plane, p.root, api.CreateKey, input); kind(got) != c.made {
			t.Errorf("%s: CreateKey = %s, want %s", c.name, got, c.made)
		}
		if got := try(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); kind(got) != "KMSInvalidStateException" || !strings.Contains(got, c.used) || strings.Contains(got, "said by the proxy") {
			t.Errorf("%s: Decrypt = %s, want %s", c.name, got, c.used)
		}
		if got := try(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}); kind(got) != "KMSInvalidStateException" {
			t.Errorf("%s: Encrypt = %s", c.name, got)
		}
		call(p.plane, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
		p.work()
		call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
		p.work()
		if got := p.store(id); got.ConnectionErrorCode == nil || string(*got.ConnectionErrorCode) != c.connect {
			t.Errorf("%s: the store is %s %v, want %s", c.name, *got.ConnectionState, got.ConnectionErrorCode, c.connect)
		}
		for _, operation := range []string{"health", "metadata", "encrypt", "decrypt"} {
			p.proxy.Fail(operation, xkstest.Answer{})
		}
		call(p.plane, p.root, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id})
		p.work()
		call(p.plane, p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id})
		p.work()
	}
	if got := call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}).Plaintext; string(got) != "x" {
		t.Errorf("after all that it opens as %q", got)
	}
}

// A proxy that does not answer is given up, after one more try.
func TestAProxyThatIsSilent(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	key := p.key(in(p.connect(externalStore("one")), "ext"))
	p.patience(100 * time.Millisecond)
	p.proxy.Asked()
	p.proxy.Fail("encrypt", xkstest.Answer{Delay: time.Second})
	began := time.Now()
	got := try(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	if !strings.Contains(got, "did not respond in time") || time.Since(began) > 900*time.Millisecond {
		t.Errorf("%s after %s", got, time.Since(began))
	}
	if n := len(p.proxy.Asked()); n != 2 {
		t.Errorf("it is asked %d times", n)
	}
	p.patience(10 * time.Second)
	p.proxy.Fail("encrypt", xkstest.Answer{Status: 500, Name: "InternalException", Once: true})
	if got := try(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}); !strings.HasPrefix(got, "KMSInvalidStateException") {
		t.Errorf("a failure that is told is tried once more: %s", got)
	}
}

// An account has ten key stores in a Region.
func TestTheQuotaOfKeyStores(t *testing.T) {
	p := newProxied(t)
	make := func(n int) string {
		in := externalStore(fmt.Sprint("store ", n))
		path := fmt.Sprintf("/%d%s", n, proxyPath)
		in.XksProxyUriPath, p.proxy.Path = &path, path
		return try(p.plane, p.root, api.CreateCustomKeyStore, in)
	}
	for n := range 10 {
		if got := make(n); got != "" {
			t.Fatal(got)
		}
	}
	if got := make(10); got != "LimitExceededException: The quota of 10 custom key stores in this Region has been reached." {
		t.Error(got)
	}
	// A condition on who calls holds for those who list.
	lister := p.user("lister", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:DescribeCustomKeyStores","Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"`+home+`"}}}}`)
	page := call(p.plane, lister, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{Limit: new(int32(7))})
	rest := call(p.plane, lister, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{Marker: page.NextMarker})
	if len(page.CustomKeyStores) != 7 || !*page.Truncated || len(rest.CustomKeyStores) != 3 || *rest.Truncated {
		t.Errorf("%d and %d stores are listed", len(page.CustomKeyStores), len(rest.CustomKeyStores))
	}
}
