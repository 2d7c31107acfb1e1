// Package expect reads expectation files: given these policies, principals and
// resources, these requests are allowed and those denied. It runs them with
// package scenario, and tells which statements no expectation exercised.
//
// It is pure: whoever calls it opens the files that an expectation file names.
package expect
