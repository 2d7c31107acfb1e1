package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

// pages calls list until nothing follows, each page of two.
func pages(p *plane, list func(marker *string, two *int32) (names []string, truncated *bool, next *string)) []string {
	p.Helper()
	var all []string
	var marker *string
	for range 2000 {
		names, truncated, next := list(marker, new(int32(2)))
		all = append(all, names...)
		if len(names) > 2 || *truncated != (next != nil) {
			p.Fatalf("a page of %d, truncated %t", len(names), *truncated)
		}
		if next == nil {
			return all
		}
		if len(*next) > 320 {
			p.Fatalf("a marker of %d characters", len(*next))
		}
		marker = next
	}
	p.Fatal("the listing has no end")
	return nil
}

func TestListsPage(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	var want []string
	longPath := "/five/" + strings.Repeat("p", 500) + "/"
	for i := range 5 {
		name := fmt.Sprint("n", i)
		want = append(want, name)
		call(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: name, Path: new("/five/")})
		call(p, root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: name, Path: new("/five/")})
		call(p, root, iam.CreateRole, &iam.CreateRoleInput{RoleName: name, Path: new("/five/"), AssumeRolePolicyDocument: trustRoot})
		call(p, root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: name, Path: &longPath, PolicyDocument: allowAll})
		call(p, root, iam.AddUserToGroup, &iam.AddUserToGroupInput{UserName: name, GroupName: "g"})
		call(p, root, iam.AddUserToGroup, &iam.AddUserToGroupInput{UserName: "u", GroupName: name})
		call(p, root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: name, PolicyDocument: allowAll})
		call(p, root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: "arn:aws:iam::111122223333:policy" + longPath + name})
		call(p, root, iam.TagRole, &iam.TagRoleInput{RoleName: "r", Tags: []iam.Tag{{Key: name + strings.Repeat("ö", 126), Value: "v"}}})
	}
	for name, list := range map[string]func(*string, *int32) ([]string, *bool, *string){
		"ListUsers": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListUsers, &iam.ListUsersInput{Marker: m, MaxItems: n, PathPrefix: new("/five")})
			for _, u := range out.Users {
				names = append(names, u.UserName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"ListGroups": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListGroups, &iam.ListGroupsInput{Marker: m, MaxItems: n, PathPrefix: new("/five")})
			for _, g := range out.Groups {
				names = append(names, g.GroupName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"ListRoles": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListRoles, &iam.ListRolesInput{Marker: m, MaxItems: n, PathPrefix: new("/five")})
			for _, r := range out.Roles {
				names = append(names, r.RoleName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"ListPolicies": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListPolicies, &iam.ListPoliciesInput{Marker: m, MaxItems: n, PathPrefix: new("/five/")})
			for _, x := range out.Policies {
				names = append(names, *x.PolicyName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"GetGroup": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.GetGroup, &iam.GetGroupInput{GroupName: "g", Marker: m, MaxItems: n})
			for _, u := range out.Users {
				names = append(names, u.UserName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"ListGroupsForUser": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: "u", Marker: m, MaxItems: n})
			for _, g := range out.Groups {
				names = append(names, g.GroupName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"ListRolePolicies": func(m *string, n *int32) ([]string, *bool, *string) {
			out := call(p, root, iam.ListRolePolicies, &iam.ListRolePoliciesInput{RoleName: "r", Marker: m, MaxItems: n})
			return out.PolicyNames, out.IsTruncated, out.Marker
		},
		"ListAttachedUserPolicies": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListAttachedUserPolicies, &iam.ListAttachedUserPoliciesInput{UserName: "u", PathPrefix: new("/five/"), Marker: m, MaxItems: n})
			for _, x := range out.AttachedPolicies {
				names = append(names, *x.PolicyName)
			}
			return names, out.IsTruncated, out.Marker
		},
		"ListRoleTags": func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListRoleTags, &iam.ListRoleTagsInput{RoleName: "r", Marker: m, MaxItems: n})
			for _, x := range out.Tags {
				names = append(names, x.Key[:2])
			}
			return names, out.IsTruncated, out.Marker
		},
	} {
		if got := pages(p, list); !slices.Equal(got, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

func TestListEntitiesForPolicy(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	long := "arn:aws:iam::111122223333:policy/" + strings.Repeat("p", 128)
	call(p, root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: strings.Repeat("p", 128), PolicyDocument: allowAll})
	var want []string
	for _, kind := range []string{"group", "user", "bound", "role"} {
		for i := range 3 {
			name := fmt.Sprintf("%s%d%s", kind, i, strings.Repeat("n", 50))
			want = append(want, name)
			switch kind {
			case "group":
				call(p, root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: name})
				call(p, root, iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: name, PolicyArn: long})
			case "user":
				call(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: name})
				call(p, root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: long})
			case "bound":
				call(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: name, PermissionsBoundary: &long})
			case "role":
				call(p, root, iam.CreateRole, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trustRoot})
				call(p, root, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: long})
			}
		}
	}
	list := func(kind *iam.EntityType, usage *iam.PolicyUsageType) []string {
		return pages(p, func(m *string, n *int32) (names []string, _ *bool, _ *string) {
			out := call(p, root, iam.ListEntitiesForPolicy, &iam.ListEntitiesForPolicyInput{PolicyArn: long, Marker: m, MaxItems: n, EntityFilter: kind, PolicyUsageFilter: usage})
			for _, x := range out.PolicyGroups {
				names = append(names, *x.GroupName)
			}
			for _, x := range out.PolicyUsers {
				names = append(names, *x.UserName)
			}
			for _, x := range out.PolicyRoles {
				names = append(names, *x.RoleName)
			}
			return names, out.IsTruncated, out.Marker
		})
	}
	if got := list(nil, nil); !slices.Equal(got, want) {
		t.Errorf("all: %v", got)
	}
	if got := list(new(iam.EntityTypeUser), nil); !slices.Equal(got, want[3:9]) {
		t.Errorf("users: %v", got)
	}
	if got := list(nil, new(iam.PolicyUsageTypePermissionsBoundary)); !slices.Equal(got, want[6:9]) {
		t.Errorf("bounded: %v", got)
	}
	x := call(p, root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: long}).Policy
	if *x.AttachmentCount != 9 || *x.PermissionsBoundaryUsageCount != 3 {
		t.Errorf("%d attachments, %d boundaries", *x.AttachmentCount, *x.PermissionsBoundaryUsageCount)
	}
}

