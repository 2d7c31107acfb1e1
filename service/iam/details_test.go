package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

// shown names all that an answer of GetAccountAuthorizationDetails lists.
func shown(out *iam.GetAccountAuthorizationDetailsOutput) (names []string) {
	for _, x := range out.UserDetailList {
		names = append(names, "user "+*x.UserName)
	}
	for _, x := range out.GroupDetailList {
		names = append(names, "group "+*x.GroupName)
	}
	for _, x := range out.RoleDetailList {
		names = append(names, "role "+*x.RoleName)
	}
	for _, x := range out.Policies {
		names = append(names, "policy "+*x.PolicyName)
	}
	return names
}

func TestAccountAuthorizationDetails(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	call(p, root, iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: "g", UserName: "u"})
	call(p, root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: readOnly})
	call(p, root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: "i", PolicyDocument: allowAll})
	call(p, root, iam.PutRolePermissionsBoundary, &iam.PutRolePermissionsBoundaryInput{RoleName: "r", PermissionsBoundary: own})
	call(p, root, iam.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: allowAll})
	for _, name := range []string{"ip1", "ip2"} {
		call(p, root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: name})
		call(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: "r"})
	}
	for i := range 3 {
		call(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: fmt.Sprint("u", i)})
	}
	all := []string{"user u", "user u0", "user u1", "user u2", "group g", "role r", "policy own", "policy IAMReadOnlyAccess"}
	got := call(p, root, iam.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{})
	if names := shown(got); !slices.Equal(names, all) || *got.IsTruncated {
		t.Errorf("all: %v", names)
	}
	u, g, r := got.UserDetailList[0], got.GroupDetailList[0], got.RoleDetailList[0]
	if !slices.Equal(u.GroupList, []string{"g"}) || *u.AttachedManagedPolicies[0].PolicyArn != readOnly || u.UserPolicyList != nil || u.Tags == nil {
		t.Errorf("user %+v", u)
	}
	if g.GroupPolicyList == nil || g.AttachedManagedPolicies == nil {
		t.Errorf("group %+v", g)
	}
	if *r.RolePolicyList[0].PolicyDocument != encoded(allowAll) || len(r.InstanceProfileList) != 2 || *r.PermissionsBoundary.PermissionsBoundaryArn != own || r.RoleLastUsed == nil {
		t.Errorf("role %+v", r)
	}
	if v := got.Policies[0].PolicyVersionList; len(v) != 2 || *v[0].VersionId != "v2" || *v[0].IsDefaultVersion || *v[1].Document != encoded(allowAll) || *got.Policies[0].PermissionsBoundaryUsageCount != 1 {
		t.Errorf("policy %+v", got.Policies[0])
	}
	if v := got.Policies[1].PolicyVersionList; len(v) != 1 || len(*v[0].Document) < 100 {
		t.Errorf("AWS's policy %+v", got.Policies[1])
	}
	for filter, want := range map[iam.EntityType][]string{
		iam.EntityTypeUser: all[:4], iam.EntityTypeGroup: all[4:5], iam.EntityTypeRole: all[5:6],
		iam.EntityTypeLocalManagedPolicy: all[6:7], iam.EntityTypeAWSManagedPolicy: all[7:],
	} {
		out := call(p, root, iam.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{Filter: []iam.EntityType{filter, filter}})
		if names := shown(out); !slices.Equal(names, want) {
			t.Errorf("%s: %v", filter, names)
		}
	}
	for n := int32(1); n <= 9; n++ {
		in := &iam.GetAccountAuthorizationDetailsInput{MaxItems: &n}
		var names []string
		for range 20 {
			out := call(p, root, iam.GetAccountAuthorizationDetails, in)
			if len(shown(out)) > int(n) {
				t.Errorf("%d in a page of %d", len(shown(out)), n)
			}
			names = append(names, shown(out)...)
			if in.Marker = out.Marker; in.Marker == nil {
				break
			}
		}
		if !slices.Equal(names, all) {
			t.Errorf("in pages of %d: %v", n, names)
		}
	}
	out := call(p, root, iam.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{MaxItems: new(int32(1))})
	for _, marker := range []*string{new("not-a-marker"), out.Marker} {
		got := try(p, root, iam.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{Filter: []iam.EntityType{iam.EntityTypeUser}, Marker: marker})
		if got != "Marker and Filter do not match" {
			t.Errorf("marker %s: %s", *marker, got)
		}
	}
	// The documents of the default versions alone tell who may do what: nobody reads them without the right.
	who := delegate(p, "d", `{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"NotResource":"*"}`)
	if got := try(p, who, iam.GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{}); !strings.Contains(got, "not authorized") {
		t.Errorf("a stranger: %s", got)
	}
}

// A page holds at most so many bytes of documents, and the next goes on where it ended.
func TestAccountAuthorizationDetailsAreBounded(t *testing.T) {
	p := newPlane(t)
	long := strings.Replace(allowAll, `"*"}`, `"arn:aws:s3:::`+strings.Repeat("x", 9900)+`"}`, 1)
	const n = 150
	for i := range n {
		name := fmt.Sprintf("r%03d", i)
		call(p, p.root, iam.CreateRole, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trustRoot})
		call(p, p.root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: name, PolicyName: "i", PolicyDocument: long})
	}
	in := &iam.GetAccountAuthorizationDetailsInput{MaxItems: new(int32(1000))}
	var sizes []int
	seen := map[string]bool{}
	for range 10 {
		out := call(p, p.root, iam.GetAccountAuthorizationDetails, in)
		size := 0
		for _, r := range out.RoleDetailList {
			seen[*r.RoleName] = true
			size += len(*r.RolePolicyList[0].PolicyDocument) + len(*r.AssumeRolePolicyDocument)
		}
		if size > detailBytes+20_000 {
			t.Errorf("a page of %d bytes", size)
		}
		sizes = append(sizes, len(out.RoleDetailList))
		if in.Marker = out.Marker; in.Marker == nil {
			break
		}
	}
	if len(seen) != n || len(sizes) != 2 {
		t.Errorf("%d roles in pages of %v", len(seen), sizes)
	}
}
