package managed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/policy"
)

func TestEveryPolicyIsRead(t *testing.T) {
	n := 0
	for p := range All("") {
		n++
		if p.Compiled("aws") == nil {
			_, err := policy.Read([]byte(p.Document()), policy.Identity)
			t.Errorf("%s can't be read: %v", p.Name, err)
		}
		if Get("aws", p.ARN("aws")) != p {
			t.Errorf("%s is not found by its ARN", p.Name)
		}
	}
	if n < 1400 {
		t.Errorf("%d policies", n)
	}
}

func TestGet(t *testing.T) {
	for arn, want := range map[string]bool{
		"arn:aws:iam::aws:policy/AdministratorAccess":              true,
		"arn:aws:iam::aws:policy/job-function/Billing":             true,
		"arn:aws:iam::aws:policy/Billing":                          false,
		"arn:aws:iam::aws:policy/job-function/AdministratorAccess": false,
		"arn:aws-cn:iam::aws:policy/AdministratorAccess":           false,
		"arn:aws:iam::111122223333:policy/AdministratorAccess":     false,
		"arn:aws:iam::aws:policy/administratoraccess":              false,
		"arn:aws:iam::aws:policy/":                                 false, "arn:aws:iam::aws:policy": false, "": false, "x": false,
	} {
		if got := Get("aws", arn) != nil; got != want {
			t.Errorf("Get(%s) = %t", arn, got)
		}
	}
	if Get("aws-cn", "arn:aws-cn:iam::aws:policy/AdministratorAccess") == nil {
		t.Error("not found in another partition")
	}
}

// The embedded file holds the source, whole.
func TestEmbeddedFileIsInStep(t *testing.T) {
	f, err := os.Open(shared.Path(t, "data/aws-managed-policies.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var from Source
	if err := json.NewDecoder(z).Decode(&from); err != nil {
		t.Fatal(err)
	}
	for got := range All("") { // in order, so that each block is inflated once
		p := from.Policies[got.Name]
		var want bytes.Buffer
		if err := json.Compact(&want, p.Document); err != nil {
			t.Fatal(err)
		}
		if got.Document() != want.String() || got.ARN("aws") != p.ARN || got.Version != p.DefaultVersionID || !got.Created.Equal(p.CreateDate) {
			t.Errorf("%s differs: go generate ./service/iam/managed", got.Name)
		}
		delete(from.Policies, got.Name)
	}
	if len(from.Policies) > 0 {
		t.Errorf("%d policies are missing", len(from.Policies))
	}
}

func BenchmarkFirstDocument(b *testing.B) {
	p := Get("aws", "arn:aws:iam::aws:policy/ReadOnlyAccess")
	for b.Loop() {
		lastBlock.block = nil
		p.Document()
	}
}
