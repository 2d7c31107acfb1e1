package iam

import (
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
)

func TestPasswordsFollowThePolicy(t *testing.T) {
	strict := &PasswordPolicy{MinimumLength: 14, Symbols: true, Numbers: true, Uppercase: true, Lowercase: true}
	for _, c := range []struct {
		rules          *PasswordPolicy
		password, want string
	}{
		{nil, "Aa1!bcd", "Password should have a minimum length of 8"},
		{nil, "abcdefg1", "Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol"},
		{nil, "ÄÖÜäöüßéè", "Password should meet 3 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one lowercase letter, Password should have at least one number, Password should have at least one symbol"},
		{nil, "Alice-111122", "Password should not be identical to the account name or the user name"},
		{nil, "abcdefG1", ""},
		{new(PasswordPolicy), "x", ""},
		{&PasswordPolicy{MinimumLength: 6}, "aaaaa", "Password should have a minimum length of 6"},
		{&PasswordPolicy{MinimumLength: 6}, "aaaaaa", ""},
		{strict, "abc", "Password should have a minimum length of 14, Password should have at least one uppercase letter, Password should have at least one number, Password should have at least one symbol"},
		{strict, "Correct-Horse-1x", ""},
	} {
		got := ""
		if err := c.rules.check(c.password, "alice-111122", testAccount); err != nil {
			got = strings.TrimPrefix(err.Error(), "PasswordPolicyViolationException: ")
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.password, got, c.want)
		}
	}
}

func TestAccountPasswordPolicyLives(t *testing.T) {
	p := newPlane(t)
	const none = "NoSuchEntityException: The Password Policy with domain name 111122223333 cannot be found."
	get := func() string {
		return try(p, p.root, iam.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	}
	if got := get(); got != none {
		t.Error(got)
	}
	call(p, p.root, iam.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: new(int32(10)), MaxPasswordAge: new(int32(90)), PasswordReusePrevention: new(int32(3)), RequireSymbols: new(true), HardExpiry: new(true),
	})
	got := call(p, p.root, iam.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{}).PasswordPolicy
	if *got.MinimumPasswordLength != 10 || *got.MaxPasswordAge != 90 || *got.PasswordReusePrevention != 3 || !*got.RequireSymbols || !*got.HardExpiry || !*got.ExpirePasswords || *got.RequireNumbers {
		t.Errorf("%+v", got)
	}
	// There are no partial updates.
	call(p, p.root, iam.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{RequireNumbers: new(true)})
	got = call(p, p.root, iam.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{}).PasswordPolicy
	if *got.MinimumPasswordLength != 6 || got.MaxPasswordAge != nil || got.PasswordReusePrevention != nil || *got.RequireSymbols || got.HardExpiry != nil || *got.ExpirePasswords || !*got.RequireNumbers {
		t.Errorf("%+v", got)
	}
	call(p, p.root, iam.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
	if got := get(); got != none {
		t.Error(got)
	}
	if got := try(p, p.root, iam.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{}); got != "NoSuchEntityException: The account policy with name PasswordPolicy cannot be found." {
		t.Error(got)
	}
}

// Each derivation costs a tenth of a second, so one user's life holds all.
func TestUsersChangeTheirPasswordsAsThePolicyLetsThem(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: new("u"), Password: new("Horse-1-abc")})
	who := p.user("u")
	change := func(from, to string) string {
		return try(p, who, iam.ChangePassword, &iam.ChangePasswordInput{OldPassword: from, NewPassword: to})
	}
	read := func() string {
		return try(p, who, iam.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	}
	const denied = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: iam:ChangePassword on resource: user u because no identity-based policy allows the iam:ChangePassword action"
	if got := change("Horse-1-abc", "Horse-2-abc"); got != denied {
		t.Errorf("without a policy: %s", got)
	}
	call(p, p.root, iam.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{})
	if got := change("Horse-1-abc", "Horse-2-abc"); got != denied {
		t.Errorf("with a policy that does not let users: %s", got)
	}
	if got := read(); !strings.Contains(got, "not authorized") {
		t.Errorf("reading a policy that does not let users: %s", got)
	}
	call(p, p.root, iam.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: new(true), PasswordReusePrevention: new(int32(2))})
	if got := read(); got != "" {
		t.Errorf("reading the policy: %s", got)
	}
	if got := try(p, who, iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: "u", Password: new("Horse-9-abc")}); !strings.Contains(got, "not authorized") {
		t.Errorf("setting without the old password: %s", got)
	}
	const reused = "PasswordPolicyViolationException: Password should not be one of the last 2 passwords"
	for _, c := range []struct{ from, to, want string }{
		{"Horse-1-abc", "Horse-1-abc", reused}, {"Horse-1-abc", "Horse-2-abc", ""}, {"Horse-2-abc", "Horse-1-abc", reused},
		{"Horse-2-abc", "Horse-3-abc", ""}, {"Horse-3-abc", "Horse-1-abc", ""}, {"Horse-1-abc", "short", "PasswordPolicyViolationException: Password should have a minimum length of 6"},
	} {
		if got := change(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %s", c.from, c.to, got)
		}
	}
	if got := try(p, p.root, iam.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: "u", Password: new("Horse-3-abc")}); got != reused {
		t.Errorf("set again by another: %s", got)
	}
	// A Deny is stronger.
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "no", PolicyDocument: strings.ReplaceAll(allowAll, "Allow", "Deny")})
	if got := change("Horse-1-abc", "Horse-4-abc"); !strings.Contains(got, "with an explicit deny") {
		t.Errorf("denied: %s", got)
	}
	call(p, p.root, iam.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: new("u")})
	p.update(func(tx store.Tx) error {
		if exists, err := hadPasswords.Has(tx, testAccount, who.ID); exists || err != nil {
			t.Errorf("passwords are remembered: %t, %v", exists, err)
		}
		return nil
	})
}
