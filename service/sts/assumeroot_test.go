package sts_test

import (
	"context"
	"strings"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	orgapi "github.com/garrison-security/garrison/api/organizations"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/organizations"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/storetest"
)

const (
	outside = "777788889999" // of no organisation
	tasks   = "arn:aws:iam::aws:policy/root-task/"
)

type noKeys struct{}

func (noKeys) Ensure(context.Context, string) error { return nil }

// newOrganization is a plane whose home account manages an organisation that other is a member of.
func newOrganization(t testing.TB) *plane {
	t.Helper()
	p := newPlane(t, func(p *plane, config *gateway.Config) {
		tree := organizations.New(organizations.Options{Accounts: p.iam, Keys: noKeys{}, Tokens: store.Tokens{Sealer: storetest.NewSealer()}})
		p.iam.Organizations, config.Guardrails, config.Services = tree, tree, append(config.Services, tree)
	})
	call(p, p.root[home], orgapi.CreateOrganization, &orgapi.CreateOrganizationInput{})
	invited := call(p, p.root[home], orgapi.InviteAccountToOrganization, &orgapi.InviteAccountToOrganizationInput{
		Target: &orgapi.HandshakeParty{Id: other, Type: orgapi.HandshakePartyTypeAccount}}).Handshake
	call(p, p.root[other], orgapi.AcceptHandshake, &orgapi.AcceptHandshakeInput{HandshakeId: *invited.Id})
	return p
}

// enableRootAccess enables all that sessions of members' roots need.
func (p *plane) enableRootAccess() {
	p.Helper()
	call(p, p.root[home], orgapi.EnableAWSServiceAccess, &orgapi.EnableAWSServiceAccessInput{ServicePrincipal: "iam.amazonaws.com"})
	call(p, p.root[home], iamapi.EnableOrganizationsRootCredentialsManagement, &iamapi.EnableOrganizationsRootCredentialsManagementInput{})
	call(p, p.root[home], iamapi.EnableOrganizationsRootSessions, &iamapi.EnableOrganizationsRootSessionsInput{})
}

// userOf makes a user of another account than home, which may do everything.
func (p *plane) userOf(account, name string) *aws.Principal {
	p.Helper()
	call(p, p.root[account], iamapi.CreateUser, &iamapi.CreateUserInput{UserName: name})
	call(p, p.root[account], iamapi.PutUserPolicy, &iamapi.PutUserPolicyInput{UserName: name, PolicyName: "own", PolicyDocument: allowAll})
	return p.holder(call(p, p.root[account], iamapi.CreateAccessKey, &iamapi.CreateAccessKeyInput{UserName: &name}).AccessKey.AccessKeyId)
}

func assumingRoot(target, task string) *stsapi.AssumeRootInput {
	return &stsapi.AssumeRootInput{TargetPrincipal: target, TaskPolicyArn: &stsapi.PolicyDescriptorType{Arn: tasks + task}}
}

