package iam

import (
	"context"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// setBoundary changes the boundary of e, a record of the caller's own; "" removes it.
func setBoundary(call *gateway.Call, e *Entity, arn string) error {
	if arn != "" {
		if err := boundaryExists(call, arn); err != nil {
			return err
		}
	}
	if err := use(call.Tx, call.Account, e.Boundary, e, Usage{Boundaries: -1}); err != nil {
		return err
	}
	e.Boundary = arn
	return use(call.Tx, call.Account, arn, e, Usage{Boundaries: 1})
}

// userToBound finds the user; iam:PermissionsBoundary is the boundary to be.
func userToBound(call *gateway.Call, in *iam.PutUserPermissionsBoundaryInput) (*User, error) {
	call.Condition("iam:PermissionsBoundary", in.PermissionsBoundary)
	return findUser(call, in.UserName)
}

func (s *Service) putUserPermissionsBoundary(_ context.Context, call *gateway.Call, u *User, in *iam.PutUserPermissionsBoundaryInput) (*iam.PutUserPermissionsBoundaryOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		return setBoundary(call, &u.Entity, in.PermissionsBoundary)
	}, u.ID)
}

func (s *Service) deleteUserPermissionsBoundary(_ context.Context, call *gateway.Call, u *User, _ *iam.DeleteUserPermissionsBoundaryInput) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	if u.Boundary == "" {
		return nil, noBoundary("user", u.Name)
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		return setBoundary(call, &u.Entity, "")
	}, u.ID)
}

// roleToBound finds the role; iam:PermissionsBoundary is the boundary to be.
func roleToBound(call *gateway.Call, in *iam.PutRolePermissionsBoundaryInput) (*Role, error) {
	call.Condition("iam:PermissionsBoundary", in.PermissionsBoundary)
	return findRole(call, in.RoleName)
}

func (s *Service) putRolePermissionsBoundary(_ context.Context, call *gateway.Call, r *Role, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		return setBoundary(call, &r.Entity, in.PermissionsBoundary)
	}, r.ID)
}

func (s *Service) deleteRolePermissionsBoundary(_ context.Context, call *gateway.Call, r *Role, _ *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	if r.Boundary == "" {
		return nil, noBoundary("role", r.Name)
	}
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		return setBoundary(call, &r.Entity, "")
	}, r.ID)
}

func noBoundary(noun, name string) error {
	return noSuchEntity("The permissions boundary of %s %s cannot be found.", noun, name)
}