func TestListPoliciesScopes(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: readOnly})
	list := func(in iam.ListPoliciesInput) (names []string) {
		in.MaxItems = new(int32(700))
		for {
			out := call(p, p.root, iam.ListPolicies, &in)
			for _, x := range out.Policies {
				names = append(names, *x.PolicyName)
			}
			if in.Marker = out.Marker; in.Marker == nil {
				return names
			}
		}
	}
	if got := list(iam.ListPoliciesInput{Scope: new(iam.PolicyScopeTypeLocal)}); !slices.Equal(got, []string{"own"}) {
		t.Errorf("Local: %v", got)
	}
	all := list(iam.ListPoliciesInput{})
	if got := list(iam.ListPoliciesInput{Scope: new(iam.PolicyScopeTypeAws)}); len(got) < 1000 || len(all) != len(got)+1 || !slices.IsSorted(got) {
		t.Errorf("AWS: %d, All: %d", len(got), len(all))
	}
	if got := list(iam.ListPoliciesInput{OnlyAttached: new(true)}); !slices.Equal(got, []string{"IAMReadOnlyAccess"}) {
		t.Errorf("attached: %v", got)
	}
	if got := list(iam.ListPoliciesInput{OnlyAttached: new(true), PolicyUsageFilter: new(iam.PolicyUsageTypePermissionsBoundary)}); len(got) != 0 {
		t.Errorf("boundaries: %v", got)
	}
	// As recorded from AWS: the usage counts only where attached policies alone are asked for.
	if got := list(iam.ListPoliciesInput{PolicyUsageFilter: new(iam.PolicyUsageTypePermissionsBoundary)}); len(got) != len(all) {
		t.Errorf("a usage alone: %d of %d", len(got), len(all))
	}
}

func TestPolicyVersionsFollowEachOther(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	second := strings.Replace(allowAll, `"Allow"`, `"Deny"`, 1)
	v := call(p, p.root, iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: second}).PolicyVersion
	if *v.VersionId != "v2" || *v.IsDefaultVersion {
		t.Errorf("%+v", v)
	}
	if got := call(p, p.root, iam.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: own, VersionId: "v2"}).PolicyVersion; *got.Document != encoded(second) {
		t.Errorf("document %s", *got.Document)
	}
	who := delegate(p, "delegate", `{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}`)
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "delegate", PolicyArn: own})
	call(p, who, iam.GetUser, &iam.GetUserInput{})
	call(p, p.root, iam.SetDefaultPolicyVersion, &iam.SetDefaultPolicyVersionInput{PolicyArn: own, VersionId: "v2"})
	if got := try(p, who, iam.GetUser, &iam.GetUserInput{}); !strings.HasSuffix(got, "with an explicit deny in an identity-based policy: "+own) {
		t.Errorf("GetUser = %s", got)
	}
	call(p, p.root, iam.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: own, VersionId: "v1"})
	call(p, p.root, iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: allowAll, SetAsDefault: new(true)})
	call(p, who, iam.GetUser, &iam.GetUserInput{})
	var ids []string
	for _, v := range call(p, p.root, iam.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: own}).Versions {
		ids = append(ids, fmt.Sprint(*v.VersionId, *v.IsDefaultVersion))
	}
	if want := []string{"v3true", "v2false"}; !slices.Equal(ids, want) {
		t.Errorf("versions %v, want %v", ids, want)
	}
}

// What is put before the place where a page ended does not show again what was shown.
func TestPagesOfARecordsListFollowItsItems(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	put := func(names ...string) {
		for _, name := range names {
			call(p, p.root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: name, PolicyDocument: allowAll})
		}
	}
	put("b", "d", "f")
	in := &iam.ListRolePoliciesInput{RoleName: "r", MaxItems: new(int32(2))}
	first := call(p, p.root, iam.ListRolePolicies, in)
	put("a", "c", "e")
	in.Marker, in.MaxItems = first.Marker, nil
	if got := call(p, p.root, iam.ListRolePolicies, in).PolicyNames; !slices.Equal(got, []string{"e", "f"}) {
		t.Errorf("after %v: %v", first.PolicyNames, got)
	}
	call(p, p.root, iam.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: "r", PolicyName: "d"})
	if got := call(p, p.root, iam.ListRolePolicies, in).PolicyNames; !slices.Contains(got, "f") {
		t.Errorf("after the last item was deleted: %v", got)
	}
}
