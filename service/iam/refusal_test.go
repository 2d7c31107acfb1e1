package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

const (
	allowAll  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	trustRoot = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`
	readOnly  = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
	own       = "arn:aws:iam::111122223333:policy/own"
)

// furnish makes a user, a group, a role and a policy, all alike.
func furnish(p *plane) {
	p.Helper()
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u"})
	call(p, p.root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: "g"})
	call(p, p.root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "r", AssumeRolePolicyDocument: trustRoot})
	call(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "own", PolicyDocument: allowAll})
}

// stranger is a user without any permission.
func stranger(p *plane) {
	p.Helper()
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "mallory"})
}

// Each refusal as AWS words it.
func TestRefusals(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	for _, c := range []struct {
		name string
		got  string
		want string
	}{
		{"GetUser of none", try(p, root, iam.GetUser, &iam.GetUserInput{UserName: new("x")}), "NoSuchEntityException: The user with name x cannot be found."},
		{"CreateUser twice", try(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: "U"}), "EntityAlreadyExistsException: User with name U already exists."},
		{"CreateGroup twice", try(p, root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: "G"}), "EntityAlreadyExistsException: Group with name G already exists."},
		{"CreateRole twice", try(p, root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "R", AssumeRolePolicyDocument: trustRoot}), "EntityAlreadyExistsException: Role with name R already exists."},
		{"CreatePolicy twice", try(p, root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "OWN", Path: new("/x/"), PolicyDocument: allowAll}), "EntityAlreadyExistsException: A policy called OWN already exists. Duplicate names are not allowed."},
		{"GetGroup of none", try(p, root, iam.GetGroup, &iam.GetGroupInput{GroupName: "x"}), "NoSuchEntityException: The group with name x cannot be found."},
		{"GetRole of none", try(p, root, iam.GetRole, &iam.GetRoleInput{RoleName: "x"}), "NoSuchEntityException: The role with name x cannot be found."},
		{"GetPolicy of none", try(p, root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: own + "x"}), "NoSuchEntityException: Policy " + own + "x was not found."},
		{"DeletePolicy of none", try(p, root, iam.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: own + "x"}), "NoSuchEntityException: Policy " + own + "x was not found."},
		{"GetPolicy of another path", try(p, root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: "arn:aws:iam::111122223333:policy/x/own"}), "NoSuchEntityException: Policy arn:aws:iam::111122223333:policy/x/own was not found."},
		{"GetPolicy of AWS's that is none", try(p, root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: readOnly + "x"}), "NoSuchEntityException: Policy " + readOnly + "x was not found."},
		{"attach by name", try(p, root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: "a-policy-by-its-own-name"}), "Invalid ARN:  Could not be parsed!"},
		{"attach none", try(p, root, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: "r", PolicyArn: own + "123"}), "NoSuchEntityException: Policy " + own + "123 does not exist or is not attachable."},
		{"detach what is not attached", try(p, root, iam.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: "u", PolicyArn: own}), "NoSuchEntityException: Policy " + own + " was not found."},
		{"inline policy of none", try(p, root, iam.GetUserPolicy, &iam.GetUserPolicyInput{UserName: "u", PolicyName: "x"}), "NoSuchEntityException: The user policy with name x cannot be found."},
		{"inline role policy of none", try(p, root, iam.GetRolePolicy, &iam.GetRolePolicyInput{RoleName: "r", PolicyName: "x"}), "NoSuchEntityException: The role policy with name x cannot be found."},
		{"inline group policy of none", try(p, root, iam.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: "g", PolicyName: "x"}), "NoSuchEntityException: The group policy with name x cannot be found."},
		{"a policy that is none", try(p, root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "x", PolicyDocument: "{"}), "MalformedPolicyDocumentException: Syntax errors in policy."},
		{"a trust policy that is none", try(p, root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "x", AssumeRolePolicyDocument: "{not json}"}), "MalformedPolicyDocumentException: This policy contains invalid Json"},
		{"a principal that is none", try(p, root, iam.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: "r", PolicyDocument: strings.Replace(trustRoot, "111122223333", "arn:aws:iam::111122223333:user/nobody", 1)}), `MalformedPolicyDocumentException: Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/nobody"`},
		{"too long an inline policy", try(p, root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "x", PolicyDocument: longPolicy(2048)}), "LimitExceededException: Maximum policy size of 2048 bytes exceeded for user u"},
		{"too long a managed policy", try(p, root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "x", PolicyDocument: longPolicy(6144)}), "LimitExceededException: Cannot exceed quota for PolicySize: 6144"},
		{"a boundary that is none", try(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: "x", PermissionsBoundary: new(own + "x")}), "NoSuchEntityException: Scope ARN: " + own + "x does not exist or is not attachable."},
		{"a boundary by name", try(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: "x", PermissionsBoundary: new("arn:aws:iam::123456789:not_a_boundary")}), "InvalidParameterValue: Value (arn:aws:iam::123456789:not_a_boundary) for parameter PermissionsBoundary is invalid."},
		{"a tag twice", try(p, root, iam.TagUser, &iam.TagUserInput{UserName: "u", Tags: []iam.Tag{{Key: "a", Value: "1"}, {Key: "A", Value: "2"}}}), "InvalidInputException: Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"a key of none", try(p, root, iam.UpdateAccessKey, &iam.UpdateAccessKeyInput{UserName: new("u"), AccessKeyId: "AKIAAAAAAAAAAAAAAAAA", Status: iam.StatusTypeInactive}), "NoSuchEntityException: The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found."},
		{"a version of none", try(p, root, iam.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: own, VersionId: "v4"}), "NoSuchEntityException: Policy " + own + " version v4 does not exist or is not attachable."},
		{"a version of no policy", try(p, root, iam.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: own + "x", VersionId: "v1"}), "NoSuchEntityException: Policy " + own + "x version v1 does not exist or is not attachable."},
		{"the default of no policy", try(p, root, iam.SetDefaultPolicyVersion, &iam.SetDefaultPolicyVersionInput{PolicyArn: own + "x", VersionId: "v1"}), "NoSuchEntityException: Policy " + own + "x version v1 does not exist or is not attachable."},
		{"the default version's end", try(p, root, iam.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: own, VersionId: "v1"}), "DeleteConflictException: Cannot delete the default version of a policy."},
		{"a change to AWS's policy", try(p, root, iam.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: readOnly}), "User: arn:aws:iam::111122223333:root is not authorized to perform: iam:DeletePolicy on resource: policy " + readOnly},
		{"a member that is none", try(p, root, iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: "g", UserName: "x"}), "NoSuchEntityException: The user with name x cannot be found."},
		{"an alias of none", try(p, root, iam.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: "none"}), "NoSuchEntityException: The account alias none cannot be found."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// longPolicy is a policy of more characters than n.
