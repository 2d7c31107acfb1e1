package iam

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// A password is kept as what PBKDF2 (NIST SP 800-132) with HMAC-SHA-256 makes
// of it: format 1, iterations (uint32), a salt of 16 bytes, 32 derived bytes.
const (
	passwordFormat     = 1
	passwordIterations = 600_000 // OWASP, Password Storage Cheat Sheet, 2023
	saltSize           = 16
)

// hashPassword is the stored form of a password. It takes a good tenth of a second.
func hashPassword(password string) ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte{passwordFormat}, passwordIterations)
	salt := make([]byte, saltSize)
	rand.Read(salt)
	derived, err := pbkdf2.Key(sha256.New, password, salt, passwordIterations, sha256.Size)
	if err != nil {
		return nil, err
	}
	return append(append(b, salt...), derived...), nil
}

// checkPassword holds a password against AWS's default password policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html#default-policy-details
func checkPassword(password, userName, account string) error {
	runes := []rune(password)
	if len(runes) < 8 {
		return &iam.PasswordPolicyViolationException{Message: "Password should have a minimum length of 8"}
	}
	if len(runes) > 128 {
		return &iam.PasswordPolicyViolationException{Message: "Password should have a maximum length of 128"}
	}
	var upper, lower, digit, symbol int
	for _, r := range runes {
		switch {
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsDigit(r):
			digit = 1
		case strings.ContainsRune("!@#$%^&*()_+-=[]{}|'", r):
			symbol = 1
		}
	}
	if upper+lower+digit+symbol < 3 {
		return &iam.PasswordPolicyViolationException{Message: "Password should have at least three of the following: uppercase letters, lowercase letters, numbers, symbols"}
	}
	if strings.EqualFold(password, userName) || strings.EqualFold(password, account) {
		return &iam.PasswordPolicyViolationException{Message: "Password should not be identical to the account name or the user name"}
	}
	return nil
}

// deriveLoginPassword is done outside transactions.
func (s *Service) deriveLoginPassword(_ context.Context, call *gateway.Call, u *User, in *iam.CreateLoginProfileInput) ([]byte, error) {
	if u.root() {
		return nil, validation("Must specify userName when calling with root credentials")
	}
	if u.PasswordHash != nil {
		return nil, nil // refused below, without the work
	}
	if in.Password == nil {
		return nil, validation("1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null")
	}
	if err := checkPassword(*in.Password, u.Name, call.Account); err != nil {
		return nil, err
	}
	return hashPassword(*in.Password)
}

func (s *Service) createLoginProfile(_ context.Context, call *gateway.Call, u *User, in *iam.CreateLoginProfileInput, hash []byte) (*iam.CreateLoginProfileOutput, error) {
	if u.PasswordHash != nil || hash == nil {
		return nil, alreadyExists("Login Profile for user %s already exists.", u.Name)
	}
	made := second(call.Time)
	reset := in.PasswordResetRequired != nil && *in.PasswordResetRequired
	err := users.Update(call.Tx, call.Account, func(u *User) error {
		u.PasswordHash, u.PasswordAt, u.ResetNeeded = hash, &made, reset
		return nil
	}, u.ID)
	if err != nil {
		return nil, err
	}
	return &iam.CreateLoginProfileOutput{LoginProfile: &iam.LoginProfile{
		UserName: u.Name, CreateDate: made, PasswordResetRequired: &reset,
	}}, nil
}

func (s *Service) getLoginProfile(_ context.Context, _ *gateway.Call, u *User, _ *iam.GetLoginProfileInput) (*iam.GetLoginProfileOutput, error) {
	if u.PasswordHash == nil {
		return nil, noLoginProfile(u)
	}
	return &iam.GetLoginProfileOutput{LoginProfile: &iam.LoginProfile{
		UserName: u.Name, CreateDate: *u.PasswordAt, PasswordResetRequired: new(u.ResetNeeded),
	}}, nil
}

func (s *Service) deleteLoginProfile(_ context.Context, call *gateway.Call, u *User, _ *iam.DeleteLoginProfileInput) (*iam.DeleteLoginProfileOutput, error) {
	if u.PasswordHash == nil {
		return nil, noLoginProfile(u)
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		u.PasswordHash, u.PasswordAt, u.ResetNeeded = nil, nil, false
		return nil
	}, u.ID)
}

func noLoginProfile(u *User) error {
	return noSuchEntity("Login Profile for User %s cannot be found.", u.Name)
}
