package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPolicyTestingPage does what docs/policy-testing.md shows: it writes the
// blocks that name a file, and runs what stands behind a $.
func TestPolicyTestingPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy-testing.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	ran := 0
	blocks := strings.Split(string(page), "\n```")
	for i := 1; i < len(blocks); i += 2 {
		head, text, _ := strings.Cut(blocks[i], "\n")
		kind, name, _ := strings.Cut(head, " ")
		if kind != "console" {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for command := range strings.SplitSeq("\n"+text, "\n$ ") {
			if command == "" {
				continue
			}
			line, want, _ := strings.Cut(command, "\n")
			var out, complaints bytes.Buffer
			err := run(t.Context(), strings.Fields(line)[1:], &out, &complaints)
			if found := strings.Contains(line, " escalations "); found != (err != nil) {
				t.Errorf("%s: %v", line, err)
			}
			if got := strings.TrimSuffix(out.String(), "\n"); got != want {
				t.Errorf("%s prints\n%s\nthe page has\n%s", line, got, want)
			}
			ran++
		}
	}
	if ran != 6 {
		t.Errorf("%d commands ran", ran)
	}
	var out bytes.Buffer
	if err := run(t.Context(), strings.Fields("policy test --strict expectations/developer.yaml"), &out, &out); err == nil || err.Error() != "no test exercised 1 statements" {
		t.Errorf("policy test --strict = %v", err)
	}
	if err := run(t.Context(), strings.Fields("policy check --type scp guardrails/full.json guardrails/region.json"), &out, &out); err != nil {
		t.Error(err)
	}
}
