package sts_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

const noIAM = "The security token included in the request is invalid"

// federate makes a federated session and is who holds it.
func (p *plane) federate(who *aws.Principal, in stsapi.GetFederationTokenInput) *aws.Principal {
	p.Helper()
	if in.Name == "" {
		in.Name = "bob"
	}
	return p.open(call(p, who, stsapi.GetFederationToken, &in).Credentials)
}

func TestGetFederationTokenMakesASession(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAll)
	call(p, p.root[home], iamapi.TagUser, &iamapi.TagUserInput{UserName: "alice", Tags: []iamapi.Tag{{Key: "team", Value: "red"}, {Key: "site", Value: "north"}}})
	out := call(p, alice, stsapi.GetFederationToken, &stsapi.GetFederationTokenInput{
		Name: "bob", Policy: new(allowAll), Tags: []stsapi.Tag{{Key: "Team", Value: "blue"}},
	})
	who := p.open(out.Credentials)
	if want := "arn:aws:sts::111122223333:federated-user/bob"; out.FederatedUser.Arn != want || who.ARN != want {
		t.Errorf("ARNs %s and %s, want %s", out.FederatedUser.Arn, who.ARN, want)
	}
	if want := home + ":bob"; out.FederatedUser.FederatedUserId != want || who.ID != want {
		t.Errorf("ids %s and %s, want %s", out.FederatedUser.FederatedUserId, who.ID, want)
	}
	if who.Kind != aws.FederatedUser || who.Session.IssuerARN != alice.ARN || who.Session.IssuerID != alice.ID || who.Session.Name != "bob" {
		t.Errorf("%+v of %+v", who, who.Session)
	}
	if got := who.Session.ExpiresAt.Sub(who.Session.IssuedAt); got != 12*time.Hour {
		t.Errorf("the session lives %v", got)
	}
	if *out.PackedPolicySize != 5 { // 1% of tags, 4% of the policy
		t.Errorf("PackedPolicySize %d", *out.PackedPolicySize)
	}
	got := call(p, who, stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityInput{})
	if *got.Arn != who.ARN || *got.UserId != who.ID || *got.Account != home {
		t.Errorf("GetCallerIdentity = %s %s %s", *got.Arn, *got.UserId, *got.Account)
	}
	p.update(func(tx store.Tx) error {
		var policies policy.Policies
		tags, err := p.iam.Policies(tx, who, &policies)
		if want := map[string]string{"Team": "blue", "site": "north"}; !maps.Equal(tags, want) {
			t.Errorf("tags %v, want %v", tags, want)
		}
		return err
	})
	if out := call(p, alice, stsapi.GetFederationToken, &stsapi.GetFederationTokenInput{Name: "bob"}); *out.PackedPolicySize != 0 {
		t.Errorf("PackedPolicySize %d without policies and tags", *out.PackedPolicySize)
	}
}

