package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/garrison-security/garrison/internal/hsmtest"
	"github.com/garrison-security/garrison/internal/xkstest"
)

// TestHSMThatFails keeps a key in a token that is given the wrong password,
// whose helper is killed under calls, and which is taken away.
func TestHSMThatFails(t *testing.T) {
	t.Parallel()
	const cluster, wrong = "cluster-4a23b4cdefg", "wrong-horse"
	token := hsmtest.New(t, "garrison e2e")
	helper := filepath.Join(t.TempDir(), "garrison-pkcs11")
	build(t, nil, "build", "-o", helper, "../cmd/garrison-pkcs11")
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
	helpers := func() int { return killHelpers(k.server.command.Process.Pid) }
	_, anchor := xkstest.Start(t, http.NotFoundHandler(), "any.example.com")
	k.make(&kms.CreateCustomKeyStoreInput{
		CustomKeyStoreName: aws.String("hsm"), CloudHsmClusterId: aws.String(cluster), KeyStorePassword: aws.String(wrong), TrustAnchorCertificate: aws.String(string(anchor)),
	})
	c, ctx := k.client(), t.Context()
	connect := func() {
		t.Helper()
		if _, err := c.ConnectCustomKeyStore(ctx, &kms.ConnectCustomKeyStoreInput{CustomKeyStoreId: k.id}); err != nil {
			t.Fatal(err)
		}
	}
	connect()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		out, err := c.DescribeCustomKeyStores(ctx, &kms.DescribeCustomKeyStoresInput{CustomKeyStoreId: k.id})
		if err != nil || time.Since(began) > 30*time.Second {
			t.Fatal("a wrong password: ", err)
		}
		if got := out.CustomKeyStores[0]; got.ConnectionState == types.ConnectionStateTypeFailed {
			if got.ConnectionErrorCode != types.ConnectionErrorCodeTypeInvalidCredentials {
				t.Errorf("a wrong password is %s", got.ConnectionErrorCode)
			}
			break
		}
	}
	if _, err := c.DisconnectCustomKeyStore(ctx, &kms.DisconnectCustomKeyStoreInput{CustomKeyStoreId: k.id}); err != nil {
		t.Fatal(err)
	}
	k.become(types.ConnectionStateTypeDisconnected)
	if _, err := c.UpdateCustomKeyStore(ctx, &kms.UpdateCustomKeyStoreInput{CustomKeyStoreId: k.id, KeyStorePassword: &token.PIN}); err != nil {
		t.Fatal(err)
	}
	connect()
	k.become(types.ConnectionStateTypeConnected)
	key, err := c.CreateKey(ctx, &kms.CreateKeyInput{Origin: types.OriginTypeAwsCloudhsm, CustomKeyStoreId: k.id})
	if err != nil {
		t.Fatal(err)
	}
	seal := func() ([]byte, error) {
		out, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte(hidden), EncryptionContext: map[string]string{"a": "b"}})
		if err != nil {
			return nil, err
		}
		return out.CiphertextBlob, nil
	}
	blob, err := seal()
	if err != nil {
		t.Fatal(err)
	}
	if helpers() == 0 {
		t.Error("no helper runs")
	}
	if got, err := k.open(blob); err != nil || got != hidden {
		t.Errorf("after the helper was killed: %q, %v", got, err)
	}
	for _, i := range []int{0, len(blob) / 2, len(blob) - 1} {
		altered := append([]byte(nil), blob...)
		altered[i] ^= 1
		if got, err := k.open(altered); codeOf(err) != "InvalidCiphertextException" {
			t.Errorf("byte %d altered: %q, %v", i, got, err)
		}
	}
	if err := os.Rename(token.Dir, token.Dir+".away"); err != nil {
		t.Fatal(err)
	}
	helpers()
	if _, err := seal(); codeOf(err) != "KMSInvalidStateException" {
		t.Errorf("without its token: %v", err)
	}
	if err := os.Rename(token.Dir+".away", token.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DisconnectCustomKeyStore(ctx, &kms.DisconnectCustomKeyStoreInput{CustomKeyStoreId: k.id}); err != nil {
		t.Fatal(err)
	}
	k.become(types.ConnectionStateTypeDisconnected)
	time.Sleep(2 * time.Second) // logins are ended once a second
	if helpers() > 0 {
		t.Error("a helper runs for a store that is disconnected")
	}
	connect()
	k.become(types.ConnectionStateTypeConnected)
	if got, err := k.open(blob); err != nil || got != hidden {
		t.Errorf("connected again: %q, %v", got, err)
	}
	if err := k.server.stop(); err != nil {
		t.Fatal(err)
	}
	k.tells(token.PIN, wrong)
}

// killHelpers kills the helpers of a server, and answers how many there were.
func killHelpers(parent int) (n int) {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		text, _ := os.ReadFile(name)
		before, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after) // state, parent's id
		if id, command, ok := strings.Cut(before, " ("); ok && command == "garrison-pkcs11" && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(id)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			n++
		}
	}
	return n
}

// codeOf is the code of an error that AWS's SDK tells; "" for none.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}
