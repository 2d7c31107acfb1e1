// Package sigv4 finds out who signed a request, and whether the signature is
// that key's over exactly this request: Signature Version 4 and 4a, in the
// header and in the query string, and the aws-chunked bodies that carry a
// signature a chunk.
//
// A check has four steps, so that the costly ones stand outside the
// transaction in which the secret is read, and the secret is read once:
//
//	sig, err := sigv4.Parse(req, rules)   // nil, nil: nobody signed
//	err = sig.Admit(now, scope)           // clock, service, Region
//	err = sig.Prepare(sha256.Sum256(body))
//	err = sig.Verify(keys, secret)        // or sig.VerifyUnknown(keys)
//
// Verify refuses a signature that was not admitted and prepared. What a body
// streams is checked by the reader of Signature.Body. The package knows no
// accounts: whose key it is, and whether a session token belongs to it, its
// caller decides.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
package sigv4
