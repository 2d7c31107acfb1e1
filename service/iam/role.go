package iam

import (
	"context"
	"errors"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// defaultMaxSession is a new role's longest session, in seconds.
const defaultMaxSession = 3600

// findRole is the role of that name, like findUser.
func findRole(call *gateway.Call, name string) (*Role, error) {
	found, err := roles.Find(call.Tx, rolesByName, call.Account, fold(name))
	if err == nil {
		return found.Value, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &Role{Entity: Entity{Name: name, Path: "/", Arn: entityARN(call, "role", "/", name)}},
		noSuchRole(name)
}

func noSuchRole(name string) error {
	return noSuchEntity("The role with name %s cannot be found.", name)
}

// roleNamed finds the role that the input names.
func roleNamed[In any](name func(*In) string) gateway.Target[In, *Role] {
	return func(call *gateway.Call, in *In) (*Role, error) {
		r, err := findRole(call, name(in))
		if r != nil {
			boundaryCondition(call, &r.Entity)
		}
		return r, err
	}
}

// roleToCreate keeps AWS's own paths free: what lies under the first is taken
// for a service-linked role, which no service control policy binds.
func roleToCreate(call *gateway.Call, in *iam.CreateRoleInput) (*creation, error) {
	if in.Path != nil && (strings.HasPrefix(*in.Path, linkedPath) || strings.HasPrefix(*in.Path, "/aws-reserved/")) {
		return nil, invalidInput("The path %s is reserved for roles that AWS creates.", *in.Path)
	}
	return creating(call, "role", "iam:TagRole", in.RoleName, in.Path, in.Tags, in.PermissionsBoundary)
}

func (s *Service) createRole(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	r := &Role{Entity: on.entity(call, "AROA"), MaxSession: defaultMaxSession}
	if in.Description != nil {
		r.Description = *in.Description
	}
	if in.MaxSessionDuration != nil {
		if err := checkMaxSession(*in.MaxSessionDuration); err != nil {
			return nil, err
		}
		r.MaxSession = *in.MaxSessionDuration
	}
	var err error
	if r.Trust, err = s.saveTrust(call, in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	if err := checkBoundary(call, in.PermissionsBoundary, &r.Entity); err != nil {
		return nil, err
	}
	err = roles.Insert(call.Tx, call.Account, r, r.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("Role with name %s already exists.", in.RoleName)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countRoles, r.ID, "RolesPerAccount", s.quotas(call.Account).Roles); err != nil {
		return nil, err
	}
	// AWS answers the document as it was given, and no duration or description even if they were.
	out := r.bare()
	out.AssumeRolePolicyDocument = new(encoded(in.AssumeRolePolicyDocument))
	out.PermissionsBoundary, out.Tags = r.boundaryDetail(), apiTags(r.Tags)
	return &iam.CreateRoleOutput{Role: &out}, nil
}

func checkMaxSession(seconds int32) error {
	if seconds < 3600 || seconds > 43200 {
		return validation("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200", seconds)
	}
	return nil
}

func (s *Service) getRole(_ context.Context, call *gateway.Call, r *Role, _ *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	out, err := r.detail(call.Tx)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: &out}, nil
}

// updateRole leaves alone what the call leaves out. The documentation says that a
// duration that is left out becomes an hour; as recorded from AWS it does not.
func (s *Service) updateRole(_ context.Context, call *gateway.Call, r *Role, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	if r.LinkedTo != "" && in.MaxSessionDuration != nil {
		return nil, &iam.UnmodifiableEntityException{Message: r.Name + " is an AWS service linked role, max session duration cannot be changed."}
	}
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		if in.Description != nil {
			r.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			r.MaxSession = *in.MaxSessionDuration
		}
		return checkMaxSession(r.MaxSession)
	}, r.ID)
}

// updateRoleDescription answers the role without tags, boundary, duration and last use, as AWS does.
func (s *Service) updateRoleDescription(_ context.Context, call *gateway.Call, r *Role, in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	var changed *Role
	err := roles.Update(call.Tx, call.Account, func(r *Role) error {
		r.Description, changed = in.Description, r
		return nil
	}, r.ID)
	if err != nil {
		return nil, err
	}
	out, err := changed.summary(call.Tx)
	out.MaxSessionDuration = nil
	return &iam.UpdateRoleDescriptionOutput{Role: &out}, err
}

func (s *Service) updateAssumeRolePolicy(_ context.Context, call *gateway.Call, r *Role, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	trust, err := s.saveTrust(call, in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		r.Trust = trust
		return nil
	}, r.ID)
}

// deleteRole refuses as long as policies hang on the role, or an instance profile has it. Its sessions end with it.
func (s *Service) deleteRole(_ context.Context, call *gateway.Call, r *Role, _ *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	used, err := inProfile(call.Tx, call.Account, r.ID)
	switch {
	case err != nil:
		return nil, err
	case used:
		return nil, rolesInProfile()
	case len(r.Attached) > 0:
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(r.Inline) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	if err := use(call.Tx, call.Account, r.Boundary, &r.Entity, Usage{Boundaries: -1}); err != nil {
		return nil, err
	}
	return nil, removeRole(call, r)
}

// removeRole deletes a role on which nothing hangs.
func removeRole(call *gateway.Call, r *Role) error {
	if err := forgetUse(call.Tx, call.Account, r.ID); err != nil {
		return err
	}
	if err := forgetAccesses(call.Tx, call.Account, r.ID); err != nil {
		return err
	}
	if err := roles.Delete(call.Tx, call.Account, r.ID); err != nil {
		return err
	}
	return uncount(call.Tx, call.Account, countRoles, r.ID)
}

func rolesBelow(call *gateway.Call, in *iam.ListRolesInput) (gateway.Anything, error) {
	return gateway.Anything(entityARN(call, "role", pathPrefix(in.PathPrefix), "")), nil
}

func (s *Service) listRoles(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	prefix := pathPrefix(in.PathPrefix)
	p, err := s.page(call, in.Marker, in.MaxItems, prefix)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, roles.ListBy(call.Tx, rolesByName, call.Account, p.After), func(r *Role) bool {
		return strings.HasPrefix(r.Path, prefix)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolesOutput{Roles: make([]iam.Role, 0, len(found))}
	for _, r := range found {
		summary, err := r.summary(call.Tx)
		if err != nil {
			return nil, err
		}
		out.Roles = append(out.Roles, summary)
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func (r *Role) bare() iam.Role {
	return iam.Role{Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.Arn, CreateDate: r.Created}
}

// summary is the role as listings show it: without boundary, tags and last use.
func (r *Role) summary(tx store.Tx) (iam.Role, error) {
	out := r.bare()
	trust, err := shownTrust(tx, r.Trust)
	out.AssumeRolePolicyDocument = new(encoded(trust))
	out.MaxSessionDuration = new(r.MaxSession)
	if r.Description != "" {
		out.Description = new(r.Description)
	}
	return out, err
}

// detail is the role as GetRole shows it.
func (r *Role) detail(tx store.Tx) (iam.Role, error) {
	out, err := r.summary(tx)
	if err != nil {
		return out, err
	}
	out.PermissionsBoundary, out.Tags = r.boundaryDetail(), apiTags(r.Tags)
	out.RoleLastUsed, err = roleLastUsed(tx, r)
	return out, err
}