// A federated user may do what both its maker and the session's policies allow.
func TestFederatedUserMayDoWhatBothAllow(t *testing.T) {
	p := newPlane(t)
	maker := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:GetFederationToken","kms:List*","kms:Create*"],"Resource":"*"}}`
	alice := p.user("alice", maker)
	allow := func(actions string) *string {
		return new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}}`)
	}
	managed := []stsapi.PolicyDescriptorType{{Arn: "arn:aws:iam::aws:policy/AdministratorAccess"}}
	for _, c := range []struct {
		name          string
		who           *aws.Principal
		in            stsapi.GetFederationTokenInput
		lists, creeps bool
	}{
		{"no policy", alice, stsapi.GetFederationTokenInput{}, false, false},
		{"less than the user's", alice, stsapi.GetFederationTokenInput{Policy: allow(`"kms:List*"`)}, true, false},
		{"more than the user's", alice, stsapi.GetFederationTokenInput{Policy: allow(`["kms:List*","kms:Decrypt"]`)}, true, false},
		{"a managed one", alice, stsapi.GetFederationTokenInput{PolicyArns: managed}, true, false},
		{"root's, no policy", p.root[home], stsapi.GetFederationTokenInput{}, false, false},
		{"root's, a policy", p.root[home], stsapi.GetFederationTokenInput{Policy: allow(`"kms:Decrypt"`)}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := p.federate(c.who, c.in)
			if got := p.allowed(who, "kms:ListKeys"); got != c.lists {
				t.Errorf("kms:ListKeys: %t", got)
			}
			if got := p.allowed(who, "kms:Decrypt"); got != c.creeps {
				t.Errorf("kms:Decrypt: %t", got)
			}
		})
	}
}

// allowed asks the policies that bear on a principal.
func (p *plane) allowed(who *aws.Principal, action string) (ok bool) {
	p.Helper()
	p.update(func(tx store.Tx) error {
		var policies policy.Policies
		if _, err := p.iam.Policies(tx, who, &policies); err != nil {
			return err
		}
		ok = policy.Decide(&policy.Request{Action: action, Resource: "*", Principal: who, Context: new(policy.Context)}, &policies).Allowed
		return nil
	})
	return ok
}

func TestGetFederationTokenRefuses(t *testing.T) {
	p := newPlane(t)
	alice, bob := p.user("alice", allowAll), p.user("bob", "")
	limited := p.user("limited", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:GetFederationToken","Resource":"arn:aws:sts::111122223333:federated-user/Manager*"}}`)
	session := p.open(call(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}).Credentials)
	role := p.assume(alice, stsapi.AssumeRoleInput{RoleArn: p.role(home, "r", trusts(alice.ARN, ""), allowAll)})
	federated := p.federate(alice, stsapi.GetFederationTokenInput{Policy: new(allowAll)})
	const withSession = "Cannot call GetFederationToken with session credentials"
	for _, c := range []struct {
		name string
		who  *aws.Principal
		in   stsapi.GetFederationTokenInput
		want string // a part of the error; "" = allowed
	}{
		{"a user without the permission", bob, stsapi.GetFederationTokenInput{}, "is not authorized to perform: sts:GetFederationToken on resource: arn:aws:sts::111122223333:federated-user/fed because no identity-based policy allows"},
		{"nobody who may federate the name", limited, stsapi.GetFederationTokenInput{Name: "ManagerOfAll"}, ""},
		{"a name that the user may not federate", limited, stsapi.GetFederationTokenInput{Name: "Intern"}, "on resource: arn:aws:sts::111122223333:federated-user/Intern"},
		{"tags without sts:TagSession", limited, stsapi.GetFederationTokenInput{Name: "Manager", Tags: []stsapi.Tag{{Key: "a", Value: "b"}}}, "is not authorized to perform: sts:TagSession"},
		{"a session of GetSessionToken", session, stsapi.GetFederationTokenInput{}, withSession},
		{"a role's session", role, stsapi.GetFederationTokenInput{}, withSession},
		{"a federated user", federated, stsapi.GetFederationTokenInput{}, withSession},
		{"a policy that is none", alice, stsapi.GetFederationTokenInput{Policy: new("{}")}, "MalformedPolicyDocumentException"},
		{"a policy too long", alice, stsapi.GetFederationTokenInput{Policy: new(allowAll + strings.Repeat(" ", 2048))}, "at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{"policies that are too long together", alice, stsapi.GetFederationTokenInput{
			Policy: new(allowAll + strings.Repeat(" ", 1930)), PolicyArns: []stsapi.PolicyDescriptorType{{Arn: "arn:aws:iam::aws:policy/AdministratorAccess"}},
		}, "PackedPolicyTooLargeException"},
		{"another account's policy", alice, stsapi.GetFederationTokenInput{PolicyArns: []stsapi.PolicyDescriptorType{{Arn: "arn:aws:iam::444455556666:policy/x"}}}, "does not exist or is not attachable"},
		{"11 managed policies", alice, stsapi.GetFederationTokenInput{PolicyArns: make([]stsapi.PolicyDescriptorType, 11)}, "at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10"},
		{"a duration too short", alice, stsapi.GetFederationTokenInput{DurationSeconds: new(int32(899))}, "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"a duration too long", alice, stsapi.GetFederationTokenInput{DurationSeconds: new(int32(129601))}, "Value '129601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600"},
		{"a name too short", alice, stsapi.GetFederationTokenInput{Name: "x"}, "at 'name' failed to satisfy constraint"},
		{"a name with a slash", alice, stsapi.GetFederationTokenInput{Name: "x/y"}, "at 'name' failed to satisfy constraint"},
		{"a reserved tag", alice, stsapi.GetFederationTokenInput{Tags: []stsapi.Tag{{Key: "AWS:x", Value: "b"}}}, "InvalidParameterValue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.in.Name == "" {
				c.in.Name = "fed"
			}
			if got := try(p, c.who, stsapi.GetFederationToken, &c.in); !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("GetFederationToken = %s, want %s", got, c.want)
			}
		})
	}
	if who := p.federate(p.root[home], stsapi.GetFederationTokenInput{DurationSeconds: new(int32(7200))}); who.Session.ExpiresAt.Sub(who.Session.IssuedAt) != time.Hour {
		t.Errorf("root's federated session lives until %v", who.Session.ExpiresAt)
	}
}

