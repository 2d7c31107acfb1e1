package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

func TestInstanceProfileRefusals(t *testing.T) {
	p := newPlane(t, func(o *Options) { o.Quotas.InstanceProfiles = 1 })
	furnish(p)
	root := p.root
	call(p, root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "p", Path: new("/x/")})
	call(p, root, iam.CreateRole, &iam.CreateRoleInput{RoleName: "other", AssumeRolePolicyDocument: trustRoot})
	const none = "NoSuchEntityException: Instance Profile x cannot be found."
	const noRole = "NoSuchEntityException: The role with name x cannot be found."
	for _, c := range []struct{ name, got, want string }{
		{"create it twice", try(p, root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "P"}), "EntityAlreadyExistsException: Instance Profile P already exists."},
		{"create too many", try(p, root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "q"}), "LimitExceededException: Cannot exceed quota for InstanceProfilesPerAccount: 1"},
		{"get none", try(p, root, iam.GetInstanceProfile, &iam.GetInstanceProfileInput{InstanceProfileName: "x"}), none},
		{"delete none", try(p, root, iam.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: "x"}), none},
		{"tag none", try(p, root, iam.TagInstanceProfile, &iam.TagInstanceProfileInput{InstanceProfileName: "x", Tags: []iam.Tag{{Key: "a", Value: "b"}}}), none},
		{"add to none", try(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "x", RoleName: "r"}), none},
		{"add none", try(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "p", RoleName: "x"}), noRole},
		{"remove none", try(p, root, iam.RemoveRoleFromInstanceProfile, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: "p", RoleName: "x"}), noRole},
		{"remove what isn't in it", try(p, root, iam.RemoveRoleFromInstanceProfile, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: "p", RoleName: "r"}), "NoSuchEntityException: Role r in Instance Profile p cannot be found."},
		{"add", try(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "P", RoleName: "R"}), ""},
		{"add it again", try(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "p", RoleName: "r"}), "LimitExceededException: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"},
		{"add a second", try(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "p", RoleName: "other"}), "LimitExceededException: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"},
		{"remove another", try(p, root, iam.RemoveRoleFromInstanceProfile, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: "p", RoleName: "other"}), "NoSuchEntityException: Role other in Instance Profile p cannot be found."},
		{"delete a profile in use", try(p, root, iam.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: "p"}), "DeleteConflictException: Cannot delete entity, must remove roles from instance profile first."},
		{"delete a role in use", try(p, root, iam.DeleteRole, &iam.DeleteRoleInput{RoleName: "r"}), "DeleteConflictException: Cannot delete entity, must remove roles from instance profile first."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	got := call(p, root, iam.GetInstanceProfile, &iam.GetInstanceProfileInput{InstanceProfileName: "p"}).InstanceProfile
	if !strings.HasPrefix(got.InstanceProfileId, "AIPA") || got.Arn != "arn:aws:iam::111122223333:instance-profile/x/p" || got.Tags == nil || len(got.Roles) != 1 || got.Roles[0].RoleName != "r" {
		t.Errorf("GetInstanceProfile = %+v", got)
	}
	if n := call(p, root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap["InstanceProfiles"]; n != 1 {
		t.Errorf("%d instance profiles", n)
	}
	call(p, root, iam.RemoveRoleFromInstanceProfile, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: "p", RoleName: "r"})
	call(p, root, iam.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: "p"})
	call(p, root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "p"})
}

// Who may change an instance profile hands no role over without iam:PassRole on that very role, to EC2.
func TestAddRoleAsksToPassIt(t *testing.T) {
	const add = `{"Effect":"Allow","Action":"iam:AddRoleToInstanceProfile","Resource":"*"}`
	pass := func(resource, condition string) string {
		return add + `,{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + resource + `","Condition":{` + condition + `}}`
	}
	role := "arn:aws:iam::111122223333:role/r"
	const denied = "User: arn:aws:iam::111122223333:user/d is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/r because no identity-based policy allows the iam:PassRole action"
	for _, c := range []struct{ name, statements, want string }{
		{"no right to pass", add, denied},
		{"the right to pass another", pass(role+"x", ""), denied},
		{"the right to pass it to another service", pass(role, `"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}`), denied},
		{"the right to pass roles of another tag", pass("*", `"StringEquals":{"iam:ResourceTag/team":"red"}`), denied},
		{"the right to pass it", pass(role, ""), ""},
		{"the right to pass it to EC2", pass(role, `"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}`), ""},
		{"the right to pass roles of its tag", pass("*", `"StringEquals":{"iam:ResourceTag/team":"blue","aws:ResourceTag/team":"blue"}`), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlane(t)
			furnish(p)
			call(p, p.root, iam.TagRole, &iam.TagRoleInput{RoleName: "r", Tags: []iam.Tag{{Key: "team", Value: "blue"}}})
			call(p, p.root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "p"})
			who := delegate(p, "d", c.statements)
			got := try(p, who, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "p", RoleName: "r"})
			if got != c.want {
				t.Errorf("AddRoleToInstanceProfile = %s", got)
			}
			// A stranger to a role is not told whether it exists.
			if c.want == "" {
				return
			}
			missing := try(p, who, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "p", RoleName: "nosuch"})
			if !strings.Contains(missing, "iam:PassRole on resource: arn:aws:iam::111122223333:role/nosuch") {
				t.Errorf("a role that is none: %s", missing)
			}
		})
	}
}

func TestListInstanceProfiles(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	var want []string
	for i := range 5 {
		name := fmt.Sprint("p", i)
		want = append(want, name)
		call(p, p.root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: name, Path: new("/five/")})
		call(p, p.root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: "r"})
	}
	call(p, p.root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "p9"})
	names := func(all []iam.InstanceProfile) (names []string) {
		for _, x := range all {
			names = append(names, x.InstanceProfileName)
		}
		return names
	}
	for name, list := range map[string]func(*string, *int32) ([]string, *bool, *string){
		"ListInstanceProfiles": func(m *string, n *int32) ([]string, *bool, *string) {
			out := call(p, p.root, iam.ListInstanceProfiles, &iam.ListInstanceProfilesInput{Marker: m, MaxItems: n, PathPrefix: new("/five/")})
			return names(out.InstanceProfiles), out.IsTruncated, out.Marker
		},
		"ListInstanceProfilesForRole": func(m *string, n *int32) ([]string, *bool, *string) {
			out := call(p, p.root, iam.ListInstanceProfilesForRole, &iam.ListInstanceProfilesForRoleInput{RoleName: "r", Marker: m, MaxItems: n})
			return names(out.InstanceProfiles), out.IsTruncated, out.Marker
		},
	} {
		if got := pages(p, list); !slices.Equal(got, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}
