package e2e

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/garrison-security/garrison/internal/hsmtest"
	"github.com/garrison-security/garrison/internal/xkstest"
)

// hidden is a plaintext that nobody is told but who asks for it.
const hidden = "a plaintext that nobody is told"

// keyStore is a custom key store, and its user.
type keyStore struct {
	*testing.T
	server *server
	root   key
	id     *string
}

func (k *keyStore) client() *kms.Client {
	return kms.NewFromConfig(config(k.server.endpoint, "us-east-1", k.root, &http.Transport{}))
}

// make makes the store.
func (k *keyStore) make(in *kms.CreateCustomKeyStoreInput) {
	k.Helper()
	out, err := k.client().CreateCustomKeyStore(k.Context(), in)
	if err != nil {
		k.Fatal(err)
	}
	k.id = out.CustomKeyStoreId
}

// become waits until the store is in a state.
func (k *keyStore) become(want types.ConnectionStateType) {
	k.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		out, err := k.client().DescribeCustomKeyStores(k.Context(), &kms.DescribeCustomKeyStoresInput{CustomKeyStoreId: k.id})
		if err != nil {
			k.Fatal(err)
		}
		got := out.CustomKeyStores[0]
		if got.ConnectionState == want {
			return
		}
		if time.Since(began) > 30*time.Second || got.ConnectionState == types.ConnectionStateTypeFailed {
			k.Fatalf("the store is %s %s", got.ConnectionState, got.ConnectionErrorCode)
		}
	}
}

func (k *keyStore) open(blob []byte) (string, error) {
	out, err := k.client().Decrypt(k.Context(), &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "b"}})
	if err != nil {
		return "", err
	}
	return string(out.Plaintext), nil
}

// live connects the store, uses a key of it over a kill -9, and disconnects it again.
func (k *keyStore) live(in *kms.CreateKeyInput) {
	k.Helper()
	ctx := k.Context()
	if _, err := k.client().ConnectCustomKeyStore(ctx, &kms.ConnectCustomKeyStoreInput{CustomKeyStoreId: k.id}); err != nil {
		k.Fatal(err)
	}
	k.become(types.ConnectionStateTypeConnected)
	in.CustomKeyStoreId = k.id
	key, err := k.client().CreateKey(ctx, in)
	if err != nil {
		k.Fatal(err)
	}
	sealed, err := k.client().Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte(hidden), EncryptionContext: map[string]string{"a": "b"}})
	if err != nil {
		k.Fatal(err)
	}
	if got, err := k.open(sealed.CiphertextBlob); err != nil || got != hidden {
		k.Fatalf("Decrypt = %q, %v", got, err)
	}
	k.keepObject(key.KeyMetadata.Arn)
	k.server.kill()
	k.server.log = new(logBuffer)
	if err := k.server.start(); err != nil {
		k.Fatal(err)
	}
	if got, err := k.open(sealed.CiphertextBlob); err != nil || got != hidden {
		k.Fatalf("after the restart Decrypt = %q, %v", got, err)
	}
	if got, err := k.object(); err != nil || got != hidden {
		k.Fatalf("after the restart GetObject = %q, %v\n%s", got, err, k.server.log)
	}
	if _, err := k.client().DisconnectCustomKeyStore(ctx, &kms.DisconnectCustomKeyStoreInput{CustomKeyStoreId: k.id}); err != nil {
		k.Fatal(err)
	}
	var state *types.KMSInvalidStateException
	if got, err := k.open(sealed.CiphertextBlob); !errors.As(err, &state) {
		k.Errorf("a key of a disconnected store: %q, %v", got, err)
	}
	if got, err := k.object(); err == nil || !strings.Contains(err.Error(), "KMS.KMSInvalidStateException") {
		k.Errorf("an object under a key of a disconnected store: %q, %v", got, err)
	}
	k.become(types.ConnectionStateTypeDisconnected)
	if err := k.server.stop(); err != nil {
		k.Fatal(err)
	}
}

func (k *keyStore) s3() *s3.Client {
	return s3.NewFromConfig(config(k.server.endpoint, "us-east-1", k.root, &http.Transport{}), func(o *s3.Options) { o.UsePathStyle = true })
}

// keepObject puts an object that is encrypted under a key of the store: S3 asks KMS in the caller's name.
func (k *keyStore) keepObject(key *string) {
	k.Helper()
	if _, err := k.s3().CreateBucket(k.Context(), &s3.CreateBucketInput{Bucket: aws.String("kept-outside")}); err != nil {
		k.Fatal(err)
	}
	if _, err := k.s3().PutObject(k.Context(), &s3.PutObjectInput{
		Bucket: aws.String("kept-outside"), Key: aws.String("o"), Body: strings.NewReader(hidden), ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: key,
	}); err != nil {
		k.Fatal(err)
	}
	k.copyObjects(key)
}

