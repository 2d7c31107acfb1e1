package iam

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// findUser is the user of that name, in whatever case. A missing one comes with an error, as a
// record that carries the name, for the decision whether to tell.
func findUser(call *gateway.Call, name string) (*User, error) {
	found, err := users.Find(call.Tx, usersByName, call.Account, fold(name))
	if err == nil {
		return found.Value, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &User{Entity: Entity{Name: name, Path: "/", Arn: entityARN(call, "user", "/", name)}},
		noSuchEntity("The user with name %s cannot be found.", name)
}

// userNamed finds the user that the input names.
func userNamed[In any](name func(*In) string) gateway.Target[In, *User] {
	return func(call *gateway.Call, in *In) (*User, error) {
		u, err := findUser(call, name(in))
		if u != nil {
			boundaryCondition(call, &u.Entity)
		}
		return u, err
	}
}

// callerOr finds the user that the input names, or else the caller.
func callerOr[In any](name func(*In) *string) gateway.Target[In, *User] {
	return func(call *gateway.Call, in *In) (*User, error) {
		if n := name(in); n != nil {
			return findUser(call, *n)
		}
		switch call.Principal.Kind {
		case aws.User:
			return findUser(call, call.Principal.Name)
		case aws.Root:
			return roots.Get(call.Tx, call.Account)
		}
		return nil, validation("Must specify userName when calling with non-User credentials")
	}
}

// boundaryCondition sets iam:PermissionsBoundary where the operation has it.
func boundaryCondition(call *gateway.Call, e *Entity) {
	if e.Boundary != "" && slices.Contains(call.Operation.ConditionKeys, "iam:PermissionsBoundary") {
		call.Condition("iam:PermissionsBoundary", e.Boundary)
	}
}

func userToCreate(call *gateway.Call, in *iam.CreateUserInput) (*creation, error) {
	return creating(call, "user", "iam:TagUser", in.UserName, in.Path, in.Tags, in.PermissionsBoundary)
}

func (s *Service) createUser(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	u := &User{Entity: on.entity(call, "AIDA")}
	if err := checkBoundary(call, in.PermissionsBoundary, &u.Entity); err != nil {
		return nil, err
	}
	err := users.Insert(call.Tx, call.Account, u, u.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("User with name %s already exists.", in.UserName)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countUsers, u.ID, "UsersPerAccount", s.quotas(call.Account).Users); err != nil {
		return nil, err
	}
	return &iam.CreateUserOutput{User: new(u.detail())}, nil
}

func (s *Service) getUser(_ context.Context, _ *gateway.Call, u *User, _ *iam.GetUserInput) (*iam.GetUserOutput, error) {
	return &iam.GetUserOutput{User: new(u.detail())}, nil
}

func userToRename(call *gateway.Call, in *iam.UpdateUserInput) (*renamed[*User], error) {
	u, err := findUser(call, in.UserName)
	if u == nil {
		return nil, err
	}
	return &renamed[*User]{of: u, action: "iam:UpdateUser", to: u.renamedARN(call, "user", in.NewPath, in.NewUserName)}, err
}

func (s *Service) updateUser(_ context.Context, call *gateway.Call, u *renamed[*User], in *iam.UpdateUserInput) (*iam.UpdateUserOutput, error) {
	err := users.Update(call.Tx, call.Account, func(u *User) error {
		u.rename(call, "user", in.NewPath, in.NewUserName)
		return nil
	}, u.of.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("User with name %s already exists.", *in.NewUserName)
	}
	return nil, err
}

// deleteUser refuses as long as anything hangs on the user.
func (s *Service) deleteUser(_ context.Context, call *gateway.Call, u *User, _ *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	switch {
	case len(u.Groups) > 0:
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	case len(u.Attached) > 0:
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(u.Inline) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	case len(u.Keys) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete access keys first.")
	case u.PasswordHash != nil:
		return nil, deleteConflict("Cannot delete entity, must delete login profile first.")
	case len(u.MFA) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete MFA device first.")
	}
	if err := heldByUser(call, u); err != nil {
		return nil, err
	}
	if err := use(call.Tx, call.Account, u.Boundary, &u.Entity, Usage{Boundaries: -1}); err != nil {
		return nil, err
	}
	if err := forgetAccesses(call.Tx, call.Account, u.ID); err != nil {
		return nil, err
	}
	if err := users.Delete(call.Tx, call.Account, u.ID); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countUsers, u.ID)
}

// usersBelow shows a denied caller the path that was asked for.
func usersBelow(call *gateway.Call, in *iam.ListUsersInput) (gateway.Anything, error) {
	return gateway.Anything(entityARN(call, "user", pathPrefix(in.PathPrefix), "")), nil
}

func (s *Service) listUsers(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	prefix := pathPrefix(in.PathPrefix)
	p, err := s.page(call, in.Marker, in.MaxItems, prefix)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, users.ListBy(call.Tx, usersByName, call.Account, p.After), func(u *User) bool {
		return strings.HasPrefix(u.Path, prefix)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListUsersOutput{Users: make([]iam.User, 0, len(found))}
	for _, u := range found {
		out.Users = append(out.Users, u.summary())
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

// summary is the user as listings show it: without boundary and tags.
func (u *User) summary() iam.User {
	return iam.User{Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: u.Arn, CreateDate: u.Created}
}

// detail is the user as GetUser shows it.
func (u *User) detail() iam.User {
	out := u.summary()
	out.PermissionsBoundary, out.Tags = u.boundaryDetail(), apiTags(u.Tags)
	return out
}
