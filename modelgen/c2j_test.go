package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A model is read from outside: what it says becomes Go, so it is held to
// names before a line is written.
func TestModelRefused(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "library.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no JSON", `"operations": {`, `"operations": [`, "library.json: invalid character"},
		{"no protocol", `"protocol": "rest-json", `, ``, "no service model"},
		{"an unknown protocol", `"protocol": "rest-json"`, `"protocol": "rest-yaml"`, `unknown protocol "rest-yaml"`},
		{"a member that is Go code", `"Printed":`, `"Printed time.Time }; func init() { panic(1) }; type X struct { Y":`, "is no identifier"},
		{"a shape that is Go code", `"Unreached":`, `"Unreached struct{}; func init() {}":`, "is no identifier"},
		{"an operation that is no name", `"name": "Unfollow", "http"`, `"name": "Un follow", "http"`, `called "Un follow" within`},
		{"a shape that is not there", `{"shape": "Count"}`, `{"shape": "Number"}`, `names a shape "Number" that is not there`},
		{"a list of a shape that is not there", `"member": {"shape": "Chapter"`, `"member": {"shape": "Page"`, `names a shape "Page"`},
		{"an enum's value of two lines", `"crime"`, `"crime\nop Evil GET /"`, "can't stand in a model's text"},
		{"a URI with a space", `"/follow"`, `"/follow unsigned"`, "can't stand in a model's text"},
		{"an unknown location", `"location": "uri"`, `"location": "moon"`, `unknown location "moon"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(string(whole), c.old, c.new, 1)
			if text == string(whole) {
				t.Fatalf("the model holds no %s", c.old)
			}
			path := filepath.Join(t.TempDir(), "library.json")
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			err := one(path, "library", filepath.Join(t.TempDir(), "out"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("generated, %v; want %s", err, c.want)
			}
		})
	}
}
