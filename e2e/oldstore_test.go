package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
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
