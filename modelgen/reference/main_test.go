package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/policy/reference"
)

// TestInStep packs the sources anew: what is committed is what they say.
func TestInStep(t *testing.T) {
	again, err := pack(filepath.Dir(shared.Path(t, "data/service-authorization.json")))
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../policy/reference/reference.gz")
	if err != nil {
		t.Fatal(err)
	}
	want, err := reference.Inflate(again)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reference.Inflate(committed); err != nil || !bytes.Equal(got, want) {
		t.Errorf("reference.gz is out of step (%v): go generate ./modelgen/reference", err)
	}
}
