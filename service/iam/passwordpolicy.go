package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// PasswordPolicy is an account's rules for the passwords of its users, as
// stored: the one record of its scope, or none, where AWS's defaults hold.
//
// Expiry bears on signing in to a console alone: a user with a key changes an
// expired password as any other, whatever HardExpiry says.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PasswordPolicy.html
type PasswordPolicy struct {
	MinimumLength                          int32
	Symbols, Numbers, Uppercase, Lowercase bool
	UsersMayChange                         bool
	MaxAge                                 int32 `cbor:",omitempty"` // days; 0 = passwords don't expire
	ReusePrevention                        int32 `cbor:",omitempty"` // how many of the last passwords can't be taken again; 0 = none
	HardExpiry                             *bool `cbor:",omitempty"`
}

var passwordPolicies = store.NewTable[PasswordPolicy]("iam/password-policy")

// passwordPolicyOf is the account's policy; nil if it has none.
func passwordPolicyOf(tx store.Tx, account string) (*PasswordPolicy, error) {
	p, err := passwordPolicies.Get(tx, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}

// accountRules is the password policy of an account as callers are authorised on
// it: its users may read what they may rest on.
type accountRules struct{ *PasswordPolicy }

// ARN implements gateway.Resource.
func (*accountRules) ARN() string { return "*" }

// Granted implements gateway.Granting.
func (r *accountRules) Granted(call *gateway.Call, _ string) (bool, error) {
	return r.grants(call), nil
}

// grants tells whether the policy lets the caller, being a user, change their
// own password, and so read it: AllowUsersToChangePassword gives them that
// without a policy of their own.
func (p *PasswordPolicy) grants(call *gateway.Call) bool {
	return p != nil && p.UsersMayChange && call.Principal.Kind == aws.User
}

func rulesToRead(call *gateway.Call, _ *iam.GetAccountPasswordPolicyInput) (*accountRules, error) {
	p, err := passwordPolicyOf(call.Tx, call.Account)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return new(accountRules), noSuchEntity("The Password Policy with domain name %s cannot be found.", call.Account)
	}
	return &accountRules{p}, nil
}

func (s *Service) getAccountPasswordPolicy(_ context.Context, _ *gateway.Call, p *accountRules, _ *iam.GetAccountPasswordPolicyInput) (*iam.GetAccountPasswordPolicyOutput, error) {
	out := &iam.PasswordPolicy{
		MinimumPasswordLength: new(p.MinimumLength), RequireSymbols: new(p.Symbols), RequireNumbers: new(p.Numbers),
		RequireUppercaseCharacters: new(p.Uppercase), RequireLowercaseCharacters: new(p.Lowercase),
		AllowUsersToChangePassword: new(p.UsersMayChange), ExpirePasswords: new(p.MaxAge > 0), HardExpiry: p.HardExpiry,
	}
	if p.MaxAge > 0 {
		out.MaxPasswordAge = new(p.MaxAge)
		if out.HardExpiry == nil {
			out.HardExpiry = new(false)
		}
	}
	if p.ReusePrevention > 0 {
		out.PasswordReusePrevention = new(p.ReusePrevention)
	}
	return &iam.GetAccountPasswordPolicyOutput{PasswordPolicy: out}, nil
}

// updateAccountPasswordPolicy sets all of the policy: what is not given takes its default.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
func (s *Service) updateAccountPasswordPolicy(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.UpdateAccountPasswordPolicyInput) (*iam.UpdateAccountPasswordPolicyOutput, error) {
	is := func(b *bool) bool { return b != nil && *b }
	p := &PasswordPolicy{
		MinimumLength: 6, Symbols: is(in.RequireSymbols), Numbers: is(in.RequireNumbers), Uppercase: is(in.RequireUppercaseCharacters),
		Lowercase: is(in.RequireLowercaseCharacters), UsersMayChange: is(in.AllowUsersToChangePassword), HardExpiry: in.HardExpiry,
	}
	for _, n := range []struct{ to, from *int32 }{
		{&p.MinimumLength, in.MinimumPasswordLength}, {&p.MaxAge, in.MaxPasswordAge}, {&p.ReusePrevention, in.PasswordReusePrevention},
	} {
		if n.from != nil {
			*n.to = *n.from
		}
	}
	return nil, passwordPolicies.Put(call.Tx, call.Account, p)
}

func (s *Service) deleteAccountPasswordPolicy(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.DeleteAccountPasswordPolicyInput) (*iam.DeleteAccountPasswordPolicyOutput, error) {
	err := passwordPolicies.Delete(call.Tx, call.Account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchEntity("The account policy with name PasswordPolicy cannot be found.")
	}
	return nil, err
}

// symbols are what AWS counts as such.
const symbols = "!@#$%^&*()_+-=[]{}|'"

// check holds a password against the policy, or against AWS's defaults where
// there is none: 8 characters, three of four kinds, and not the account's or the
// user's name.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html#default-policy-details
func (p *PasswordPolicy) check(password, userName, account string) error {
	minimum := 8
	if p != nil {
		minimum = int(p.MinimumLength)
	}
	kinds := []struct {
		name     string
		required bool
		is       func(r rune) bool
	}{
		{"uppercase letter", p != nil && p.Uppercase, func(r rune) bool { return 'A' <= r && r <= 'Z' }},
		{"lowercase letter", p != nil && p.Lowercase, func(r rune) bool { return 'a' <= r && r <= 'z' }},
		{"number", p != nil && p.Numbers, func(r rune) bool { return '0' <= r && r <= '9' }},
		{"symbol", p != nil && p.Symbols, func(r rune) bool { return strings.ContainsRune(symbols, r) }},
	}
	var wrong, lacking []string
	if len([]rune(password)) < minimum {
		wrong = append(wrong, fmt.Sprintf("Password should have a minimum length of %d", minimum))
	}
	for _, k := range kinds {
		if !strings.ContainsFunc(password, k.is) {
			lacking = append(lacking, "Password should have at least one "+k.name)
			if k.required {
				wrong = append(wrong, lacking[len(lacking)-1])
			}
		}
	}
	if p == nil && len(lacking) > 1 {
		wrong = append(wrong, fmt.Sprintf("Password should meet %d more of the following requirements: %s", len(lacking)-1, strings.Join(lacking, ", ")))
	}
	if p == nil && (strings.EqualFold(password, userName) || strings.EqualFold(password, account)) {
		wrong = append(wrong, "Password should not be identical to the account name or the user name")
	}
	if len(wrong) > 0 {
		return &iam.PasswordPolicyViolationException{Message: strings.Join(wrong, ", ")}
	}
	return nil
}

// checkReuse refuses one of the user's last passwords. Hash is of the new one.
func (p *PasswordPolicy) checkReuse(had [][]byte, hash []byte) error {
	if p == nil || p.ReusePrevention == 0 {
		return nil
	}
	last := had[max(0, len(had)-int(p.ReusePrevention)):]
	if slices.ContainsFunc(last, func(h []byte) bool { return sameHash(h, hash) }) {
		return &iam.PasswordPolicyViolationException{Message: fmt.Sprintf("Password should not be one of the last %d passwords", p.ReusePrevention)}
	}
	return nil
}
