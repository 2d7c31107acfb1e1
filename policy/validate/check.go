package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy"
)

// Check is an entry of the catalogue.
type Check struct {
	Code     string // "INVALID_ACTION"
	Severity policy.Severity
	details  string // the finding's text, with {{names}} for what it tells of
}

var catalogue []*Check

// check enters a check in the catalogue.
func check(s policy.Severity, code, details string) *Check {
	c := &Check{Code: code, Severity: s, details: details}
	catalogue = append(catalogue, c)
	return c
}

// Catalogue are all checks, by severity.
func Catalogue() []*Check {
	weights := []policy.Severity{policy.Error, policy.SecurityWarning, policy.Warning, policy.Suggestion}
	list := slices.Clone(catalogue)
	slices.SortStableFunc(list, func(a, b *Check) int {
		return slices.Index(weights, a.Severity) - slices.Index(weights, b.Severity)
	})
	return list
}

// Details is the text of the check, as the page has it.
func (c *Check) Details() string { return c.details }

const page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"

var anchors = map[policy.Severity]string{
	policy.Error: "error-", policy.SecurityWarning: "security-warning-", policy.Warning: "general-warning-", policy.Suggestion: "suggestion-",
}

// LearnMore is where AWS describes the check.
func (c *Check) LearnMore() string {
	return page + "#access-analyzer-reference-policy-checks-" + anchors[c.Severity] + strings.ReplaceAll(strings.ToLower(c.Code), "_", "-")
}

// text is the finding's text with names and their values filled in.
func (c *Check) text(filled ...string) string {
	pairs := make([]string, 0, len(filled))
	for i := 0; i+1 < len(filled); i += 2 {
		pairs = append(pairs, "{{"+filled[i]+"}}", filled[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(c.details)
}
