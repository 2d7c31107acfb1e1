package iam

import (
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

// What UpdateRole and its siblings answer and leave alone, as recorded from AWS.
func TestUpdateRoleLeavesAloneWhatItIsNotGiven(t *testing.T) {
	p := newPlane(t)
	made := call(p, p.root, iam.CreateRole, &iam.CreateRoleInput{
		RoleName: "r", AssumeRolePolicyDocument: trustRoot, Description: new("first"), MaxSessionDuration: new(int32(7200)), Tags: []iam.Tag{{Key: "a", Value: "b"}},
	}).Role
	if made.Description != nil || made.MaxSessionDuration != nil || made.Tags == nil {
		t.Errorf("CreateRole = %+v", made)
	}
	state := func() (string, int32) {
		r := call(p, p.root, iam.GetRole, &iam.GetRoleInput{RoleName: "r"}).Role
		if r.Description == nil {
			return "", *r.MaxSessionDuration
		}
		return *r.Description, *r.MaxSessionDuration
	}
	for _, c := range []struct {
		in          iam.UpdateRoleInput
		description string
		longest     int32
	}{
		{iam.UpdateRoleInput{}, "first", 7200},
		{iam.UpdateRoleInput{Description: new("second")}, "second", 7200},
		{iam.UpdateRoleInput{MaxSessionDuration: new(int32(3600))}, "second", 3600},
		{iam.UpdateRoleInput{Description: new("")}, "", 3600},
	} {
		c.in.RoleName = "r"
		call(p, p.root, iam.UpdateRole, &c.in)
		if d, n := state(); d != c.description || n != c.longest {
			t.Errorf("after %+v: %q, %d", c.in, d, n)
		}
	}
	for _, n := range []int32{0, 3599, 43201} {
		if got := try(p, p.root, iam.UpdateRole, &iam.UpdateRoleInput{RoleName: "r", Description: new("x"), MaxSessionDuration: &n}); got == "" {
			t.Errorf("a duration of %d was taken", n)
		}
	}
	if d, _ := state(); d != "" {
		t.Errorf("a refused call changed the description to %q", d)
	}
	r := call(p, p.root, iam.UpdateRoleDescription, &iam.UpdateRoleDescriptionInput{RoleName: "r", Description: "third"}).Role
	if *r.Description != "third" || r.MaxSessionDuration != nil || r.Tags != nil || r.RoleLastUsed != nil || r.AssumeRolePolicyDocument == nil {
		t.Errorf("UpdateRoleDescription = %+v", r)
	}
}