func longPolicy(n int) string {
	return strings.Replace(allowAll, `"*"}`, `"arn:aws:s3:::`+strings.Repeat("x", n)+`"}`, 1)
}

func TestDeleteRefusesWhatIsInUse(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	key := call(p, root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("u")}).AccessKey.AccessKeyId
	call(p, root, iam.AddUserToGroup, &iam.AddUserToGroupInput{UserName: "u", GroupName: "g"})
	call(p, root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "i", PolicyDocument: allowAll})
	call(p, root, iam.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: "g", PolicyName: "i", PolicyDocument: allowAll})
	call(p, root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: "i", PolicyDocument: allowAll})
	call(p, root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: own})
	call(p, root, iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: "g", PolicyArn: own})
	call(p, root, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: "r", PolicyArn: own})
	call(p, root, iam.PutRolePermissionsBoundary, &iam.PutRolePermissionsBoundaryInput{RoleName: "r", PermissionsBoundary: own})
	call(p, root, iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: allowAll})
	deleteUser := func() string { return try(p, root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}) }
	deleteGroup := func() string { return try(p, root, iam.DeleteGroup, &iam.DeleteGroupInput{GroupName: "g"}) }
	deleteRole := func() string { return try(p, root, iam.DeleteRole, &iam.DeleteRoleInput{RoleName: "r"}) }
	deletePolicy := func() string { return try(p, root, iam.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: own}) }
	const conflict = "DeleteConflictException: Cannot delete entity, must "
	for _, c := range []struct {
		delete  func() string
		refused string
		free    func()
	}{
		{deleteGroup, conflict + "remove users from group first.", func() {}},
		{deleteUser, conflict + "remove users from group first.", func() {
			call(p, root, iam.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{UserName: "u", GroupName: "g"})
		}},
		{deleteUser, conflict + "detach all policies first.", func() {
			call(p, root, iam.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: "u", PolicyArn: own})
		}},
		{deleteUser, conflict + "delete policies first.", func() {
			call(p, root, iam.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: "u", PolicyName: "i"})
		}},
		{deleteUser, conflict + "delete access keys first.", func() {
			call(p, root, iam.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: new("u"), AccessKeyId: key})
		}},
		{deleteGroup, conflict + "detach all policies first.", func() {
			call(p, root, iam.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: "g", PolicyArn: own})
		}},
		{deleteGroup, conflict + "delete policies first.", func() {
			call(p, root, iam.DeleteGroupPolicy, &iam.DeleteGroupPolicyInput{GroupName: "g", PolicyName: "i"})
		}},
		{deleteRole, conflict + "detach all policies first.", func() {
			call(p, root, iam.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: "r", PolicyArn: own})
		}},
		{deleteRole, conflict + "delete policies first.", func() {
			call(p, root, iam.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: "r", PolicyName: "i"})
		}},
		{deletePolicy, "DeleteConflictException: Cannot delete a policy attached to entities.", func() {
			call(p, root, iam.DeleteRolePermissionsBoundary, &iam.DeleteRolePermissionsBoundaryInput{RoleName: "r"})
		}},
		{deletePolicy, "DeleteConflictException: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.", func() {
			call(p, root, iam.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: own, VersionId: "v2"})
		}},
		{deletePolicy, "", nil}, {deleteUser, "", nil}, {deleteGroup, "", nil}, {deleteRole, "", nil},
	} {
		if got := c.delete(); got != c.refused {
			t.Errorf("%s, want %s", got, c.refused)
		}
		if c.free != nil {
			c.free()
		}
	}
	summary := call(p, root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
	for _, noun := range []string{"Users", "Groups", "Roles", "Policies", "PolicyVersionsInUse"} {
		if summary[noun] != 0 {
			t.Errorf("%d %s are left", summary[noun], noun)
		}
	}
	if summary["UsersQuota"] != 5000 || summary["AccountAccessKeysPresent"] != 1 || len(summary) != 34 {
		t.Errorf("summary %v", summary)
	}
}

