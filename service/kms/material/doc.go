// Package material is the cryptography of KMS: what key specs there are and
// what each can do, making keys, and what is done with them. It is pure: it
// keeps nothing, knows no callers and names no errors of AWS's; package kms
// words them.
//
// Material is bytes: the secret itself for symmetric and HMAC keys, PKCS #8
// (RFC 5958, DER) for pairs. Public keys are SubjectPublicKeyInfo (RFC 5280,
// DER). All secrets are cleared by whoever opened them.
package material
