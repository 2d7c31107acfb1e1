package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestMemoryHoldsNoMaterial reads the whole memory of a server that has
// imported key material and used it in every way there is: the material is
// nowhere in it, nor in the log.
func TestMemoryHoldsNoMaterial(t *testing.T) {
	t.Parallel()
	s, root := serving(t, "--engine", "mem")
	ctx, c := t.Context(), kms.NewFromConfig(config(s.endpoint, "us-east-1", root, &http.Transport{}))
	secret := make([]byte, 32)
	rand.Read(secret)
	created, err := c.CreateKey(ctx, &kms.CreateKeyInput{Origin: types.OriginTypeExternal})
	if err != nil {
		t.Fatal(err)
	}
	id := created.KeyMetadata.KeyId
	got, err := c.GetParametersForImport(ctx, &kms.GetParametersForImportInput{
		KeyId: id, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
	})
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(got.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public.(*rsa.PublicKey), secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{
		KeyId: id, ImportToken: got.ImportToken, EncryptedKeyMaterial: wrapped, ExpirationModel: types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		sealed, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("text")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: id}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256}); err != nil {
			t.Fatal(err)
		}
	}
	known := map[string][]byte{"material": secret, "material in base64": []byte(base64.StdEncoding.EncodeToString(secret)), "material in hex": []byte(hex.EncodeToString(secret))}
	for name, where := range found(t, s.command.Process.Pid, known) {
		t.Errorf("memory holds the %s, %d times", name, where)
	}
	if n := found(t, s.command.Process.Pid, map[string][]byte{"its id": []byte(*id)}); n["its id"] == 0 {
		t.Error("memory does not even hold the key's id: it was not read")
	}
	for name, form := range known {
		if strings.Contains(s.log.String(), string(form)) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// found counts what a process's memory holds: all of it that can be written to.
func found(t *testing.T, pid int, known map[string][]byte) map[string]int {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	counts := map[string]int{}
	buffer := make([]byte, 1<<20)
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") || to-from > 1<<30 {
			continue
		}
		for ; from < to; from += int64(len(buffer)) - 128 { // what is looked for is shorter than what is read twice
			n, _ := memory.ReadAt(buffer[:min(int64(len(buffer)), to-from)], from)
			for name, secret := range known {
				counts[name] += bytes.Count(buffer[:n], secret)
			}
		}
	}
	for name, n := range counts {
		if n == 0 {
			delete(counts, name)
		}
	}
	return counts
}
