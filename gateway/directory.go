package gateway

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Directory knows who holds which key and what bears on whom. Package
// service/iam implements it; all it answers is read in tx, so that a call is
// decided on the state it is carried out in.
type Directory interface {
	// Credential finds a long-term access key. An unknown one is store.ErrNotFound. What it answers is
	// shared and must not be changed.
	Credential(tx store.Tx, accessKeyID string) (*Credential, error)
	// Policies fills p with all that bears on a principal on its own side: identity policies,
	// boundary, session policies, guardrails. It answers the principal's tags (the user's; the role's with
	// the session's over them), shared and not to be changed. A session whose holder no longer exists is an
	// *aws.Error of Kind UnknownKey.
	Policies(tx store.Tx, principal *aws.Principal, p *policy.Policies) (tags map[string]string, err error)
}

// Sessions opens session tokens. Package service/sts implements it: a token is
// sealed and self-contained, so nothing is looked up.
type Sessions interface {
	// Open answers the credential that token was made for, expired or not: the gateway checks
	// Principal.Session.ExpiresAt once the signature is known to be right. A token that does not open, or
	// belongs to another key id, is an *aws.Error of Kind BadToken.
	Open(token, accessKeyID string) (*Credential, error)
}

// Credential is a key, its secret and its holder.
type Credential struct {
	Secret    string
	Active    bool
	Principal *aws.Principal
}
