// Package estate answers what policies allow across whole accounts, as AWS
// exports them: the users and roles of get-account-authorization-details, the
// policies of resources, the guardrails of the organisation. Package scenario
// decides each question; this one gathers what bears on it, and follows who may
// become whom.
//
// It is pure: files are read, and answers written, by whoever calls it.
package estate