func TestQuotasHold(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	attach := func(n int) string {
		name := fmt.Sprint("p", n)
		call(p, root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: allowAll})
		return try(p, root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: "arn:aws:iam::111122223333:policy/" + name})
	}
	version := func(int) string {
		return try(p, root, iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: allowAll})
	}
	key := func(int) string {
		return try(p, root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("u")})
	}
	join := func(n int) string {
		name := fmt.Sprint("g", n)
		call(p, root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: name})
		return try(p, root, iam.AddUserToGroup, &iam.AddUserToGroupInput{UserName: "u", GroupName: name})
	}
	for _, c := range []struct {
		name  string
		limit int
		once  func(int) string
		want  string
	}{
		{"attached policies", 10, attach, "LimitExceededException: Cannot exceed quota for PoliciesPerUser: 10"},
		{"versions", 4, version, "LimitExceededException: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."},
		{"access keys", 2, key, "LimitExceededException: Cannot exceed quota for AccessKeysPerUser: 2"},
		{"groups", 10, join, "LimitExceededException: Cannot exceed quota for GroupsPerUser: 10"},
	} {
		for i := range c.limit {
			if got := c.once(i); got != "" {
				t.Errorf("%s: %s at %d", c.name, got, i)
			}
		}
		if got := c.once(c.limit); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A stranger is denied before being told what exists, in AWS's words.
func TestStrangersAreToldNothing(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	stranger(p)
	key := call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("mallory")}).AccessKey.AccessKeyId
	who := p.principal(testAccount, key)
	denied := func(action, on string) string {
		if on != "" {
			on = " on resource: " + on
		}
		return "User: arn:aws:iam::111122223333:user/mallory is not authorized to perform: " + action + on + " because no identity-based policy allows the " + action + " action"
	}
	for _, c := range []struct{ got, want string }{
		{try(p, who, iam.GetUser, &iam.GetUserInput{UserName: new("u")}), denied("iam:GetUser", "user u")},
		{try(p, who, iam.GetUser, &iam.GetUserInput{UserName: new("none")}), denied("iam:GetUser", "user none")},
		{try(p, who, iam.GetUser, &iam.GetUserInput{}), denied("iam:GetUser", "user mallory")},
		{try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "u", Path: new("/a/")}), denied("iam:CreateUser", "arn:aws:iam::111122223333:user/a/u")},
		{try(p, who, iam.ListUsers, &iam.ListUsersInput{}), denied("iam:ListUsers", "arn:aws:iam::111122223333:user/")},
		{try(p, who, iam.ListRoles, &iam.ListRolesInput{PathPrefix: new("/a/")}), denied("iam:ListRoles", "arn:aws:iam::111122223333:role/a/")},
		{try(p, who, iam.ListPolicies, &iam.ListPoliciesInput{}), denied("iam:ListPolicies", "policy path /")},
		{try(p, who, iam.GetRole, &iam.GetRoleInput{RoleName: "none"}), denied("iam:GetRole", "role none")},
		{try(p, who, iam.GetGroup, &iam.GetGroupInput{GroupName: "none"}), denied("iam:GetGroup", "group none")},
		{try(p, who, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: own}), denied("iam:GetPolicy", "policy "+own)},
		{try(p, who, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: own + "x"}), denied("iam:GetPolicy", "policy "+own+"x")},
		{try(p, who, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "own", PolicyDocument: allowAll}), denied("iam:CreatePolicy", "policy own")},
		{try(p, who, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "mallory", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"}), denied("iam:AttachUserPolicy", "user mallory")},
		{try(p, who, iam.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: "AKIAAAAAAAAAAAAAAAAA"}), denied("iam:GetAccessKeyLastUsed", "user *")},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