func TestAssumeRootRefuses(t *testing.T) {
	p := newOrganization(t)
	admin, member, nobody := p.user("admin", allowAll), p.userOf(other, "admin"), p.user("nobody", "")
	auditor := p.user("auditor", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRoot","Resource":"arn:aws:iam::`+other+`:root","Condition":{"ArnEquals":{"sts:TaskPolicyArn":"`+tasks+`IAMAuditRootUserCredentials"}}}}`)
	const audit, unlock = "IAMAuditRootUserCredentials", "S3UnlockBucketPolicy"
	denied := "is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::"
	if got := try(p, admin, stsapi.AssumeRoot, assumingRoot(other, audit)); !strings.Contains(got, denied+other+":root") {
		t.Errorf("before it is enabled: %q", got)
	}
	p.enableRootAccess()
	for _, c := range []struct {
		name string
		who  *aws.Principal
		in   *stsapi.AssumeRootInput
		want string // "" = done
	}{
		{"the management account", admin, assumingRoot(other, unlock), ""},
		{"it by ARN", admin, assumingRoot("arn:aws:iam::"+other+":root", audit), ""},
		{"it for its own root", admin, assumingRoot(home, audit), denied + home},
		{"it for an account of none", admin, assumingRoot(outside, audit), denied + outside},
		{"who has no permission", nobody, assumingRoot(other, audit), denied + other},
		{"who may for one task", auditor, assumingRoot(other, audit), ""},
		{"that one for another task", auditor, assumingRoot(other, unlock), denied + other},
		{"a member", member, assumingRoot(home, audit), denied + home},
		{"a member for its own root", member, assumingRoot(other, audit), denied + other},
		{"a root", p.root[home], assumingRoot(other, audit), "may not be assumed by root"},
		{"a role's ARN", admin, assumingRoot("arn:aws:iam::"+other+":role/r", audit), "is invalid"},
		{"another partition's root", admin, assumingRoot("arn:aws-cn:iam::"+other+":root", audit), "is invalid"},
		{"a policy that is no task's", admin, &stsapi.AssumeRootInput{TargetPrincipal: other, TaskPolicyArn: &stsapi.PolicyDescriptorType{Arn: "arn:aws:iam::aws:policy/AdministratorAccess"}}, "is not a task policy"},
		{"a task of its own making", admin, &stsapi.AssumeRootInput{TargetPrincipal: other, TaskPolicyArn: &stsapi.PolicyDescriptorType{Arn: "arn:aws:iam::" + home + ":policy/root-task/Mine"}}, "is not a task policy"},
		{"a task that does not exist", admin, assumingRoot(other, "Everything"), "is not a task policy"},
		{"longer than a quarter of an hour", admin, &stsapi.AssumeRootInput{TargetPrincipal: other, TaskPolicyArn: &stsapi.PolicyDescriptorType{Arn: tasks + audit}, DurationSeconds: new(int32(901))}, "less than or equal to 900"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := try(p, c.who, stsapi.AssumeRoot, c.in); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("AssumeRoot = %q", got)
			}
		})
	}
	// Each feature for its tasks; and none without trust in IAM, nor when trust comes back.
	call(p, p.root[home], iamapi.DisableOrganizationsRootSessions, &iamapi.DisableOrganizationsRootSessionsInput{})
	if got := try(p, admin, stsapi.AssumeRoot, assumingRoot(other, unlock)); !strings.Contains(got, denied) {
		t.Errorf("without sessions: %q", got)
	}
	if got := try(p, admin, stsapi.AssumeRoot, assumingRoot(other, audit)); got != "" {
		t.Errorf("without sessions, credentials: %q", got)
	}
	call(p, p.root[home], orgapi.DisableAWSServiceAccess, &orgapi.DisableAWSServiceAccessInput{ServicePrincipal: "iam.amazonaws.com"})
	for range 2 {
		if got := try(p, admin, stsapi.AssumeRoot, assumingRoot(other, audit)); !strings.Contains(got, denied) {
			t.Errorf("without trust: %q", got)
		}
		call(p, p.root[home], orgapi.EnableAWSServiceAccess, &orgapi.EnableAWSServiceAccessInput{ServicePrincipal: "iam.amazonaws.com"})
	}
}

// A delegated administrator of IAM may assume members' roots, the management account's not.
func TestDelegatedAdministratorsAssumeRoots(t *testing.T) {
	p := newOrganization(t)
	p.enableRootAccess()
	member := p.userOf(other, "admin")
	call(p, p.root[home], orgapi.RegisterDelegatedAdministrator, &orgapi.RegisterDelegatedAdministratorInput{AccountId: other, ServicePrincipal: "iam.amazonaws.com"})
	if got := try(p, member, stsapi.AssumeRoot, assumingRoot(other, "IAMAuditRootUserCredentials")); got != "" {
		t.Errorf("a delegated administrator: %q", got)
	}
	if got := try(p, member, stsapi.AssumeRoot, assumingRoot(home, "IAMAuditRootUserCredentials")); !strings.Contains(got, "is not authorized") {
		t.Errorf("a delegated administrator on the management account: %q", got)
	}
	if got := try(p, member, iamapi.ListOrganizationsFeatures, &iamapi.ListOrganizationsFeaturesInput{}); got != "" {
		t.Errorf("a delegated administrator's list: %q", got)
	}
	if got := try(p, member, iamapi.EnableOrganizationsRootSessions, &iamapi.EnableOrganizationsRootSessionsInput{}); !strings.HasPrefix(got, "CallerIsNotManagementAccountException") {
		t.Errorf("a delegated administrator enables: %q", got)
	}
}

