package iam

import (
	"fmt"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// What bears on a user: its own policies, attached ones and its groups', under its boundary.
func TestPoliciesOfAUser(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "inline", PolicyDocument: allowAll})
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: own})
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: readOnly})
	call(p, p.root, iam.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: "g", PolicyName: "of-group", PolicyDocument: allowAll})
	call(p, p.root, iam.AddUserToGroup, &iam.AddUserToGroupInput{UserName: "u", GroupName: "g"})
	call(p, p.root, iam.PutUserPermissionsBoundary, &iam.PutUserPermissionsBoundaryInput{UserName: "u", PermissionsBoundary: readOnly})
	call(p, p.root, iam.TagUser, &iam.TagUserInput{UserName: "u", Tags: []iam.Tag{{Key: "k", Value: "v"}}})
	key := call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("u")}).AccessKey.AccessKeyId
	who := p.principal(testAccount, key)
	p.update(func(tx store.Tx) error {
		all := policy.Policies{Identity: make([]*policy.Policy, 3), HasSession: true}
		tags, err := p.service.Policies(tx, who, &all)
		if err != nil {
			return err
		}
		var ids []string
		for _, x := range all.Identity {
			ids = append(ids, x.ID)
		}
		if got, want := fmt.Sprint(ids), fmt.Sprint([]string{"inline", readOnly, own, "of-group"}); got != want {
			t.Errorf("identity policies %s, want %s", got, want)
		}
		if !all.HasBoundary || len(all.Boundary) != 1 || all.Boundary[0].ID != readOnly || all.HasSession || tags["k"] != "v" {
			t.Errorf("%+v, tags %v", all, tags)
		}
		return nil
	})
}

// A stored policy that can't be read denies.
func TestUnreadablePolicyDenies(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`)
	call(p, who, iam.GetUser, &iam.GetUserInput{})
	p.update(func(tx store.Tx) error {
		return users.Update(tx, testAccount, func(u *User) error {
			u.Inline = append(u.Inline, &Inline{Name: "zz", Document: Document{Text: `{"Version":"2030-01-01"}`}})
			return nil
		}, who.ID)
	})
	if got := try(p, who, iam.GetUser, &iam.GetUserInput{}); got == "" {
		t.Error("a policy that can't be read was passed over")
	}
}

func BenchmarkDirectory(b *testing.B) {
	for _, session := range []bool{false, true} {
		b.Run(fmt.Sprint("session=", session), func(b *testing.B) { benchmarkDirectory(b, session) })
	}
}

func benchmarkDirectory(b *testing.B, session bool) {
	p := newPlane(b)
	name := "u"
	ctx := b.Context()
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: name})
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: name, PolicyName: "p", PolicyDocument: allowAll})
	key := call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: &name}).AccessKey.AccessKeyId
	role := call(p, p.root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "r", AssumeRolePolicyDocument: trustRoot}).Role
	call(p, p.root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: "p", PolicyDocument: allowAll})
	caller := &aws.Principal{Kind: aws.AssumedRole, Partition: "aws", Account: testAccount, Session: &aws.Session{RoleID: role.RoleId}}
	var all policy.Policies
	b.ReportAllocs()
	err := p.engine.View(ctx, func(tx store.Tx) error {
		for b.Loop() {
			who := caller
			if !session {
				c, err := p.service.Credential(tx, key)
				if err != nil {
					return err
				}
				who = c.Principal
			}
			if _, err := p.service.Policies(tx, who, &all); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
