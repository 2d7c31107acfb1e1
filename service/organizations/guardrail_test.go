package organizations_test

import (
	"strings"
	"testing"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
)

const scp, rcp = api.PolicyTypeServiceControlPolicy, api.PolicyTypeResourceControlPolicy

// A service control policy binds a member's root, wherever it is attached
// above, and nobody of the management account or of accounts outside.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
func TestServiceControlPoliciesBindMembers(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	unit := p.unit(r, "unit")
	inner := p.unit(unit, "inner")
	call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: inner})
	id := p.policy(scp, "no users", denyUsers)
	makeUser := func(account, name string) string {
		return try(p, root(account), iamapi.CreateUser, &iamapi.CreateUserInput{UserName: name})
	}
	for i, target := range []string{r, unit, inner, stranger} {
		name := string(rune('a' + i))
		call(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: target})
		want(t, "a member's root under "+target, makeUser(stranger, name), "explicit deny in a service control policy: arn:aws:organizations::"+head+":policy/")
		want(t, "the management account", makeUser(head, name), "")
		want(t, "an account outside", makeUser(other, name), "")
		call(p, root(head), api.DetachPolicy, &api.DetachPolicyInput{PolicyId: id, TargetId: target})
		want(t, "a member's root after", makeUser(stranger, name), "")
	}
	call(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: r})
	want(t, "before the move", makeUser(stranger, "x"), "explicit deny")
	call(p, root(head), api.UpdatePolicy, &api.UpdatePolicyInput{PolicyId: id, Content: new(strings.ReplaceAll(denyUsers, "CreateUser", "CreateGroup"))})
	want(t, "under the policy's new content", makeUser(stranger, "x"), "")
	want(t, "what the new content denies", try(p, root(stranger), iamapi.CreateGroup, &iamapi.CreateGroupInput{GroupName: "g"}), "explicit deny")
	linked := &aws.Principal{Kind: aws.AssumedRole, Partition: "aws", Account: stranger,
		ARN: "arn:aws:sts::" + stranger + ":assumed-role/AWSServiceRoleForX/s", ID: "AROA:s", Session: &aws.Session{RoleID: "AROA"}}
	if got := try(p, linked, iamapi.CreateGroup, &iamapi.CreateGroupInput{GroupName: "g"}); strings.Contains(got, "service control") {
		t.Errorf("a service-linked role: %s", got)
	}
	call(p, root(stranger), api.LeaveOrganization, &api.LeaveOrganizationInput{})
	want(t, "who has left", try(p, root(stranger), iamapi.CreateGroup, &iamapi.CreateGroupInput{GroupName: "g"}), "")
}

// An account that was moved is bound by what lies above it now.
func TestMovingChangesWhatBinds(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	strict, loose := p.unit(r, "strict"), p.unit(r, "loose")
	p.attach(scp, "no users", denyUsers, strict)
	for _, move := range [][3]string{{r, strict, "explicit deny"}, {strict, loose, ""}, {loose, strict, "explicit deny"}, {strict, r, ""}} {
		call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: move[0], DestinationParentId: move[1]})
		want(t, move[1], try(p, root(stranger), iamapi.CreateUser, &iamapi.CreateUserInput{UserName: "u" + move[0] + move[1]}), move[2])
	}
}

