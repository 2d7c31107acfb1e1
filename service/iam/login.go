package iam

import (
	"bytes"
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// passwordsKept is how many of a user's passwords are remembered: as many as a
// password policy can ask for.
const passwordsKept = 24

// HadPasswords are the hashes of a user's last passwords, the present one last,
// as stored under the user's unique id for as long as there is a login profile.
type HadPasswords struct{ Hashes [][]byte }

var hadPasswords = store.NewTable[HadPasswords]("iam/had-passwords")

// login is a user whose password is about to be set, with what bears on it.
type login struct {
	*User
	rules *PasswordPolicy // nil: AWS's defaults
	had   [][]byte
}

// Granted implements gateway.Granting: for ChangePassword alone, whose user is the caller.
func (l *login) Granted(call *gateway.Call, action string) (bool, error) {
	return action == "iam:ChangePassword" && l.rules.grants(call), nil
}

// loginOf has a target find what bears on its user's password, too.
func loginOf[In any](target gateway.Target[In, *User]) gateway.Target[In, *login] {
	return func(call *gateway.Call, in *In) (*login, error) {
		u, missing := target(call, in)
		if u == nil {
			return nil, missing
		}
		l := &login{User: u}
		var err error
		if l.rules, err = passwordPolicyOf(call.Tx, call.Account); err != nil {
			return nil, err
		}
		had, err := hadPasswords.Get(call.Tx, call.Account, u.ID)
		if err == nil {
			l.had = had.Hashes
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		} else if u.PasswordHash != nil {
			l.had = [][]byte{u.PasswordHash} // set by a release that remembered none
		}
		return l, missing
	}
}

// derive makes the stored form of a new password, outside transactions.
func (s *Service) derive(ctx context.Context, call *gateway.Call, l *login, password string) ([]byte, error) {
	if err := l.rules.check(password, l.Name, call.Account); err != nil {
		return nil, err
	}
	leave, err := s.derivations.Enter(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	defer leave()
	return hashPassword(password, l.PasswordHash)
}

// set sets a password, if the rules that hold by now let it stand.
func (l *login) set(call *gateway.Call, password string, hash []byte, change func(*User)) error {
	if err := l.rules.check(password, l.Name, call.Account); err != nil {
		return err
	}
	if err := l.rules.checkReuse(l.had, hash); err != nil {
		return err
	}
	had := append(l.had[max(0, len(l.had)-passwordsKept+1):len(l.had):len(l.had)], hash)
	if err := hadPasswords.Put(call.Tx, call.Account, &HadPasswords{had}, l.ID); err != nil {
		return err
	}
	return users.Update(call.Tx, call.Account, func(u *User) error {
		u.PasswordHash, u.PasswordSet = hash, new(second(call.Time))
		change(u)
		return nil
	}, l.ID)
}

func (s *Service) deriveLoginPassword(ctx context.Context, call *gateway.Call, l *login, in *iam.CreateLoginProfileInput) ([]byte, error) {
	if l.root() {
		return nil, nil // without a password: see createRootLogin
	}
	if l.PasswordHash != nil {
		return nil, nil // refused below, without the work
	}
	if in.Password == nil {
		return nil, validation("1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null")
	}
	return s.derive(ctx, call, l, *in.Password)
}

func (s *Service) createLoginProfile(_ context.Context, call *gateway.Call, l *login, in *iam.CreateLoginProfileInput, hash []byte) (*iam.CreateLoginProfileOutput, error) {
	if l.root() {
		return createRootLogin(call, l, in)
	}
	if l.PasswordHash != nil || hash == nil {
		return nil, alreadyExists("Login Profile for user %s already exists.", l.Name)
	}
	made := second(call.Time)
	reset := in.PasswordResetRequired != nil && *in.PasswordResetRequired
	if err := l.set(call, *in.Password, hash, func(u *User) { u.PasswordAt, u.ResetNeeded = &made, reset }); err != nil {
		return nil, err
	}
	return &iam.CreateLoginProfileOutput{LoginProfile: &iam.LoginProfile{
		UserName: l.Name, CreateDate: made, PasswordResetRequired: &reset,
	}}, nil
}

// createRootLogin lets a member's root have a password again, in a session for
// that task. The password itself is the root's to set where it signs in, with
// the mail that it gets then: here is no such place.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
func createRootLogin(call *gateway.Call, l *login, in *iam.CreateLoginProfileInput) (*iam.CreateLoginProfileOutput, error) {
	switch {
	case call.Principal.Session == nil || call.Principal.Session.TaskPolicy == "":
		return nil, validation("Must specify userName when calling with root credentials")
	case in.Password != nil:
		return nil, validation("Must not specify password when calling with AssumeRoot credentials")
	case l.PasswordAt != nil:
		return nil, alreadyExists("Login Profile for user %s already exists.", l.Name)
	}
	made := second(call.Time)
	reset := in.PasswordResetRequired != nil && *in.PasswordResetRequired
	return &iam.CreateLoginProfileOutput{LoginProfile: &iam.LoginProfile{CreateDate: made, PasswordResetRequired: &reset}},
		editHolder(call, l.User, func(u *User) { u.PasswordAt, u.ResetNeeded = &made, reset })
}

func (s *Service) getLoginProfile(_ context.Context, _ *gateway.Call, u *User, _ *iam.GetLoginProfileInput) (*iam.GetLoginProfileOutput, error) {
	if u.PasswordAt == nil {
		return nil, noLoginProfile(u)
	}
	return &iam.GetLoginProfileOutput{LoginProfile: &iam.LoginProfile{
		UserName: u.Name, CreateDate: *u.PasswordAt, PasswordResetRequired: new(u.ResetNeeded),
	}}, nil
}

// deriveNewPassword answers nil where the call changes no password.
func (s *Service) deriveNewPassword(ctx context.Context, call *gateway.Call, l *login, in *iam.UpdateLoginProfileInput) ([]byte, error) {
	if in.Password == nil || l.PasswordHash == nil {
		return nil, nil
	}
	return s.derive(ctx, call, l, *in.Password)
}

func (s *Service) updateLoginProfile(_ context.Context, call *gateway.Call, l *login, in *iam.UpdateLoginProfileInput, hash []byte) (*iam.UpdateLoginProfileOutput, error) {
	if l.PasswordHash == nil || in.Password != nil && hash == nil {
		return nil, noLoginProfile(l.User)
	}
	change := func(u *User) {
		if in.PasswordResetRequired != nil {
			u.ResetNeeded = *in.PasswordResetRequired
		}
	}
	if in.Password != nil {
		return nil, l.set(call, *in.Password, hash, change)
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		change(u)
		return nil
	}, l.ID)
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
func (s *Service) derivePasswordChange(ctx context.Context, call *gateway.Call, l *login, in *iam.ChangePasswordInput) (*passwordChange, error) {
	if l.PasswordHash == nil {
		return nil, noLoginProfile(l.User)
	}
	if err := s.isOldPassword(ctx, call, l, in.OldPassword); err != nil {
		return nil, err
	}
	to, err := s.derive(ctx, call, l, in.NewPassword)
	return &passwordChange{from: l.PasswordHash, to: to}, err
}

// isOldPassword refuses a password that is not the user's, and all of them after too many wrong ones.
func (s *Service) isOldPassword(ctx context.Context, call *gateway.Call, l *login, password string) error {
	giveBack, err := s.guesses.take(l.ID, call.Time)
	if err != nil {
		return err
	}
	leave, err := s.derivations.Enter(ctx, call.Account)
	if err != nil {
		return err
	}
	defer leave()
	if !isPassword(l.PasswordHash, password) {
		return wrongPassword()
	}
	giveBack()
	return nil
}

// changePassword refuses if the password was changed since it was checked.
func (s *Service) changePassword(_ context.Context, call *gateway.Call, l *login, in *iam.ChangePasswordInput, c *passwordChange) (*iam.ChangePasswordOutput, error) {
	if !bytes.Equal(l.PasswordHash, c.from) {
		return nil, wrongPassword()
	}
	return nil, l.set(call, in.NewPassword, c.to, func(u *User) { u.ResetNeeded = false })
}

func (s *Service) deleteLoginProfile(_ context.Context, call *gateway.Call, u *User, _ *iam.DeleteLoginProfileInput) (*iam.DeleteLoginProfileOutput, error) {
	if u.PasswordAt == nil {
		return nil, noLoginProfile(u)
	}
	if err := hadPasswords.Delete(call.Tx, call.Account, u.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err // a profile that an earlier release made has none
	}
	return nil, editHolder(call, u, func(u *User) {
		u.PasswordHash, u.PasswordAt, u.PasswordSet, u.ResetNeeded = nil, nil, nil, false
	})
}

func wrongPassword() error {
	return &aws.Error{Kind: aws.AccessDenied, Message: "The old password was incorrect."}
}

func noLoginProfile(u *User) error {
	return noSuchEntity("Login Profile for User %s cannot be found.", u.Name)
}
