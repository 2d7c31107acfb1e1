package sts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Durations of GetSessionToken's sessions. A root's lives an hour at most: what
// is asked beyond that is cut, as AWS documents.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	tokenDefault     = 12 * time.Hour
	tokenShortest    = 15 * time.Minute
	tokenLongest     = 36 * time.Hour
	tokenLongestRoot = time.Hour
)

// getSessionToken makes a session of the caller's own. It may do less than the
// caller: see policy.Decision.Barred.
func (s *Service) getSessionToken(_ context.Context, call *gateway.Call, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	caller := call.Principal
	switch {
	case in.SerialNumber != nil:
		return nil, gateway.NotImplemented(call.Operation, "SerialNumber")
	case in.TokenCode != nil:
		return nil, gateway.NotImplemented(call.Operation, "TokenCode")
	case caller.Session != nil:
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "Cannot call GetSessionToken with session credentials"}
	case caller.Kind != aws.User && caller.Kind != aws.Root:
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "Only users and root users can call GetSessionToken"}
	}
	lifetime := tokenDefault
	if in.DurationSeconds != nil {
		lifetime = time.Duration(*in.DurationSeconds) * time.Second
		if lifetime < tokenShortest || lifetime > tokenLongest {
			return nil, validation(fmt.Sprintf("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must be between 900 and 129600", *in.DurationSeconds))
		}
	}
	p := *caller
	if p.Kind == aws.Root {
		lifetime = min(lifetime, tokenLongestRoot)
	}
	p.Session = &aws.Session{IssuerARN: caller.ARN}
	credentials, _, err := s.credentials(call, &p, lifetime)
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: credentials}, nil
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
