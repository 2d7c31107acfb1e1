package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/garrison-security/garrison/internal/xkstest"
)

// TestExternalKeyStore keeps a key behind a proxy that the operator lists: it
// is used through AWS's SDK, is gone while the store is disconnected, also
// after a restart, and leaves neither credential nor plaintext on disk.
func TestExternalKeyStore(t *testing.T) {
	t.Parallel()
	const host, path, id, secret = "xks.example.com", "/kms/xks/v1", "ABCDEFGHIJKLMNOPQRST", "0123456789012345678901234567890123456789abc"
	proxy := xkstest.New(path, id, secret)
	proxy.AddKey("ext-1")
	address, authority := xkstest.Start(t, proxy, host)
	ca := filepath.Join(t.TempDir(), "proxy-ca.pem")
	if err := os.WriteFile(ca, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	s, root := serving(t, "--engine", "pebble", "--xks-proxy", host+"="+address, "--xks-proxy-ca", ca, "--xks-timeout", "10s")
	client := func() *kms.Client { return kms.NewFromConfig(config(s.endpoint, "us-east-1", root, &http.Transport{})) }
	c, ctx := client(), t.Context()
	input := &kms.CreateCustomKeyStoreInput{
		CustomKeyStoreName: aws.String("ekm"), CustomKeyStoreType: types.CustomKeyStoreTypeExternalKeyStore,
		XksProxyConnectivity: types.XksProxyConnectivityTypePublicEndpoint, XksProxyUriEndpoint: aws.String("https://" + host), XksProxyUriPath: aws.String(path),
		XksProxyAuthenticationCredential: &types.XksProxyAuthenticationCredentialType{AccessKeyId: aws.String(id), RawSecretAccessKey: aws.String(secret)},
	}
	elsewhere := *input
	elsewhere.XksProxyUriEndpoint = aws.String("https://localhost")
	var unreachable *types.XksProxyUriUnreachableException
	if _, err := c.CreateCustomKeyStore(ctx, &elsewhere); !errors.As(err, &unreachable) {
		t.Errorf("a host that is not listed: %v", err)
	}
	made, err := c.CreateCustomKeyStore(ctx, input)
	if err != nil {
		t.Fatal(err)
	}
	store := made.CustomKeyStoreId
	become := func(want types.ConnectionStateType) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			out, err := c.DescribeCustomKeyStores(ctx, &kms.DescribeCustomKeyStoresInput{CustomKeyStoreId: store})
			if err != nil {
				t.Fatal(err)
			}
			if got := out.CustomKeyStores[0]; got.ConnectionState == want {
				return
			} else if time.Since(began) > 30*time.Second || got.ConnectionState == types.ConnectionStateTypeFailed {
				t.Fatalf("the store is %s %s", got.ConnectionState, got.ConnectionErrorCode)
			}
		}
	}
	if _, err := c.ConnectCustomKeyStore(ctx, &kms.ConnectCustomKeyStoreInput{CustomKeyStoreId: store}); err != nil {
		t.Fatal(err)
	}
	become(types.ConnectionStateTypeConnected)
	key, err := c.CreateKey(ctx, &kms.CreateKeyInput{Origin: types.OriginTypeExternalKeyStore, CustomKeyStoreId: store, XksKeyId: aws.String("ext-1")})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte("a plaintext that nobody is told"), EncryptionContext: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	open := func() (string, error) {
		out, err := c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}})
		if err != nil {
			return "", err
		}
		return string(out.Plaintext), nil
	}
	if got, err := open(); err != nil || got != "a plaintext that nobody is told" {
		t.Fatalf("Decrypt = %q, %v", got, err)
	}
	s.kill()
	s.log = new(logBuffer)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	c = client()
	if got, err := open(); err != nil || got == "" {
		t.Fatalf("after the restart Decrypt = %q, %v", got, err)
	}
	if _, err := c.DisconnectCustomKeyStore(ctx, &kms.DisconnectCustomKeyStoreInput{CustomKeyStoreId: store}); err != nil {
		t.Fatal(err)
	}
	var state *types.KMSInvalidStateException
	if _, err := open(); !errors.As(err, &state) {
		t.Errorf("a disconnected store's key: %v", err)
	}
	become(types.ConnectionStateTypeDisconnected)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, told := range []string{s.log.String(), read(t, filepath.Join(s.dir, "store"))} {
		for _, hidden := range []string{secret, id, "a plaintext that nobody is told"} {
			if strings.Contains(told, hidden) {
				t.Errorf("%q is found", hidden)
			}
		}
	}
}

// read is all that lies in a directory.
func read(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