// A session does its task, and nothing else that root might.
func TestRootSessionsDoTheirTasks(t *testing.T) {
	p := newOrganization(t)
	p.enableRootAccess()
	admin := p.user("admin", allowAll)
	session := func(task string) *aws.Principal {
		return p.open(call(p, admin, stsapi.AssumeRoot, assumingRoot(other, task)).Credentials)
	}
	audit := session("IAMAuditRootUserCredentials")
	if audit.ARN != rootOf(other) || audit.ID != other || audit.Session.ExpiresAt.Sub(audit.Session.IssuedAt) != 15*time.Minute {
		t.Errorf("session %+v %+v", audit, audit.Session)
	}
	keys := call(p, audit, iamapi.ListAccessKeys, &iamapi.ListAccessKeysInput{}).AccessKeyMetadata
	if len(keys) != 1 {
		t.Fatalf("keys %+v", keys)
	}
	call(p, p.root[other], iamapi.CreateUser, &iamapi.CreateUserInput{UserName: "u"})
	user := "u"
	denied := "with an explicit deny in a session policy"
	for what, got := range map[string]string{
		"audit makes a key":              try(p, audit, iamapi.CreateAccessKey, &iamapi.CreateAccessKeyInput{}),
		"audit deletes a key":            try(p, audit, iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyInput{AccessKeyId: *keys[0].AccessKeyId}),
		"audit looks at users":           try(p, audit, iamapi.ListAccessKeys, &iamapi.ListAccessKeysInput{UserName: &user}),
		"audit makes users":              try(p, audit, iamapi.CreateUser, &iamapi.CreateUserInput{UserName: "x"}),
		"audit lists users":              try(p, audit, iamapi.ListUsers, &iamapi.ListUsersInput{}),
		"deletion deletes users' logins": try(p, session("IAMDeleteRootUserCredentials"), iamapi.DeleteLoginProfile, &iamapi.DeleteLoginProfileInput{UserName: &user}),
		"deletion makes a login":         try(p, session("IAMDeleteRootUserCredentials"), iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileInput{}),
		"a bucket's task reads IAM":      try(p, session("S3UnlockBucketPolicy"), iamapi.ListAccessKeys, &iamapi.ListAccessKeysInput{}),
		"a queue's task reads IAM":       try(p, session("SQSUnlockQueuePolicy"), iamapi.ListAccessKeys, &iamapi.ListAccessKeysInput{}),
	} {
		if !strings.Contains(got, denied) {
			t.Errorf("%s: %q", what, got)
		}
	}
	for what, got := range map[string]string{
		"a session of a session": try(p, audit, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}),
		"a further root":         try(p, audit, stsapi.AssumeRoot, assumingRoot(other, "IAMDeleteRootUserCredentials")),
	} {
		if got == "" {
			t.Errorf("%s was made", what)
		}
	}
	// The password: as a right to have one, which is made once, seen and taken away.
	making := session("IAMCreateRootUserPassword")
	if got := try(p, making, iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileInput{Password: new("Aa1!bcdefghij")}); !strings.Contains(got, "Must not specify password") {
		t.Errorf("a password given: %q", got)
	}
	call(p, making, iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileInput{})
	if got := try(p, making, iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileInput{}); !strings.HasPrefix(got, "EntityAlreadyExists") {
		t.Errorf("a second login: %q", got)
	}
	if got := call(p, audit, iamapi.GetAccountSummary, &iamapi.GetAccountSummaryInput{}).SummaryMap["AccountPasswordPresent"]; got != 1 {
		t.Errorf("AccountPasswordPresent = %d", got)
	}
	call(p, audit, iamapi.GetLoginProfile, &iamapi.GetLoginProfileInput{})
	deletion := session("IAMDeleteRootUserCredentials")
	call(p, deletion, iamapi.DeleteLoginProfile, &iamapi.DeleteLoginProfileInput{})
	if got := try(p, audit, iamapi.GetLoginProfile, &iamapi.GetLoginProfileInput{}); !strings.HasPrefix(got, "NoSuchEntity") {
		t.Errorf("a login that is gone: %q", got)
	}
	// The root itself gets none so.
	if got := try(p, p.root[other], iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileInput{}); !strings.Contains(got, "Must specify userName") {
		t.Errorf("the root's own: %q", got)
	}
	call(p, deletion, iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyInput{AccessKeyId: *keys[0].AccessKeyId})
	if keys := call(p, audit, iamapi.ListAccessKeys, &iamapi.ListAccessKeysInput{}).AccessKeyMetadata; len(keys) != 0 {
		t.Errorf("keys left: %+v", keys)
	}
}

func TestRootFeaturesRefuse(t *testing.T) {
	p := newOrganization(t)
	list := &iamapi.ListOrganizationsFeaturesInput{}
	if got := try(p, p.root[home], iamapi.EnableOrganizationsRootSessions, &iamapi.EnableOrganizationsRootSessionsInput{}); !strings.HasPrefix(got, "ServiceAccessNotEnabledException") {
		t.Errorf("without trust: %q", got)
	}
	if got := try(p, p.root[other], iamapi.ListOrganizationsFeatures, list); !strings.HasPrefix(got, "AccountNotManagementOrDelegatedAdministratorException") {
		t.Errorf("a member: %q", got)
	}
	p.enableRootAccess()
	got := call(p, p.root[home], iamapi.ListOrganizationsFeatures, list)
	if len(got.EnabledFeatures) != 2 || !strings.HasPrefix(*got.OrganizationId, "o-") {
		t.Errorf("features %+v", got)
	}
	left := call(p, p.root[home], iamapi.DisableOrganizationsRootCredentialsManagement, &iamapi.DisableOrganizationsRootCredentialsManagementInput{})
	if len(left.EnabledFeatures) != 1 || left.EnabledFeatures[0] != iamapi.FeatureTypeRootSessions {
		t.Errorf("features left %+v", left)
	}
	call(p, p.root[other], orgapi.LeaveOrganization, &orgapi.LeaveOrganizationInput{})
	if got := try(p, p.root[other], iamapi.ListOrganizationsFeatures, list); !strings.HasPrefix(got, "OrganizationNotFoundException") {
		t.Errorf("of no organisation: %q", got)
	}
}