// A type that is disabled binds nobody, and enabled again begins anew: its
// policies are there, attached to nothing, and FullAWSAccess is everywhere.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html
func TestDisabledTypesBeginAnew(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	h := root(head)
	id := p.attach(scp, "no users", denyUsers, r)
	only := p.attach(scp, "only sts", strings.Replace(allowAll, `"Action":"*"`, `"Action":"sts:*"`, 1), stranger)
	call(p, h, api.DetachPolicy, &api.DetachPolicyInput{PolicyId: "p-FullAWSAccess", TargetId: stranger})
	user := func(name string) string {
		return try(p, root(stranger), iamapi.CreateUser, &iamapi.CreateUserInput{UserName: name})
	}
	targets := func(policy string) (n int) {
		return len(call(p, h, api.ListTargetsForPolicy, &api.ListTargetsForPolicyInput{PolicyId: policy}).Targets)
	}
	want(t, "enabled", user("a"), "explicit deny")
	if n := targets("p-FullAWSAccess"); n != 2 { // the root and the management account
		t.Errorf("FullAWSAccess is attached to %d", n)
	}
	call(p, h, api.DisablePolicyType, &api.DisablePolicyTypeInput{RootId: r, PolicyType: scp})
	want(t, "disabled", user("a"), "")
	want(t, "to attach meanwhile", try(p, h, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: stranger}), "PolicyTypeNotEnabled")
	if n := targets("p-FullAWSAccess") + targets(id); n != 0 {
		t.Errorf("disabled, policies are attached to %d", n)
	}
	call(p, h, api.EnablePolicyType, &api.EnablePolicyTypeInput{RootId: r, PolicyType: scp})
	want(t, "enabled again", user("b"), "")
	if n := targets("p-FullAWSAccess"); n != 3 {
		t.Errorf("enabled again, FullAWSAccess is attached to %d", n)
	}
	call(p, h, api.DeletePolicy, &api.DeletePolicyInput{PolicyId: only})
	call(p, h, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: stranger})
	want(t, "attached again", user("c"), "explicit deny")
}

// The attack: a member's administrator tries to lift what binds the account.
func TestMembersCantLiftGuardrails(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	id := p.attach(scp, "no users", denyUsers, stranger)
	mallory := root(stranger)
	for what, got := range map[string]string{
		"detach":          try(p, mallory, api.DetachPolicy, &api.DetachPolicyInput{PolicyId: id, TargetId: stranger}),
		"attach":          try(p, mallory, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: "p-FullAWSAccess", TargetId: stranger}),
		"update":          try(p, mallory, api.UpdatePolicy, &api.UpdatePolicyInput{PolicyId: id, Content: new(allowAll)}),
		"delete":          try(p, mallory, api.DeletePolicy, &api.DeletePolicyInput{PolicyId: id}),
		"disable":         try(p, mallory, api.DisablePolicyType, &api.DisablePolicyTypeInput{RootId: r, PolicyType: scp}),
		"move":            try(p, mallory, api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: r}),
		"remove":          try(p, mallory, api.RemoveAccountFromOrganization, &api.RemoveAccountFromOrganizationInput{AccountId: stranger}),
		"delegate":        try(p, mallory, api.RegisterDelegatedAdministrator, &api.RegisterDelegatedAdministratorInput{AccountId: stranger, ServicePrincipal: "config.amazonaws.com"}),
		"delegate policy": try(p, mallory, api.PutResourcePolicy, &api.PutResourcePolicyInput{Content: allowAll}),
		"close another":   try(p, mallory, api.CloseAccount, &api.CloseAccountInput{AccountId: head}),
		"dissolve":        try(p, mallory, api.DeleteOrganization, &api.DeleteOrganizationInput{}),
		"another's tree":  try(p, mallory, api.CreateOrganization, &api.CreateOrganizationInput{}),
	} {
		if !strings.Contains(got, "AccessDenied") && !strings.Contains(got, "not authorized") && !strings.Contains(got, "AlreadyInOrganization") {
			t.Errorf("%s: %q", what, got)
		}
	}
	want(t, "the guardrail", try(p, mallory, iamapi.CreateUser, &iamapi.CreateUserInput{UserName: "u"}), "explicit deny")
}

// The attack: a role that looks like a service's, which no guardrail binds.
func TestNoRoleLooksServiceLinked(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{"/aws-service-role/", "/aws-service-role/config.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"} {
		want(t, path, try(p, root(stranger), iamapi.CreateRole, &iamapi.CreateRoleInput{RoleName: "r", Path: &path,
			AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + stranger + `"}}}`}), "reserved")
	}
}

