package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// TestInStep lists the paths anew: what is committed is what they say.
func TestInStep(t *testing.T) {
	want, err := list(shared.Path(t, "data/escalation-paths.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../../policy/estate/paths.txt"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("paths.txt is out of step (%v): go generate ./modelgen/escalation", err)
	}
}
