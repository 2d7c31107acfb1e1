// Package validate says of a policy what IAM Access Analyzer's ValidatePolicy
// says: its catalogue of errors, security warnings, general warnings and
// suggestions, with the code, the text and the places of each finding.
//
// It asks what a policy says, not what it permits, and it is pure. Whether AWS
// would store a document is package policy's to tell (policy.Parse).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
package validate