// A federated user calls neither IAM nor STS, whatever its policies allow.
func TestFederatedUserIsBarred(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAll)
	trusting := p.role(home, "open", trusts(rootOf(home), ""), "")
	named := p.role(home, "named", trusts("arn:aws:sts::111122223333:federated-user/bob", ""), "")
	for _, maker := range []*aws.Principal{alice, p.root[home]} {
		who := p.federate(maker, stsapi.GetFederationTokenInput{Policy: new(allowAll)})
		if got := try(p, who, iamapi.ListUsers, &iamapi.ListUsersInput{}); got != noIAM {
			t.Errorf("ListUsers = %s", got)
		}
		for _, arn := range []string{trusting, named} {
			if got := try(p, who, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1"}); got != "User: "+who.ARN+" is not authorized to perform: sts:AssumeRole on resource: "+arn {
				t.Errorf("AssumeRole = %s", got)
			}
		}
		if got := try(p, who, stsapi.GetAccessKeyInfo, &stsapi.GetAccessKeyInfoInput{AccessKeyId: alice.AccessKeyID}); !strings.Contains(got, "is not authorized to perform: sts:GetAccessKeyInfo") {
			t.Errorf("GetAccessKeyInfo = %s", got)
		}
		if got := try(p, who, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}); got != "Cannot call GetSessionToken with session credentials" {
			t.Errorf("GetSessionToken = %s", got)
		}
		call(p, who, stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityInput{})
	}
}

// A federated session is worth what its maker is, and ends with it.
func TestFederatedSessionFollowsItsMaker(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAll)
	who := p.federate(alice, stsapi.GetFederationTokenInput{Policy: new(allowAll)})
	if !p.allowed(who, "kms:ListKeys") {
		t.Fatal("not allowed")
	}
	whoAmI := func() string { return try(p, who, stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityInput{}) }
	call(p, p.root[home], iamapi.UpdateUser, &iamapi.UpdateUserInput{UserName: "alice", NewUserName: new("alicia")})
	if got := whoAmI(); got != noIAM+"." {
		t.Errorf("GetCallerIdentity after the maker was renamed = %s", got)
	}
	call(p, p.root[home], iamapi.UpdateUser, &iamapi.UpdateUserInput{UserName: "alicia", NewUserName: new("alice")})
	call(p, p.root[home], iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyInput{UserName: "alice", PolicyName: "own"})
	if p.allowed(who, "kms:ListKeys") {
		t.Error("allowed without the maker's policy")
	}
	call(p, p.root[home], iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyInput{UserName: new("alice"), AccessKeyId: alice.AccessKeyID})
	call(p, p.root[home], iamapi.DeleteUser, &iamapi.DeleteUserInput{UserName: "alice"})
	p.user("alice", allowAll)
	if got := whoAmI(); got != noIAM+"." {
		t.Errorf("GetCallerIdentity after the maker was made anew = %s", got)
	}
}
