package sts

import (
	"context"
	"errors"
	"time"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Durations of the sessions that users and roots make of themselves; the model
// holds the bounds of what may be asked. A root's lives an hour at most: what
// is asked beyond that is cut, as AWS documents.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
const (
	tokenDefault     = 12 * time.Hour
	tokenLongestRoot = time.Hour
)

func tokenLifetime(caller *aws.Principal, seconds *int32) time.Duration {
	lifetime := tokenDefault
	if seconds != nil {
		lifetime = time.Duration(*seconds) * time.Second
	}
	if caller.Kind == aws.Root {
		lifetime = min(lifetime, tokenLongestRoot)
	}
	return lifetime
}

// longTerm refuses an operation to whoever does not call with a key of a user's or a root's own.
func longTerm(call *gateway.Call) error {
	switch p := call.Principal; {
	case p.Session != nil:
		return &aws.Error{Kind: aws.AccessDenied, Message: "Cannot call " + call.Operation.Name + " with session credentials"}
	case p.Kind != aws.User && p.Kind != aws.Root:
		return &aws.Error{Kind: aws.AccessDenied, Message: "Only users and root users can call " + call.Operation.Name}
	}
	return nil
}

// getSessionToken makes a session of the caller's own. It may do less than the
// caller: see policy.Decision.Barred.
func (s *Service) getSessionToken(_ context.Context, call *gateway.Call, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	if err := longTerm(call); err != nil {
		return nil, err
	}
	p := *call.Principal
	p.Session = &aws.Session{IssuerARN: p.ARN}
	authenticated, err := s.authenticated(call, in.SerialNumber, in.TokenCode)
	if err != nil {
		return nil, err
	}
	if authenticated {
		p.Session.MFAAt = call.Time
	}
	credentials, _, err := s.credentials(call, &p, tokenLifetime(call.Principal, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: credentials}, nil
}

// authenticated takes a one-time code, if the caller gives one, and tells
// whether it did.
func (s *Service) authenticated(call *gateway.Call, serial, code *string) (bool, error) {
	if serial == nil && code == nil {
		return false, nil
	}
	var device, digits string
	if serial != nil {
		device = *serial
	}
	if code != nil {
		digits = *code
	}
	err := s.roles.VerifyMFA(call.Tx, call.Time, call.Principal, device, digits)
	return err == nil, err
}

// getAccessKeyInfo tells the account that an access key id carries, whether or
// not there is such a key, and so nothing of other accounts. A root's key may
// have an id that carries none: that is told to its own account.
func (s *Service) getAccessKeyInfo(_ context.Context, call *gateway.Call, _ gateway.Anything, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	account, err := s.roles.AccountOfKey(call.Tx, in.AccessKeyId)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err != nil || account != call.Account {
		carried, ok := aws.AccountOfID(in.AccessKeyId)
		if !ok {
			return nil, validation("The access key id is invalid")
		}
		account = carried
	}
	return &sts.GetAccessKeyInfoOutput{Account: &account}, nil
}
