package iam

import (
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
)

func TestLoginProfileLives(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	in := &iam.CreateLoginProfileInput{UserName: new("u"), Password: new("Correct-Horse-1"), PasswordResetRequired: new(true)}
	made := call(p, p.root, iam.CreateLoginProfile, in).LoginProfile
	if made.UserName != "u" || !*made.PasswordResetRequired {
		t.Errorf("%+v", made)
	}
	p.update(func(tx store.Tx) error {
		for entry, err := range users.List(tx, testAccount, nil) {
			if err != nil {
				return err
			}
			hash := entry.Value.PasswordHash
			if len(hash) != 53 || hash[0] != passwordFormat {
				t.Errorf("stored as %x", hash)
			}
		}
		return nil
	})
	if got := try(p, p.root, iam.CreateLoginProfile, in); got != "EntityAlreadyExistsException: Login Profile for user u already exists." {
		t.Errorf("CreateLoginProfile = %s", got)
	}
	if got := call(p, p.root, iam.GetLoginProfile, &iam.GetLoginProfileInput{UserName: new("u")}).LoginProfile; !got.CreateDate.Equal(made.CreateDate) {
		t.Errorf("%+v", got)
	}
	if got := try(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}); got != "DeleteConflictException: Cannot delete entity, must delete login profile first." {
		t.Errorf("DeleteUser = %s", got)
	}
	who := delegate(p, "self", `{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:user/${aws:username}"}`)
	call(p, who, iam.CreateLoginProfile, &iam.CreateLoginProfileInput{Password: new("Correct-Horse-1")})
	change := &iam.ChangePasswordInput{OldPassword: "Wrong-Horse-1", NewPassword: "Better-Horse-2"}
	if got := try(p, who, iam.ChangePassword, change); got != "The old password was incorrect." {
		t.Errorf("ChangePassword = %s", got)
	}
	change.OldPassword = "Correct-Horse-1"
	call(p, who, iam.ChangePassword, change)
	if got := try(p, who, iam.ChangePassword, change); got != "The old password was incorrect." {
		t.Errorf("ChangePassword from a former password = %s", got)
	}
	call(p, p.root, iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: "self", Password: new("Correct-Horse-1")})
	call(p, who, iam.ChangePassword, change)
	if got := try(p, p.root, iam.ChangePassword, change); got != "InvalidUserTypeException: Only IAM Users can change their own password" {
		t.Errorf("the root's ChangePassword = %s", got)
	}
	call(p, p.root, iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: new("u")})
	if got := try(p, p.root, iam.GetLoginProfile, &iam.GetLoginProfileInput{UserName: new("u")}); got != "NoSuchEntityException: Login Profile for User u cannot be found." {
		t.Errorf("GetLoginProfile = %s", got)
	}
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
