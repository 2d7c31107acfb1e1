package iam

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// passing is the handing over of a role: who does it must be allowed to change
// what is to have the role, and to pass the role to the service that will use it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
type passing struct {
	*InstanceProfile
	role *Role
	to   string // the service's principal: "ec2.amazonaws.com"
}

// Further implements gateway.Compound.
func (p *passing) Further() []gateway.Authorization {
	conditions := []string{"iam:PassedToService", p.to}
	for key, value := range p.role.ResourceTags() {
		conditions = append(conditions, "iam:ResourceTag/"+key, value)
	}
	return []gateway.Authorization{{Action: "iam:PassRole", On: passed{p.role}, Conditions: conditions}}
}

// passed is a role as denials of iam:PassRole name it: by its ARN.
type passed struct{ role *Role }

// ARN implements gateway.Resource.
func (p passed) ARN() string { return p.role.Arn }

// ResourceTags implements gateway.Tagged.
func (p passed) ResourceTags() map[string]string { return p.role.ResourceTags() }

func roleForProfile(call *gateway.Call, in *iam.AddRoleToInstanceProfileInput) (*passing, error) {
	p, missing := findProfile(call, in.InstanceProfileName)
	if p == nil {
		return nil, missing
	}
	r, noRole := findRole(call, in.RoleName)
	if r == nil {
		return nil, noRole
	}
	if missing == nil {
		missing = noRole
	}
	if missing == nil {
		missing = r.modifiable()
	}
	return &passing{InstanceProfile: p, role: r, to: "ec2.amazonaws.com"}, missing
}

// addRoleToInstanceProfile gives a profile its one role. Giving it the same role again is refused, too.
func (s *Service) addRoleToInstanceProfile(_ context.Context, call *gateway.Call, on *passing, _ *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	if on.Role != "" {
		return nil, limitExceeded("InstanceSessionsPerInstanceProfile", 1)
	}
	return nil, profiles.Update(call.Tx, call.Account, func(p *InstanceProfile) error {
		p.Role = on.role.ID
		return nil
	}, on.ID)
}

func (s *Service) removeRoleFromInstanceProfile(_ context.Context, call *gateway.Call, p *InstanceProfile, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	found, err := roles.Find(call.Tx, rolesByName, call.Account, fold(in.RoleName))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, noSuchRole(in.RoleName)
	case err != nil:
		return nil, err
	case p.Role != found.Value.ID:
		return nil, noSuchEntity("Role %s in Instance Profile %s cannot be found.", found.Value.Name, p.Name)
	}
	return nil, profiles.Update(call.Tx, call.Account, func(p *InstanceProfile) error {
		p.Role = ""
		return nil
	}, p.ID)
}
