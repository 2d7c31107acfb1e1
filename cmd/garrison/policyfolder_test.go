//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAPipeInAFolder has a folder of somebody else's hold a pipe that nobody writes to.
func TestAPipeInAFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"account.json", "policy.json"} {
		if err := unix.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("account.json", filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := readEstate(dir); err == nil || !strings.Contains(err.Error(), "account.json is no regular file") {
		t.Errorf("readEstate: %v", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"policy.json", "link.json"} {
		if _, err := (policyFolder{root}).document(name); err == nil || !strings.Contains(err.Error(), "is no regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