// A region-deny policy, as AWS's guide has it, counts a global service's calls
// as the global Region's.
func TestRegionDeny(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	deny := func(regions string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"organizations:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":` + regions + `}}}}`
	}
	id := p.attach(scp, "regions", deny(`["eu-central-1"]`), r)
	user := &iamapi.CreateUserInput{UserName: "u"}
	want(t, "another Region", try(p, root(stranger), iamapi.CreateUser, user), "explicit deny in a service control policy")
	want(t, "an action that is exempt", try(p, root(stranger), api.DescribeOrganization, &api.DescribeOrganizationInput{}), "")
	call(p, root(head), api.UpdatePolicy, &api.UpdatePolicyInput{PolicyId: id, Content: new(deny(`["us-east-1"]`))})
	want(t, "the Region", try(p, root(stranger), iamapi.CreateUser, user), "")
}

// Policies see where caller and resource stand.
func TestOrganizationKeys(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	unit := p.unit(r, "unit")
	org := *call(p, root(head), api.DescribeOrganization, &api.DescribeOrganizationInput{}).Organization.Id
	p.invite(stranger)
	call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: unit})
	where := func(op, key, value string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"` + op + `":{"` + key + `":"` + value + `"}}}}`
	}
	for i, c := range []struct{ account, policy, want string }{
		{stranger, where("StringEquals", "aws:PrincipalOrgID", org), ""},
		{stranger, where("StringEquals", "aws:ResourceOrgID", org), ""},
		{stranger, where("StringEquals", "aws:PrincipalOrgID", "o-otherother"), "no identity-based policy"},
		{stranger, where("ForAnyValue:StringEquals", "aws:PrincipalOrgPaths", org+"/"+r+"/"+unit+"/"), ""},
		{stranger, where("ForAnyValue:StringLike", "aws:ResourceOrgPaths", org+"/"+r+"/*"), ""},
		{stranger, where("ForAnyValue:StringEquals", "aws:PrincipalOrgPaths", org+"/"+r+"/"), "no identity-based policy"},
		{head, where("ForAnyValue:StringEquals", "aws:PrincipalOrgPaths", org+"/"+r+"/"), ""},
		{other, where("Null", "aws:PrincipalOrgID", "true"), ""},
		{other, where("Null", "aws:ResourceOrgPaths", "true"), ""},
		{head, where("Null", "aws:PrincipalOrgID", "true"), "no identity-based policy"},
	} {
		u := p.user(c.account, "u"+string(rune('a'+i)), c.policy)
		want(t, c.account+" "+c.policy, try(p, u, iamapi.ListUsers, &iamapi.ListUsersInput{}), c.want)
	}
}

// What a closed account owns, and who belongs to it, is refused.
func TestClosedAccountsAreRefused(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	u := p.user(stranger, "u", allowAll)
	call(p, root(head), api.CloseAccount, &api.CloseAccountInput{AccountId: stranger})
	for _, who := range []*aws.Principal{u, root(stranger)} {
		want(t, who.ARN, try(p, who, iamapi.ListUsers, &iamapi.ListUsersInput{}), "The security token included in the request is invalid")
	}
	want(t, "to close it again", try(p, root(head), api.CloseAccount, &api.CloseAccountInput{AccountId: stranger}), "AccountAlreadyClosed")
	want(t, "to remove it", try(p, root(head), api.RemoveAccountFromOrganization, &api.RemoveAccountFromOrganizationInput{AccountId: stranger}), "ConstraintViolation")
	unit := p.unit(r, "suspended")
	call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: unit})
	want(t, "once moved", try(p, u, iamapi.ListUsers, &iamapi.ListUsersInput{}), "invalid")
	a := call(p, root(head), api.DescribeAccount, &api.DescribeAccountInput{AccountId: stranger}).Account
	if *a.Status != api.AccountStatusSuspended || *a.State != api.AccountStateSuspended || !strings.Contains(a.Paths[0], unit) {
		t.Errorf("the closed account: %v %v %v", *a.Status, *a.State, a.Paths)
	}
}
