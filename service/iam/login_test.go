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
