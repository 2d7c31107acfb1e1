package iam

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// TokenPreference is which version of session tokens an account wants of STS's
// global endpoint, as stored: the one record of its scope, or none, for 1.
type TokenPreference struct{ Version int }

var tokenPreferences = store.NewTable[TokenPreference]("iam/token-preference")

// setSecurityTokenServicePreferences keeps the version, which GetAccountSummary
// shows. Every Region that is served takes tokens of both.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetSecurityTokenServicePreferences.html
func (s *Service) setSecurityTokenServicePreferences(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.SetSecurityTokenServicePreferencesInput) (*iam.SetSecurityTokenServicePreferencesOutput, error) {
	version := 1
	if in.GlobalEndpointTokenVersion == iam.GlobalEndpointTokenVersionV2Token {
		version = 2
	}
	return nil, tokenPreferences.Put(call.Tx, call.Account, &TokenPreference{version})
}

// tokenVersion is the version in force for an account.
func tokenVersion(tx store.Tx, account string) (int, error) {
	p, err := tokenPreferences.Get(tx, account)
	if errors.Is(err, store.ErrNotFound) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	return p.Version, nil
}
