package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCredentialsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	c := credentialsFile(path)
	holds := func(want string) {
		t.Helper()
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("it holds %q (%v), want %q", text, err, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("its mode is %v (%v)", info.Mode(), err)
		}
	}
	if aside, err := c.anew(keptMark, accessKey{"AKIA1", "s1"}); err != nil || aside != "" {
		t.Fatal(aside, err)
	}
	root := keptMark + "\n\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s1\n"
	holds(root)
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return c.add("111122223333", accessKey{"AKIA2", "s2"}) },
			root + "\n[111122223333]\naws_access_key_id = AKIA2\naws_secret_access_key = s2\n"},
		{func() error { return c.add("444455556666", accessKey{"AKIA3", "s3"}) },
			root + "\n[111122223333]\naws_access_key_id = AKIA2\naws_secret_access_key = s2\n" +
				"\n[444455556666]\naws_access_key_id = AKIA3\naws_secret_access_key = s3\n"},
		{func() error { return c.remove("111122223333") },
			root + "\n[444455556666]\naws_access_key_id = AKIA3\naws_secret_access_key = s3\n"},
		{func() error { return c.add("444455556666", accessKey{"AKIA4", "s4"}) },
			root + "\n[444455556666]\naws_access_key_id = AKIA4\naws_secret_access_key = s4\n"},
		{func() error { return c.remove("444455556666") }, root},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		holds(step.want)
	}

	aside, err := c.anew(fleetingMark, accessKey{"AKIA5", "s5"})
	if err != nil || aside != path+".kept" {
		t.Errorf("a kept store's credentials: set aside as %q (%v)", aside, err)
	}
	if text, err := os.ReadFile(aside); err != nil || string(text) != root {
		t.Errorf("what was set aside holds %q (%v)", text, err)
	}
	if aside, err := c.anew(fleetingMark, accessKey{"AKIA6", "s6"}); err != nil || aside != "" {
		t.Errorf("a fleeting store's credentials: set aside as %q (%v)", aside, err)
	}
	if err := os.WriteFile(path, []byte("[default]\naws_access_key_id = mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.anew(fleetingMark, accessKey{"AKIA7", "s7"}); err == nil {
		t.Error("another program's credentials are written over")
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:4566": "http://127.0.0.1:4566",
		"http://[::1]:4566":     "'http://[::1]:4566'",
		"/a b/c":                "'/a b/c'",
		"it's":                  `'it'\''s'`,
		"":                      "''",
		"$(x)":                  "'$(x)'",
	} {
		if got := quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestNothingOfACallersReachesTheTerminal(t *testing.T) {
	if got, want := printable("a\x1b[31mb\r\n\u009bc\x7fü"), "a·[31mb···c·ü"; got != want {
		t.Errorf("printable = %q, want %q", got, want)
	}
}
