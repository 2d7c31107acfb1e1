package iam

import (
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
)

// Each derivation costs a tenth of a second, so one user's life holds all.
func TestLoginProfileLives(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:user/${aws:username}"}`)
	in := &iam.CreateLoginProfileInput{Password: new("Correct-Horse-1"), PasswordResetRequired: new(true)}
	made := call(p, who, iam.CreateLoginProfile, in).LoginProfile
	if made.UserName != "u" || !*made.PasswordResetRequired {
		t.Errorf("%+v", made)
	}
	if got := try(p, who, iam.CreateLoginProfile, in); got != "EntityAlreadyExistsException: Login Profile for user u already exists." {
		t.Errorf("CreateLoginProfile = %s", got)
	}
	change := &iam.ChangePasswordInput{OldPassword: "Wrong-Horse-1", NewPassword: "Better-Horse-2"}
	if got := try(p, who, iam.ChangePassword, change); got != "The old password was incorrect." {
		t.Errorf("ChangePassword = %s", got)
	}
	change.OldPassword = "Correct-Horse-1"
	call(p, who, iam.ChangePassword, change)
	if got := try(p, p.root, iam.ChangePassword, change); got != "InvalidUserTypeException: Only IAM Users can change their own password" {
		t.Errorf("the root's ChangePassword = %s", got)
	}
	p.update(func(tx store.Tx) error {
		u, err := users.Get(tx, testAccount, who.ID)
		if err == nil && (!isPassword(u.PasswordHash, "Better-Horse-2") || u.ResetNeeded) {
			t.Errorf("stored %x, to be reset: %t", u.PasswordHash, u.ResetNeeded)
		}
		return err
	})
	call(p, p.root, iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: "u", PasswordResetRequired: new(true)})
	if got := call(p, p.root, iam.GetLoginProfile, &iam.GetLoginProfileInput{UserName: new("u")}).LoginProfile; !got.CreateDate.Equal(made.CreateDate) || !*got.PasswordResetRequired {
		t.Errorf("%+v", got)
	}
	call(p, p.root, iam.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: "u", PolicyName: "own"})
	call(p, p.root, iam.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: new("u"), AccessKeyId: who.AccessKeyID})
	if got := try(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}); got != "DeleteConflictException: Cannot delete entity, must delete login profile first." {
		t.Errorf("DeleteUser = %s", got)
	}
	call(p, p.root, iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: new("u")})
	for _, got := range []string{
		try(p, p.root, iam.GetLoginProfile, &iam.GetLoginProfileInput{UserName: new("u")}),
		try(p, p.root, iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: "u", Password: new("Correct-Horse-1")}),
		try(p, p.root, iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: new("u")}),
	} {
		if got != "NoSuchEntityException: Login Profile for User u cannot be found." {
			t.Errorf("without a profile: %s", got)
		}
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
}

func TestCreateLoginProfileRefusesWeakPasswords(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	for _, password := range []string{"", "Sh0rt!", "alllowercaseletters", "onlytwo12345", "12345678"} {
		got := try(p, p.root, iam.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: new("u"), Password: &password})
		if got == "" {
			t.Errorf("the password %q was taken", password)
		}
	}
}

// Whoever has a user's key, but not the password, can't try many.
func TestGuessesOfOldPasswordsAreBounded(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":"iam:ChangePassword","Resource":"*"}`)
	call(p, p.root, iam.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: new("u"), Password: new("Correct-Horse-1")})
	for range guessesAtOnce {
		if _, err := p.service.guesses.take(who.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got := try(p, who, iam.ChangePassword, &iam.ChangePasswordInput{OldPassword: "Correct-Horse-1", NewPassword: "Better-Horse-2"}); got != "Rate exceeded" {
		t.Errorf("ChangePassword = %s", got)
	}
}
