package iam

import (
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
)

// delegate is a user with the policy that the statement makes.
func delegate(p *plane, name, statements string) *aws.Principal {
	p.Helper()
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: name})
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: name, PolicyName: "own", PolicyDocument: `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
	key := call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: &name}).AccessKey.AccessKeyId
	return p.principal(testAccount, key)
}

// A delegate who may make and change users only under a boundary can't raise
// anyone's rights, its own included.
func TestBoundaryCannotBeEscaped(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "limit", PolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}`})
	limit := "arn:aws:iam::111122223333:policy/limit"
	who := delegate(p, "delegate", `{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy","iam:AttachUserPolicy","iam:DetachUserPolicy","iam:DeleteUserPolicy","iam:PutUserPermissionsBoundary"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+limit+`"}}},
		{"Effect":"Allow","Action":["iam:CreateAccessKey","iam:GetUser"],"Resource":"*"}`)
	call(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "bounded", PermissionsBoundary: &limit})
	call(p, who, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "bounded", PolicyName: "p", PolicyDocument: allowAll})
	call(p, who, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "bounded", PolicyArn: own})
	call(p, who, iam.PutUserPermissionsBoundary, &iam.PutUserPermissionsBoundaryInput{UserName: "bounded", PermissionsBoundary: limit})
	for what, got := range map[string]string{
		"make a user without":         try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "free"}),
		"make a user with another":    try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "free", PermissionsBoundary: new(own)}),
		"change a user without":       try(p, who, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "p", PolicyDocument: allowAll}),
		"attach to itself":            try(p, who, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "delegate", PolicyArn: own}),
		"change the boundary":         try(p, who, iam.PutUserPermissionsBoundary, &iam.PutUserPermissionsBoundaryInput{UserName: "bounded", PermissionsBoundary: own}),
		"remove the boundary":         try(p, who, iam.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: "bounded"}),
		"change the boundary's words": try(p, who, iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: limit, PolicyDocument: allowAll, SetAsDefault: new(true)}),
	} {
		if !strings.Contains(got, "is not authorized to perform") {
			t.Errorf("%s: %q", what, got)
		}
	}
	key := call(p, who, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("bounded")}).AccessKey.AccessKeyId
	bounded := p.principal(testAccount, key)
	call(p, bounded, iam.GetUser, &iam.GetUserInput{})
	if got := try(p, bounded, iam.CreateUser, &iam.CreateUserInput{UserName: "x"}); !strings.HasSuffix(got, "because no permissions boundary allows the iam:CreateUser action") {
		t.Errorf("CreateUser under the boundary = %s", got)
	}
}

func TestConditionsOfPolicyARN(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	who := delegate(p, "delegate", `{"Effect":"Allow","Action":["iam:Attach*","iam:Detach*"],"Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"`+readOnly+`"}}}`)
	call(p, who, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: readOnly})
	call(p, who, iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: "g", PolicyArn: readOnly})
	call(p, who, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: "r", PolicyArn: readOnly})
	call(p, who, iam.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: "r", PolicyArn: readOnly})
	for _, got := range []string{
		try(p, who, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: own}),
		try(p, who, iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: "g", PolicyArn: own}),
		try(p, who, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: "r", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"}),
	} {
		if !strings.Contains(got, "is not authorized to perform") {
			t.Errorf("attached: %q", got)
		}
	}
}

func TestConditionsOfTags(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.TagUser, &iam.TagUserInput{UserName: "u", Tags: []iam.Tag{{Key: "team", Value: "blue"}}})
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "red", Tags: []iam.Tag{{Key: "team", Value: "red"}}})
	blue := []iam.Tag{{Key: "team", Value: "blue"}}
	who := delegate(p, "delegate", `{"Effect":"Allow","Action":["iam:CreateUser","iam:CreateRole"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}},
		{"Effect":"Allow","Action":"iam:TagUser","Resource":"arn:aws:iam::111122223333:user/new*","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}},
		{"Effect":"Allow","Action":["iam:DeleteUser","iam:GetUser"],"Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
		{"Effect":"Allow","Action":"iam:UntagUser","Resource":"*","Condition":{"ForAllValues:StringNotEquals":{"aws:TagKeys":"team"},"StringEquals":{"iam:ResourceTag/team":"blue"}}}`)
	if got := try(p, who, iam.GetUser, &iam.GetUserInput{UserName: new("u")}); got == "" {
		t.Error("a delegate without a tag sees a tagged user")
	}
	call(p, p.root, iam.TagUser, &iam.TagUserInput{UserName: "delegate", Tags: blue})
	call(p, who, iam.GetUser, &iam.GetUserInput{UserName: new("u")})
	call(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "new1", Tags: blue})
	call(p, who, iam.TagUser, &iam.TagUserInput{UserName: "new1", Tags: blue})
	call(p, who, iam.UntagUser, &iam.UntagUserInput{UserName: "u", TagKeys: []string{"other"}})
	call(p, who, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
	for what, got := range map[string]string{
		"another's":             try(p, who, iam.GetUser, &iam.GetUserInput{UserName: new("red")}),
		"untagged":              try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "new2"}),
		"tagged as another's":   try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "new2", Tags: []iam.Tag{{Key: "team", Value: "red"}}}),
		"tagged with more":      try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "new2", Tags: append(blue, iam.Tag{Key: "x", Value: "y"})}),
		"where it can't tag":    try(p, who, iam.CreateUser, &iam.CreateUserInput{UserName: "old", Tags: blue}),
		"a role it can't tag":   try(p, who, iam.CreateRole, &iam.CreateRoleInput{RoleName: "new", AssumeRolePolicyDocument: trustRoot, Tags: blue}),
		"tagged anew":           try(p, who, iam.TagUser, &iam.TagUserInput{UserName: "new1", Tags: []iam.Tag{{Key: "team", Value: "red"}}}),
		"the deciding tag away": try(p, who, iam.UntagUser, &iam.UntagUserInput{UserName: "new1", TagKeys: []string{"team"}}),
	} {
		if !strings.Contains(got, "is not authorized to perform") {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// A new name needs the right to it as well as to the old one.
func TestUpdateUserAsksForBothNames(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	who := delegate(p, "delegate", `{"Effect":"Allow","Action":"iam:UpdateUser","Resource":["arn:aws:iam::111122223333:user/u","arn:aws:iam::111122223333:user/mine/*"]}`)
	if got := try(p, who, iam.UpdateUser, &iam.UpdateUserInput{UserName: "u", NewUserName: new("admin")}); !strings.Contains(got, "iam:UpdateUser on resource: arn:aws:iam::111122223333:user/admin because") {
		t.Errorf("UpdateUser = %s", got)
	}
	call(p, who, iam.UpdateUser, &iam.UpdateUserInput{UserName: "u", NewPath: new("/mine/")})
}
