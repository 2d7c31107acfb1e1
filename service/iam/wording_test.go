package iam

import (
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

// What AWS was seen to say of malformed names, paths and tags: of the
// characters of names and paths in words, of all else as the model has it,
// without the value (since 2024).
func TestMalformedValuesAreRefusedInAWSsWords(t *testing.T) {
	p := newPlane(t)
	const (
		characters = " is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
		path       = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."
		constraint = "' failed to satisfy constraint: Member must "
	)
	user := func(name string) string {
		return try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: name})
	}
	tagged := func(key, value string) string {
		return try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u", Tags: []iam.Tag{{Key: "ok", Value: ""}, {Key: key, Value: value}}})
	}
	for _, c := range []struct{ got, want string }{
		{user("a b"), "The specified value for userName" + characters},
		{user("a/b"), "The specified value for userName" + characters},
		{user("a\nb"), "The specified value for userName" + characters},
		{user("é"), "The specified value for userName" + characters},
		{user(strings.Repeat("a", 65)), "1 validation error detected: Value at 'userName" + constraint + "have length less than or equal to 64"},
		{user(strings.Repeat("/", 65)), "1 validation error detected: Value at 'userName" + constraint + "have length less than or equal to 64"},
		{try(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: new("a b")}), "The specified value for userName" + characters},
		{try(p, p.root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: "a b"}), "The specified value for groupName" + characters},
		{try(p, p.root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "a b", AssumeRolePolicyDocument: trustRoot}), "The specified value for roleName" + characters},
		{try(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "a b", PolicyDocument: allowAll}), "The specified value for policyName" + characters},
		{try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u", Path: new("staff/")}), path},
		{try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u", Path: new("/staff")}), path},
		{try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u", Path: new("")}), "1 validation error detected: Value at 'path" + constraint + "have length greater than or equal to 1"},
		{try(p, p.root, iam.ListRoles, &iam.ListRolesInput{PathPrefix: new("foo")}), "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."},
		{tagged(strings.Repeat("k", 129), ""), "1 validation error detected: Value at 'tags.2.member.key" + constraint + "have length less than or equal to 128"},
		{tagged("k", strings.Repeat("v", 257)), "1 validation error detected: Value at 'tags.2.member.value" + constraint + "have length less than or equal to 256"},
		{tagged("k!", ""), `1 validation error detected: Value at 'tags.2.member.key` + constraint + `satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{try(p, p.root, iam.UpdateAccessKey, &iam.UpdateAccessKeyInput{AccessKeyId: "AKIAIOSFODNN7EXAMPLE", Status: "Gone"}), "1 validation error detected: Value at 'status" + constraint + "satisfy enum value set"},
	} {
		if c.got != c.want {
			t.Errorf("%s\nwant %s", c.got, c.want)
		}
	}
}
