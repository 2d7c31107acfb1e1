package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestKeepersOfSecrets has the code of sops, cosign and Vault use KMS as these
// programs do. It is a module of its own, packed in clients.txtar: what it needs is no need of Garrison's.
func TestKeepersOfSecrets(t *testing.T) {
	t.Parallel()
	module, err := txtar.ParseFile("clients.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := txtar.Write(module, dir); err != nil {
		t.Fatal(err)
	}
	build(t, nil, "build", "-C", dir, "-o", "clients", ".")
	s, root := serving(t)
	key, err := kms.NewFromConfig(config(s.endpoint, "us-east-1", root, &http.Transport{})).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	use := exec.Command(filepath.Join(dir, "clients"), *key.KeyMetadata.Arn)
	use.Env = append(clientEnvironment(t.TempDir()), "AWS_ENDPOINT_URL="+s.endpoint, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID="+root.ID, "AWS_SECRET_ACCESS_KEY="+root.Secret)
	if out, err := use.CombinedOutput(); err != nil || string(out) != "sops works\ncosign works\nvault works\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
