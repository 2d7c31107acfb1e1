package main

import (
	"bytes"
	"flag"
	"os"
	"testing"

	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/modelgen/coverage"
)

var rewrite = flag.Bool("rewrite", false, "write docs/coverage.md anew")

// TestCoverageIsInStep holds docs/coverage.md against the tables of the
// services that are served. With -rewrite, as make generate runs it, it writes the page.
func TestCoverageIsInStep(t *testing.T) {
	const page = "../../docs/coverage.md"
	list, err := newServices(&house{blobs: blobmem.New()}, new(Settings))
	if err != nil {
		t.Fatal(err)
	}
	var served []coverage.Served
	for _, service := range list.all {
		var s coverage.Served
		for _, op := range service.Operations() {
			s.Service = op.Row().Service.Name
			s.Operations = append(s.Operations, op.Row().Name)
		}
		served = append(served, s)
	}
	want, err := coverage.Markdown(served)
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(page); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/coverage.md is out of step (%v): make generate", err)
	}
}
