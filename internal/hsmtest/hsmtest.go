// Package hsmtest gives tests a PKCS #11 token of their own: of SoftHSM2, in a
// temporary folder. It is for tests alone.
package hsmtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Token is a token that a test has to itself.
type Token struct {
	Module string // path
	Label  string
	PIN    string
	Conf   string // what SOFTHSM2_CONF is to name
	Dir    string // where SoftHSM2 keeps it
}

// module is where systems put SoftHSM2; "" if it is not there.
func module() string {
	for _, pattern := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so", "/usr/lib*/pkcs11/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// New makes a token. Where SoftHSM2 is missing the test fails if GARRISON_CI is
// 1, and is skipped by name elsewhere.
func New(t testing.TB, label string) *Token {
	t.Helper()
	util, err := exec.LookPath("softhsm2-util")
	if module() == "" || err != nil {
		if os.Getenv("GARRISON_CI") == "1" {
			t.Fatal("SoftHSM2 is missing: install the package softhsm2")
		}
		t.Skip("SoftHSM2 is not here; install it (softhsm2) to run this test")
	}
	dir := t.TempDir()
	token := &Token{Module: module(), Label: label, PIN: "correct-horse-7", Conf: filepath.Join(dir, "softhsm2.conf"), Dir: filepath.Join(dir, "tokens")}
	if err := os.Mkdir(token.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", token.Dir)
	if err := os.WriteFile(token.Conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	init := exec.Command(util, "--init-token", "--free", "--label", label, "--pin", token.PIN, "--so-pin", "so-"+token.PIN)
	init.Env = []string{"SOFTHSM2_CONF=" + token.Conf}
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	return token
}
