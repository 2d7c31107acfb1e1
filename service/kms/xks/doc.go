// Package xks is a client of external key store proxies: it asks a proxy for
// its health, for what it knows of a key, and to encrypt and decrypt, as AWS's
// specification of the proxy's API says (version 1.0.3). It knows nothing of
// keys of KMS, of policies or of states.
//
// It reaches the hosts that its operator listed and no other, whatever a
// caller names: each by its name, over TLS, following no redirection.
//
// https://github.com/aws/aws-kms-xksproxy-api-spec
package xks
