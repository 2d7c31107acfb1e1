package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestStoresOfEarlierReleases opens a sealed store of each landed release, as
// it was left by that release's own program, reads what was put there, and
// verifies its record. A release adds its own with stores/make.
func TestStoresOfEarlierReleases(t *testing.T) {
	t.Parallel()
	releases, err := os.ReadDir("stores")
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	for _, release := range releases {
		if !release.IsDir() {
			continue
		}
		opened++
		t.Run(release.Name(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("stores", release.Name()))); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"root.key", "credentials"} { // git keeps no modes
				if err := os.Chmod(filepath.Join(dir, secret), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			readOldStore(t, dir)
		})
	}
	if opened == 0 {
		t.Error("no store of an earlier release is kept")
	}
}

func readOldStore(t *testing.T, dir string) {
	s, err := start(dir, "--engine", "pebble")
	if err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	client := iam.NewFromConfig(config(s.endpoint, "us-east-1", key{ID: "AKIAOLDSTOREOLDSTORE", Secret: "a-secret-of-a-store-that-is-no-secret"}, &http.Transport{}))
	user, err := client.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("alice")})
	if err != nil {
		t.Fatal(err)
	}
	if tags := user.User.Tags; len(tags) != 1 || *tags[0].Value != "blue" {
		t.Errorf("alice's tags are %v", tags)
	}
	role, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("auditor")})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(*role.Role.AssumeRolePolicyDocument, "sts%3AAssumeRole") {
		t.Errorf("the role's trust is %s", *role.Role.AssumeRolePolicyDocument)
	}
	readOldKeys(t, s, filepath.Join(dir, "keys.json"))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	out, complaints, err := garrison(t.Context(), dir, "verify")
	if err != nil {
		t.Errorf("verify: %v\n%s%s", err, out, complaints)
	}
	out, complaints, err = garrison(t.Context(), dir, "trail")
	if err != nil {
		t.Fatalf("trail: %v\n%s", err, complaints)
	}
	lines := strings.Split(out, "\n")
	for _, event := range []string{"iam:CreateUser", "iam:CreateRole", "iam:AttachUserPolicy", "NoSuchEntityException"} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, event) }) {
			t.Errorf("the record lacks %s:\n%s", event, out)
		}
	}
}

// readOldKeys opens what the keys of a store sealed, signed and authenticated
// in the release that made it, before and after a rotation.
func readOldKeys(t *testing.T, s *server, file string) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return // a release that had none
	}
	var old struct {
		Key, Pair, HMAC           string
		Sealed                    [][]byte
		Plaintext, Signature, MAC []byte
	}
	if err == nil {
		err = json.Unmarshal(text, &old)
	}
	if err != nil || len(old.Sealed) == 0 {
		t.Fatalf("%s: %v", file, err)
	}
	ctx := t.Context()
	client := kms.NewFromConfig(config(s.endpoint, "us-east-1", key{ID: "AKIAOLDSTOREOLDSTORE", Secret: "a-secret-of-a-store-that-is-no-secret"}, &http.Transport{}))
	for _, blob := range append(old.Sealed, nil) {
		if blob == nil { // and what is sealed now
			out, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("alias/earlier"), Plaintext: old.Plaintext, EncryptionContext: map[string]string{"team": "blue"}})
			if err != nil {
				t.Fatal(err)
			}
			blob = out.CiphertextBlob
		}
		out, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"team": "blue"}})
		if err != nil || !bytes.Equal(out.Plaintext, old.Plaintext) {
			t.Errorf("what was sealed in the earlier release opens as %v, %v", out, err)
		}
	}
	if _, err := client.Verify(ctx, &kms.VerifyInput{KeyId: &old.Pair, Message: old.Plaintext, Signature: old.Signature, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}); err != nil {
		t.Error(err)
	}
	if _, err := client.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: &old.HMAC, Message: old.Plaintext, Mac: old.MAC, MacAlgorithm: types.MacAlgorithmSpecHmacSha256}); err != nil {
		t.Error(err)
	}
	described, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &old.Key})
	if err != nil || *described.KeyMetadata.Description != "of an earlier release" || described.KeyMetadata.CustomKeyStoreId != nil {
		t.Errorf("the key is %+v, %v", described, err)
	}
	grants, err := client.ListGrants(ctx, &kms.ListGrantsInput{KeyId: &old.Key})
	if err != nil || len(grants.Grants) != 1 {
		t.Errorf("the key's grants: %+v, %v", grants, err)
	}
	rotations, err := client.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: &old.Key})
	if err != nil || len(rotations.Rotations) != 1 {
		t.Errorf("the key's rotations: %+v, %v", rotations, err)
	}
}
