package kms_test

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/internal/xkstest"
	"github.com/garrison-security/garrison/service/kms"
	"github.com/garrison-security/garrison/service/kms/xks"
)

// Whoever may make key stores can't have Garrison knock at doors that its
// operator did not open: no host but those listed is asked for, by whatever name.
func TestKeyStoresReachNoHostThatIsNotListed(t *testing.T) {
	var knocks atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			knocks.Add(1)
			c.Close()
		}
	}()
	client := xks.New(xks.Options{Hosts: map[string]string{"listed.example.com": l.Addr().String()}, Clock: time.Now})
	defer client.Close()
	for _, o := range []func(*kms.Options){func(*kms.Options) {}, func(o *kms.Options) { o.Proxies = client }} {
		p := newPlane(t, o)
		for _, host := range []string{"localhost", "127.0.0.1", "169.254.169.254", "example.com", "listed.example.com.", "sub.listed.example.com", "listed.example.com.evil.test", ".", "-"} {
			in := externalStore("one")
			in.XksProxyUriEndpoint = new("https://" + host)
			got := try(p, p.root, api.CreateCustomKeyStore, in)
			if !strings.HasPrefix(got, "XksProxyUriUnreachableException: This installation does not communicate with the host") && !strings.HasPrefix(got, "1 validation error") {
				t.Errorf("%s: %s", host, got)
			}
		}
	}
	if n := knocks.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	p := newPlane(t, func(o *kms.Options) { o.Proxies = client })
	in := externalStore("one")
	in.XksProxyUriEndpoint = new("https://listed.example.com")
	if got := try(p, p.root, api.CreateCustomKeyStore, in); !strings.HasPrefix(got, "XksProxyUriUnreachableException: AWS KMS cannot establish a TLS connection") || knocks.Load() == 0 {
		t.Errorf("the listed host: %s", got)
	}
}

// A host that shows another's certificate, or one of an unknown authority, is told nothing.
func TestKeyStoresTellNothingToImpostors(t *testing.T) {
	proxy := xkstest.New(proxyPath, proxyKeyID, proxySecret)
	address, _ := xkstest.Start(t, proxy, "other.example.com")
	client := xks.New(xks.Options{Hosts: map[string]string{proxyHost: address}, Timeout: 10 * time.Second, Clock: time.Now})
	defer client.Close()
	p := newPlane(t, func(o *kms.Options) { o.Proxies = client })
	if got := try(p, p.root, api.CreateCustomKeyStore, externalStore("one")); !strings.HasPrefix(got, "XksProxyUriUnreachableException: AWS KMS cannot establish a TLS connection") {
		t.Error(got)
	}
	if n := len(proxy.Asked()); n != 0 {
		t.Errorf("the impostor is asked %d times", n)
	}
}

// What a proxy sees is of no use without KMS's own material, and what KMS has
// of none without the proxy: a blob opens as a whole, under its own key.
func TestDoubleEncryptionIsOpenedAsAWhole(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	p.proxy.AddKey("next")
	id := p.connect(externalStore("one"))
	key, next, plain := p.key(in(id, "ext")), p.key(in(id, "next")), p.key()
	p.proxy.Asked()
	context := map[string]string{"a": "b"}
	blob := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret words"), EncryptionContext: context}).CiphertextBlob
	inner := p.proxy.Asked()[0].Plaintext
	opens := func(name string, blob []byte, context map[string]string) {
		t.Helper()
		for _, id := range []*string{nil, &key.KeyId, &next.KeyId, &plain.KeyId} {
			if got := try(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: context, KeyId: id}); got == "" {
				t.Errorf("%s opens", name)
			}
		}
	}
	opens("the inner ciphertext", inner, context)
	asPlain := slices.Clone(blob[:39])
	asPlain[0] = 1
	opens("the inner ciphertext under a header of version 1", append(asPlain, inner...), context)
	opens("the inner ciphertext under the blob's header", append(slices.Clone(blob[:39]), inner...), context)
	relabelled := slices.Clone(blob)
	relabelled[0] = 1
	opens("the blob as of version 1", relabelled, context)
	plainBlob := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: plain.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	plainBlob[0] = 2
	opens("a plain key's blob as of version 2", plainBlob, nil)
	nextBlob := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: next.KeyId, Plaintext: []byte("x"), EncryptionContext: context}).CiphertextBlob
	opens("a blob under another key's header", append(slices.Clone(nextBlob[:39]), blob[39:]...), context)
	opens("another context", blob, map[string]string{"a": "c"})
	opens("no context", blob, nil)
	for i := range blob {
		if i > 60 && i%7 != 0 {
			continue
		}
		wrong := slices.Clone(blob)
		wrong[i] ^= 1
		if got := try(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: wrong, EncryptionContext: context}); got == "" {
			t.Errorf("byte %d may be another", i)
		}
		if got := try(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob[:i], EncryptionContext: context}); got == "" {
			t.Errorf("%d bytes are enough", i)
		}
	}
	// The same external key, behind a store of another account: its administrator opens nothing of the first's.
	stranger := p.holder("root" + other)
	foreign := *call(p.plane, stranger, api.CreateCustomKeyStore, externalStore("theirs")).CustomKeyStoreId
	call(p.plane, stranger, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: foreign})
	p.work()
	input := new(api.CreateKeyInput)
	in(foreign, "ext")(input)
	theirs := call(p.plane, stranger, api.CreateKey, input).KeyMetadata
	theirBlob := call(p.plane, stranger, api.Encrypt, &api.EncryptInput{KeyId: theirs.KeyId, Plaintext: []byte("x"), EncryptionContext: context}).CiphertextBlob
	if got := try(p.plane, stranger, api.Decrypt, &api.DecryptInput{CiphertextBlob: append(slices.Clone(theirBlob[:39]), blob[39:]...), EncryptionContext: context}); got == "" {
		t.Error("the same external key of another account's opens it")
	}
}

