package iam

import (
	"bytes"
	"context"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// deriveLoginPassword is done outside transactions.
func (s *Service) deriveLoginPassword(ctx context.Context, call *gateway.Call, u *User, in *iam.CreateLoginProfileInput) ([]byte, error) {
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
	leave, err := s.derivations.Enter(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	defer leave()
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

// deriveNewPassword is done outside transactions; nil where the call changes no password.
func (s *Service) deriveNewPassword(ctx context.Context, call *gateway.Call, u *User, in *iam.UpdateLoginProfileInput) ([]byte, error) {
	if in.Password == nil || u.PasswordHash == nil {
		return nil, nil
	}
	if err := checkPassword(*in.Password, u.Name, call.Account); err != nil {
		return nil, err
	}
	leave, err := s.derivations.Enter(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	defer leave()
	return hashPassword(*in.Password)
}

func (s *Service) updateLoginProfile(_ context.Context, call *gateway.Call, u *User, in *iam.UpdateLoginProfileInput, hash []byte) (*iam.UpdateLoginProfileOutput, error) {
	if u.PasswordHash == nil || in.Password != nil && hash == nil {
		return nil, noLoginProfile(u)
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		if hash != nil {
			u.PasswordHash = hash
		}
		if in.PasswordResetRequired != nil {
			u.ResetNeeded = *in.PasswordResetRequired
		}
		return nil
	}, u.ID)
}

// ownUser finds the caller, who must be a user.
func ownUser(call *gateway.Call, _ *iam.ChangePasswordInput) (*User, error) {
	if call.Principal.Kind != aws.User {
		return nil, &iam.InvalidUserTypeException{Message: "Only IAM Users can change their own password"}
	}
	return findUser(call, call.Principal.Name)
}

// passwordChange is what a change of password was worked out to be.
type passwordChange struct{ from, to []byte }

// derivePasswordChange is done outside transactions.
func (s *Service) derivePasswordChange(ctx context.Context, call *gateway.Call, u *User, in *iam.ChangePasswordInput) (*passwordChange, error) {
	if u.PasswordHash == nil {
		return nil, noLoginProfile(u)
	}
	leave, err := s.derivations.Enter(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !isPassword(u.PasswordHash, in.OldPassword) {
		return nil, wrongPassword()
	}
	if err := checkPassword(in.NewPassword, u.Name, call.Account); err != nil {
		return nil, err
	}
	to, err := hashPassword(in.NewPassword)
	return &passwordChange{from: u.PasswordHash, to: to}, err
}

// changePassword refuses if the password was changed since it was checked.
func (s *Service) changePassword(_ context.Context, call *gateway.Call, u *User, _ *iam.ChangePasswordInput, c *passwordChange) (*iam.ChangePasswordOutput, error) {
	if !bytes.Equal(u.PasswordHash, c.from) {
		return nil, wrongPassword()
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		u.PasswordHash, u.ResetNeeded = c.to, false
		return nil
	}, u.ID)
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

func wrongPassword() error {
	return &aws.Error{Kind: aws.AccessDenied, Message: "The old password was incorrect."}
}

func noLoginProfile(u *User) error {
	return noSuchEntity("Login Profile for User %s cannot be found.", u.Name)
}
