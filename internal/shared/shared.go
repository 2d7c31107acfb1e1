// Package shared finds the models and published test vectors that lie outside
// the repository. It is for tests and generators alone.
package shared

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir is the folder that holds models and data: GARRISON_SHARED, else
// "shared" beside the repository; "" if there is none.
func Dir() string {
	if dir := os.Getenv("GARRISON_SHARED"); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// Path is the path of name in Dir. Where it is missing the test fails if
// GARRISON_CI is 1, and is skipped by name elsewhere.
func Path(t testing.TB, name string) string {
	t.Helper()
	dir := Dir()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); dir != "" && err == nil {
		return path
	}
	if os.Getenv("GARRISON_CI") == "1" {
		t.Fatalf("%s is missing: set GARRISON_SHARED to the folder that holds it", name)
	}
	t.Skipf("%s is not here; set GARRISON_SHARED to run this test", name)
	return ""
}
