package iam

import (
	"net/url"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

func trustOf(p *plane, role string) string {
	p.Helper()
	text, err := url.PathUnescape(*call(p, p.root, iam.GetRole, &iam.GetRoleInput{RoleName: role}).Role.AssumeRolePolicyDocument)
	if err != nil {
		p.Fatal(err)
	}
	return text
}

// A deleted principal's unique id shows, and its namesake is another.
func TestTrustNamesTheVeryPrincipal(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	trust := func(principal string) string {
		return `{ "Version": "2012-10-17", "Statement": {"Effect":"Allow", "Principal": {"AWS": "` + principal + `"}, "Action": "sts:AssumeRole"} }`
	}
	user := "arn:aws:iam::111122223333:user/u"
	id := call(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: new("u")}).User.UserId
	made := call(p, p.root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "t", AssumeRolePolicyDocument: trust(user)}).Role
	if answered, _ := url.PathUnescape(*made.AssumeRolePolicyDocument); answered != trust(user) || made.MaxSessionDuration != nil {
		t.Errorf("CreateRole = %s, %v", answered, made.MaxSessionDuration)
	}
	if got := trustOf(p, "t"); got != trust(user) {
		t.Errorf("trust policy %s", got)
	}
	call(p, p.root, iam.UpdateUser, &iam.UpdateUserInput{UserName: "u", NewUserName: new("v")})
	if got := trustOf(p, "t"); got != trust("arn:aws:iam::111122223333:user/v") {
		t.Errorf("trust policy after a new name: %s", got)
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "v"})
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "v"})
	if got := trustOf(p, "t"); got != trust(id) {
		t.Errorf("trust policy of a principal that is gone: %s", got)
	}
	if got := try(p, p.root, iam.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: "t", PolicyDocument: trust(id)}); got != `MalformedPolicyDocumentException: Invalid principal in policy: "AWS":"`+id+`"` {
		t.Errorf("UpdateAssumeRolePolicy = %s", got)
	}
	for principal, want := range map[string]string{
		"111122223333":                       "arn:aws:iam::111122223333:root",
		"999988887777":                       "arn:aws:iam::999988887777:root",
		"*":                                  "*",
		"arn:aws:iam::111122223333:role/r":   "arn:aws:iam::111122223333:role/r",
		"arn:aws:iam::111122223333:role/R":   "",
		"arn:aws:iam::999988887777:user/bob": "",
		"arn:aws:iam::111122223333:group/g":  "",
		"arn:aws:iam::111122223333:user/*":   "",
	} {
		got := try(p, p.root, iam.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: "t", PolicyDocument: trust(principal)})
		if want == "" {
			if !strings.HasPrefix(got, "MalformedPolicyDocumentException: Invalid principal in policy") {
				t.Errorf("principal %s: %s", principal, got)
			}
			continue
		}
		if shown := trustOf(p, "t"); got != "" || shown != trust(want) {
			t.Errorf("principal %s: %s, shown as %s", principal, got, shown)
		}
	}
}

func TestFederatedPrincipals(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	const refused = "MalformedPolicyDocumentException: Federated principals must be valid domain names or SAML metadata ARNs"
	for principal, want := range map[string]string{
		"accounts.google.com":                                            "",
		"cognito-identity.amazonaws.com":                                 "",
		"arn:aws:iam::111122223333:saml-provider/corp":                   "",
		"arn:aws:iam::111122223333:oidc-provider/token.example.com/path": "",
		"arn:aws:iam//111122223333:oidc-provider/token.example.com":      refused,
		"arn:aws:iam::111122223333:role/r":                               refused,
		"arn:aws:iam::1111:saml-provider/corp":                           refused,
		"https://accounts.google.com":                                    refused,
		"localhost":                                                      refused,
		"a..b":                                                           refused,
	} {
		document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + principal + `"},"Action":"sts:AssumeRoleWithWebIdentity"}}`
		if got := try(p, p.root, iam.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: "r", PolicyDocument: document}); got != want {
			t.Errorf("%s: %s", principal, got)
		}
	}
}