// copyObjects copies the object out from under the key, and under it again: KMS is asked for one object or for two.
func (k *keyStore) copyObjects(key *string) {
	k.Helper()
	for i, c := range []s3.CopyObjectInput{
		{ServerSideEncryption: s3types.ServerSideEncryptionAes256},
		{ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: key},
		{ServerSideEncryption: s3types.ServerSideEncryptionAwsKms}, // under S3's own key
		{ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: key},
	} {
		from := "o"
		if i > 0 {
			from += strconv.Itoa(i - 1)
		}
		to := "o" + strconv.Itoa(i)
		c.Bucket, c.Key, c.CopySource = aws.String("kept-outside"), &to, aws.String("kept-outside/"+from)
		if _, err := k.s3().CopyObject(k.Context(), &c); err != nil {
			k.Errorf("CopyObject of %s to %s: %v", from, to, err)
		} else if got, err := k.named(to); err != nil || got != hidden {
			k.Errorf("GetObject of %s = %q, %v", to, got, err)
		}
	}
}

func (k *keyStore) object() (string, error) { return k.named("o") }

func (k *keyStore) named(key string) (string, error) {
	out, err := k.s3().GetObject(k.Context(), &s3.GetObjectInput{Bucket: aws.String("kept-outside"), Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	return string(b), err
}

// tells fails if the server's log or store holds one of the secrets.
func (k *keyStore) tells(secrets ...string) {
	k.Helper()
	var all strings.Builder
	all.WriteString(k.server.log.String())
	err := filepath.Walk(filepath.Join(k.server.dir, "store"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		k.Fatal(err)
	}
	for _, secret := range append(secrets, hidden) {
		if strings.Contains(all.String(), secret) {
			k.Errorf("%q is found", secret)
		}
	}
}

// TestExternalKeyStore keeps a key behind a proxy that the operator lists: it
// is used through AWS's SDK, is gone while the store is disconnected, and
// neither credential nor plaintext is left on disk.
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
	k := &keyStore{T: t}
	k.server, k.root = serving(t, "--engine", "pebble", "--xks-proxy", host+"="+address, "--xks-proxy-ca", ca, "--xks-timeout", "10s")
	input := kms.CreateCustomKeyStoreInput{
		CustomKeyStoreName: aws.String("ekm"), CustomKeyStoreType: types.CustomKeyStoreTypeExternalKeyStore,
		XksProxyConnectivity: types.XksProxyConnectivityTypePublicEndpoint, XksProxyUriEndpoint: aws.String("https://" + host), XksProxyUriPath: aws.String(path),
		XksProxyAuthenticationCredential: &types.XksProxyAuthenticationCredentialType{AccessKeyId: aws.String(id), RawSecretAccessKey: aws.String(secret)},
	}
	elsewhere := input
	elsewhere.XksProxyUriEndpoint = aws.String("https://localhost")
	var unreachable *types.XksProxyUriUnreachableException
	if _, err := k.client().CreateCustomKeyStore(t.Context(), &elsewhere); !errors.As(err, &unreachable) {
		t.Errorf("a host that is not listed: %v", err)
	}
	k.make(&input)
	k.live(&kms.CreateKeyInput{Origin: types.OriginTypeExternalKeyStore, XksKeyId: aws.String("ext-1")})
	k.tells(secret, id)
}

// TestKeysInAnHSM keeps a key in a token of SoftHSM2.
func TestKeysInAnHSM(t *testing.T) {
	t.Parallel()
	const cluster = "cluster-4a23b4cdefg"
	token := hsmtest.New(t, "garrison e2e")
	helper := filepath.Join(t.TempDir(), "garrison-pkcs11")
	if out, err := exec.Command("go", "build", "-o", helper, "../cmd/garrison-pkcs11").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	k := &keyStore{T: t, server: &server{dir: t.TempDir(), log: new(logBuffer), env: []string{"SOFTHSM2_CONF=" + token.Conf}, args: []string{
		"--engine", "pebble", "--hsm-helper", helper, "--hsm-variable", "SOFTHSM2_CONF",
		"--hsm", cluster + "=pkcs11:token=garrison%20e2e?module-path=" + token.Module,
	}}}
	if err := k.server.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.server.kill)
	var err error
	if k.root, err = k.server.credential("default"); err != nil {
		t.Fatal(err)
	}
	_, anchor := xkstest.Start(t, http.NotFoundHandler(), "any.example.com") // a certificate, as good as any: the module knows its HSM by itself
	k.make(&kms.CreateCustomKeyStoreInput{
		CustomKeyStoreName: aws.String("hsm"), CloudHsmClusterId: aws.String(cluster), KeyStorePassword: &token.PIN, TrustAnchorCertificate: aws.String(string(anchor)),
	})
	k.live(&kms.CreateKeyInput{Origin: types.OriginTypeAwsCloudhsm})
	k.tells(token.PIN)
}
