package gateway

import (
	"errors"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// authenticate finds out who signed, in tx, so that the credential is part of
// the state the call is decided on. The signature is checked before anything
// is said of the key, and an unknown key costs what a wrong signature costs.
//
// An error with a principal is charged to the principal's account: the
// signature was right. One without belongs to nobody.
func (g *Gateway) authenticate(tx store.Tx, r *request) (*aws.Principal, error) {
	s := r.signature
	if s == nil {
		if r.row != nil && (r.row.Unsigned || r.operation != nil && r.operation.anyone) {
			return anonymous, nil
		}
		return nil, sigv4.Missing()
	}
	credential, err := g.credential(tx, r)
	if err != nil && !visible(err) {
		return nil, err
	}
	if r.admitted != nil { // said of any key alike
		return nil, r.admitted
	}
	if credential == nil {
		unknown := s.VerifyUnknown(g.keys)
		if isKind(err, aws.BadToken) {
			return nil, s.BadToken()
		}
		return nil, unknown
	}
	if err := s.Verify(g.keys, credential.Secret); err != nil {
		return nil, err
	}
	if !credential.Active {
		return credential.Principal, s.UnknownKey()
	}
	if s.Token != "" && r.now.After(credential.Principal.Session.ExpiresAt) {
		return credential.Principal, s.ExpiredToken()
	}
	return credential.Principal, nil
}

// credential is the key that the request names, by its session token if it has
// one. A session's key without a token, and a long-term key with one, are
// unknown, as on AWS.
func (g *Gateway) credential(tx store.Tx, r *request) (*Credential, error) {
	s := r.signature
	if s.Token != "" {
		credential, err := g.Sessions.Open(s.Token, s.AccessKeyID)
		if err != nil {
			return nil, err
		}
		return credential, nil
	}
	if strings.HasPrefix(s.AccessKeyID, "ASIA") {
		return nil, errUnknownKey
	}
	credential, err := g.Directory.Credential(tx, s.AccessKeyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errUnknownKey
	}
	return credential, err
}

// anonymous calls what may be called unsigned.
var anonymous = &aws.Principal{Kind: aws.Anonymous}

// errUnknownKey is the refusal of a key that is unknown, or was made inactive.
var errUnknownKey = &aws.Error{Kind: aws.UnknownKey, Message: "The security token included in the request is invalid."}

func isKind(err error, kind aws.Kind) bool {
	e, ok := errors.AsType[*aws.Error](err)
	return ok && e.Kind == kind
}
