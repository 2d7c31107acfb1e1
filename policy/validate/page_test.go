package validate

import (
	"os"
	"strings"
	"testing"
)

// TestPageListsEveryCheck: docs/policy-checks.md has a row for each check of the catalogue, with its severity.
func TestPageListsEveryCheck(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy-checks.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	severity := ""
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, "## "); ok {
			severity = strings.TrimSpace(rest)
		}
		if code, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "`"); ok && strings.HasPrefix(line, "| `") {
			rows[code] = severity
		}
	}
	for _, k := range Catalogue() {
		if rows[k.Code] != string(k.Severity) {
			t.Errorf("%s, %s, stands on the page under %q", k.Code, k.Severity, rows[k.Code])
		}
		delete(rows, k.Code)
	}
	for code, severity := range rows {
		if severity != "Not found" {
			t.Errorf("the page lists %s, which is no check", code)
		}
	}
}