// A key store is its account's: another's does not exist.
func TestKeyStoresOfOthersDoNotExist(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	id := p.connect(externalStore("one"))
	stranger := p.holder("root" + other)
	input := new(api.CreateKeyInput)
	in(id, "ext")(input)
	for name, got := range map[string]string{
		"connect":    try(p.plane, stranger, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id}),
		"disconnect": try(p.plane, stranger, api.DisconnectCustomKeyStore, &api.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id}),
		"update":     try(p.plane, stranger, api.UpdateCustomKeyStore, &api.UpdateCustomKeyStoreInput{CustomKeyStoreId: id, NewCustomKeyStoreName: new("x")}),
		"delete":     try(p.plane, stranger, api.DeleteCustomKeyStore, &api.DeleteCustomKeyStoreInput{CustomKeyStoreId: id}),
		"describe":   try(p.plane, stranger, api.DescribeCustomKeyStores, &api.DescribeCustomKeyStoresInput{CustomKeyStoreId: &id}),
		"create":     try(p.plane, stranger, api.CreateKey, input),
		"elsewhere":  tryIn(p.plane, "eu-west-1", p.root, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id}),
	} {
		if !strings.HasPrefix(got, "CustomKeyStoreNotFoundException") {
			t.Errorf("%s: %s", name, got)
		}
	}
	// Who may not is not told whether it exists.
	nobody := p.user("nobody", "")
	for _, id := range []string{id, "cks-0"} {
		if got := try(p.plane, nobody, api.ConnectCustomKeyStore, &api.ConnectCustomKeyStoreInput{CustomKeyStoreId: id}); !strings.Contains(got, "not authorized to perform: kms:ConnectCustomKeyStore") {
			t.Error(got)
		}
	}
}

// No credential of a proxy stands in a record or an error, and each use tells its store.
func TestKeyStoresInTheRecord(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	id := p.connect(externalStore("one"))
	key := p.key(in(id, "ext"))
	blob := call(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret words")}).CiphertextBlob
	call(p.plane, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob})
	wrong := externalStore("two")
	wrong.XksProxyUriPath = new("/kms/xks/v1")
	_ = try(p.plane, p.root, api.CreateCustomKeyStore, wrong)
	call(p.plane, p.root, api.UpdateCustomKeyStore, &api.UpdateCustomKeyStoreInput{CustomKeyStoreId: id, XksProxyAuthenticationCredential: wrong.XksProxyAuthenticationCredential})
	uses := 0
	for _, e := range p.events() {
		text := slices.Concat(e.RequestParameters, e.ResponseElements, e.AdditionalEventData, []byte(e.ErrorMessage), e.ServiceEventDetails)
		for _, secret := range []string{proxySecret, proxyKeyID, "secret words"} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s tells %s", e.EventName, secret)
			}
		}
		switch e.EventName {
		case "Encrypt", "Decrypt":
			uses++
			if !bytes.Contains(text, []byte(`"customKeyStoreId":"`+id+`"`)) || !bytes.Contains(text, []byte(`"xksKeyId":"ext"`)) {
				t.Errorf("%s has %s", e.EventName, e.AdditionalEventData)
			}
		case "ConnectCustomKeyStore":
			if !bytes.Contains(text, []byte(`"customKeyStoreName":"one"`)) {
				t.Errorf("%s has %s", e.EventName, e.AdditionalEventData)
			}
		}
	}
	if uses != 2 {
		t.Errorf("%d uses are recorded", uses)
	}
}

// What was sealed by one key is not passed off as another's, when an alias
// moves while the proxy is asked.
func TestAnAliasThatMovesMeanwhile(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	key, plain := p.key(in(p.connect(externalStore("one")), "ext")), p.key()
	call(p.plane, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/a", TargetKeyId: key.KeyId})
	p.proxy.Fail("encrypt", xkstest.Answer{Once: true, Do: func() {
		call(p.plane, p.root, api.UpdateAlias, &api.UpdateAliasInput{AliasName: "alias/a", TargetKeyId: plain.KeyId})
	}})
	if got := try(p.plane, p.root, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: "alias/a", NumberOfBytes: new(int32(8))}); !strings.HasPrefix(got, "KMSInternalException") {
		t.Errorf("GenerateDataKey = %q", got)
	}
	// Nor is a key used that was taken away meanwhile.
	p.proxy.Fail("encrypt", xkstest.Answer{Once: true, Do: func() {
		call(p.plane, p.root, api.DisableKey, &api.DisableKeyInput{KeyId: key.KeyId})
	}})
	if got := try(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}); !strings.HasPrefix(got, "DisabledException") {
		t.Errorf("Encrypt = %q", got)
	}
}

// A proxy that takes its time holds up nobody else, not even on the same key.
func TestASlowProxyHoldsUpNobody(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	key := p.key(in(p.connect(externalStore("one")), "ext"))
	arrived, release := make(chan struct{}), make(chan struct{})
	p.proxy.Fail("encrypt", xkstest.Answer{Once: true, Do: func() { close(arrived); <-release }})
	answered := make(chan string, 1)
	go func() {
		answered <- try(p.plane, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
	}()
	<-arrived
	for range 100 {
		call(p.plane, p.root, api.TagResource, &api.TagResourceInput{KeyId: key.KeyId, Tags: []api.Tag{{TagKey: "n"}}})
	}
	close(release)
	if got := <-answered; got != "" {
		t.Error(got)
	}
}
