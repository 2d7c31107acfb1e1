package sts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// What was taken away is refused on the next call.
func TestRevocationHoldsAtOnce(t *testing.T) {
	const gone = "The security token included in the request is invalid."
	p := newPlane(t)
	root := p.root[home]
	alice := p.user("alice", allowAssume)
	ask := func(who *aws.Principal) string {
		return try(p, who, iamapi.GetUser, &iamapi.GetUserInput{UserName: new("alice")})
	}
	arn := p.role(home, "admin", trusts(alice.ARN, ""), allowAll)
	session := p.assume(alice, stsapi.AssumeRoleInput{RoleArn: arn})
	if got := ask(session); got != "" {
		t.Fatal(got)
	}

	t.Run("a policy detached", func(t *testing.T) {
		policy := "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
		call(p, root, iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyInput{UserName: "alice", PolicyArn: policy})
		if got := ask(alice); got != "" {
			t.Fatal(got)
		}
		call(p, root, iamapi.DetachUserPolicy, &iamapi.DetachUserPolicyInput{UserName: "alice", PolicyArn: policy})
		if got := ask(alice); !strings.HasSuffix(got, "is not authorized to perform: iam:GetUser on resource: user alice because no identity-based policy allows the iam:GetUser action") {
			t.Errorf("GetUser = %s", got)
		}
	})
	t.Run("a group left", func(t *testing.T) {
		call(p, root, iamapi.CreateGroup, &iamapi.CreateGroupInput{GroupName: "readers"})
		call(p, root, iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyInput{GroupName: "readers", PolicyName: "all", PolicyDocument: allowAll})
		call(p, root, iamapi.AddUserToGroup, &iamapi.AddUserToGroupInput{GroupName: "readers", UserName: "alice"})
		if got := ask(alice); got != "" {
			t.Fatal(got)
		}
		call(p, root, iamapi.RemoveUserFromGroup, &iamapi.RemoveUserFromGroupInput{GroupName: "readers", UserName: "alice"})
		if got := ask(alice); got == "" {
			t.Error("still allowed")
		}
	})
	t.Run("a key deactivated", func(t *testing.T) {
		call(p, root, iamapi.UpdateAccessKey, &iamapi.UpdateAccessKeyInput{UserName: new("alice"), AccessKeyId: alice.AccessKeyID, Status: iamapi.StatusTypeInactive})
		p.update(func(tx store.Tx) error {
			c, err := p.iam.Credential(tx, alice.AccessKeyID)
			if err == nil && c.Active {
				t.Error("the key is active")
			}
			return err
		})
		call(p, root, iamapi.UpdateAccessKey, &iamapi.UpdateAccessKeyInput{UserName: new("alice"), AccessKeyId: alice.AccessKeyID, Status: iamapi.StatusTypeActive})
	})
	t.Run("sessions made before a time", func(t *testing.T) {
		revoke := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"` +
			time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `"}}}}`
		call(p, root, iamapi.PutRolePolicy, &iamapi.PutRolePolicyInput{RoleName: "admin", PolicyName: "AWSRevokeOlderSessions", PolicyDocument: revoke})
		if got := ask(session); !strings.HasSuffix(got, "with an explicit deny in an identity-based policy") {
			t.Errorf("GetUser = %s", got)
		}
		call(p, root, iamapi.DeleteRolePolicy, &iamapi.DeleteRolePolicyInput{RoleName: "admin", PolicyName: "AWSRevokeOlderSessions"})
		if got := ask(session); got != "" {
			t.Error(got)
		}
	})
	t.Run("a role deleted and made again", func(t *testing.T) {
		call(p, root, iamapi.DeleteRolePolicy, &iamapi.DeleteRolePolicyInput{RoleName: "admin", PolicyName: "own"})
		call(p, root, iamapi.DeleteRole, &iamapi.DeleteRoleInput{RoleName: "admin"})
		if got := ask(session); got != gone {
			t.Errorf("GetUser = %s", got)
		}
		p.role(home, "admin", trusts(alice.ARN, ""), allowAll)
		if got := ask(session); got != gone {
			t.Errorf("GetUser as a session of the role's forerunner = %s", got)
		}
	})
	t.Run("a user's old name", func(t *testing.T) {
		mine := p.open(call(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}).Credentials)
		assume := &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1"}
		call(p, mine, stsapi.AssumeRole, assume)
		call(p, root, iamapi.UpdateUser, &iamapi.UpdateUserInput{UserName: "alice", NewUserName: new("alicia")})
		if got := try(p, mine, stsapi.AssumeRole, assume); got != gone {
			t.Errorf("AssumeRole = %s", got)
		}
		renamed := p.holder(alice.AccessKeyID)
		if want := "arn:aws:iam::" + home + ":user/alicia"; renamed.ARN != want {
			t.Errorf("the key's holder is %s, want %s", renamed.ARN, want)
		}
		call(p, renamed, stsapi.AssumeRole, assume) // who is trusted by its unique id
		call(p, root, iamapi.UpdateUser, &iamapi.UpdateUserInput{UserName: "alicia", NewUserName: new("alice")})
	})
	t.Run("a user deleted and made again", func(t *testing.T) {
		mine := p.open(call(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}).Credentials)
		call(p, root, iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyInput{UserName: "alice", PolicyName: "own"})
		call(p, root, iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyInput{UserName: new("alice"), AccessKeyId: alice.AccessKeyID})
		call(p, root, iamapi.DeleteUser, &iamapi.DeleteUserInput{UserName: "alice"})
		again := p.user("alice", allowAssume)
		for _, who := range []*aws.Principal{alice, mine} {
			if got := ask(who); got != gone {
				t.Errorf("GetUser = %s", got)
			}
		}
		p.update(func(tx store.Tx) error {
			if _, err := p.iam.Credential(tx, alice.AccessKeyID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Credential = %v", err)
			}
			return nil
		})
		// The role trusts the user that was, not the namesake.
		if got := try(p, again, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1"}); !strings.Contains(got, "is not authorized to perform: sts:AssumeRole") {
			t.Errorf("AssumeRole = %s", got)
		}
	})
}

func TestSessionOfAUserMayDoLess(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAll)
	out := call(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{DurationSeconds: new(int32(900))})
	who := p.open(out.Credentials)
	if who.ARN != alice.ARN || who.ID != alice.ID || who.Kind != aws.User || who.Session.ExpiresAt.Sub(who.Session.IssuedAt) != 15*time.Minute {
		t.Errorf("%+v", who)
	}
	call(p, who, stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityInput{})
	if got := try(p, who, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}); got != "Cannot call GetSessionToken with session credentials" {
		t.Errorf("GetSessionToken = %s", got)
	}
	if got := try(p, who, iamapi.ListUsers, &iamapi.ListUsersInput{}); got != noIAM {
		t.Errorf("ListUsers = %s", got)
	}
	if got := try(p, who, stsapi.GetAccessKeyInfo, &stsapi.GetAccessKeyInfoInput{AccessKeyId: alice.AccessKeyID}); !strings.Contains(got, "is not authorized to perform: sts:GetAccessKeyInfo") {
		t.Errorf("GetAccessKeyInfo = %s", got)
	}
	arn := p.role(home, "r", trusts(alice.ARN, ""), "")
	p.assume(who, stsapi.AssumeRoleInput{RoleArn: arn})
	// AWS was seen to hold such sessions to the hour of role chaining (99designs/aws-vault, issue 263).
	call(p, p.root[home], iamapi.UpdateRole, &iamapi.UpdateRoleInput{RoleName: "r", MaxSessionDuration: new(int32(7200))})
	long := &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1", DurationSeconds: new(int32(7200))}
	call(p, alice, stsapi.AssumeRole, long)
	if got := try(p, who, stsapi.AssumeRole, long); got != "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining." {
		t.Errorf("AssumeRole for two hours = %s", got)
	}
	root := p.open(call(p, p.root[home], stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{DurationSeconds: new(int32(7200))}).Credentials)
	if root.Kind != aws.Root || root.Session.ExpiresAt.Sub(root.Session.IssuedAt) != time.Hour {
		t.Errorf("the root's session: %+v %+v", root, root.Session)
	}
}

func TestGetAccessKeyInfoTellsTheAccount(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAll)
	for id, want := range map[string]string{
		alice.AccessKeyID: home, "ASIAQNZGKIQY56JQ7WML": "029608264753", "root" + home: home, "root" + other: "",
	} {
		got, err := gateway.Invoke(t.Context(), p.Gateway, alice, stsapi.GetAccessKeyInfo, &stsapi.GetAccessKeyInfoInput{AccessKeyId: id})
		if want == "" {
			if err == nil {
				t.Errorf("GetAccessKeyInfo of %s = %s", id, *got.Account)
			}
			continue
		}
		if err != nil || *got.Account != want {
			t.Errorf("GetAccessKeyInfo of %s = %v, %v, want %s", id, got, err, want)
		}
	}
}
