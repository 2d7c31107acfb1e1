package iam

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// findGroup is the group of that name, like findUser.
func findGroup(call *gateway.Call, name string) (*Group, error) {
	found, err := groups.Find(call.Tx, groupsByName, call.Account, fold(name))
	if err == nil {
		return found.Value, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &Group{Entity{Name: name, Path: "/", Arn: entityARN(call, "group", "/", name)}},
		noSuchEntity("The group with name %s cannot be found.", name)
}

// groupNamed finds the group that the input names.
func groupNamed[In any](name func(*In) string) gateway.Target[In, *Group] {
	return func(call *gateway.Call, in *In) (*Group, error) { return findGroup(call, name(in)) }
}

func groupToCreate(call *gateway.Call, in *iam.CreateGroupInput) (*creation, error) {
	return creating(call, "group", "", in.GroupName, in.Path, nil, nil)
}

func (s *Service) createGroup(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	g := &Group{on.entity(call, "AGPA")}
	err := groups.Insert(call.Tx, call.Account, g, g.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("Group with name %s already exists.", in.GroupName)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countGroups, g.ID, "GroupsPerAccount", s.quotas(call.Account).Groups); err != nil {
		return nil, err
	}
	return &iam.CreateGroupOutput{Group: new(g.detail())}, nil
}

// getGroup answers the group with a page of its members, by name.
func (s *Service) getGroup(_ context.Context, call *gateway.Call, g *Group, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	p, err := s.page(call, in.Marker, in.MaxItems, g.ID)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, users.ListBy(call.Tx, usersByGroup, call.Account, p.After, g.ID), nil)
	if err != nil {
		return nil, err
	}
	out := &iam.GetGroupOutput{Group: new(g.detail()), Users: make([]iam.User, 0, len(found))}
	for _, u := range found {
		out.Users = append(out.Users, u.summary())
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func groupToRename(call *gateway.Call, in *iam.UpdateGroupInput) (*renamed[*Group], error) {
	g, err := findGroup(call, in.GroupName)
	if g == nil {
		return nil, err
	}
	return &renamed[*Group]{of: g, action: "iam:UpdateGroup", to: g.renamedARN(call, "group", in.NewPath, in.NewGroupName)}, err
}

func (s *Service) updateGroup(_ context.Context, call *gateway.Call, g *renamed[*Group], in *iam.UpdateGroupInput) (*iam.UpdateGroupOutput, error) {
	err := groups.Update(call.Tx, call.Account, func(g *Group) error {
		g.rename(call, "group", in.NewPath, in.NewGroupName)
		return nil
	}, g.of.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("Group with name %s already exists.", *in.NewGroupName)
	}
	return nil, err
}

func (s *Service) deleteGroup(_ context.Context, call *gateway.Call, g *Group, _ *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	for _, err := range users.ListBy(call.Tx, usersByGroup, call.Account, nil, g.ID) {
		if err != nil {
			return nil, err
		}
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	}
	switch {
	case len(g.Attached) > 0:
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(g.Inline) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	if err := groups.Delete(call.Tx, call.Account, g.ID); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countGroups, g.ID)
}

func groupsBelow(call *gateway.Call, in *iam.ListGroupsInput) (gateway.Anything, error) {
	return gateway.Anything(entityARN(call, "group", pathPrefix(in.PathPrefix), "")), nil
}

func (s *Service) listGroups(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	prefix := pathPrefix(in.PathPrefix)
	p, err := s.page(call, in.Marker, in.MaxItems, prefix)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, groups.ListBy(call.Tx, groupsByName, call.Account, p.After), func(g *Group) bool {
		return strings.HasPrefix(g.Path, prefix)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListGroupsOutput{Groups: make([]iam.Group, 0, len(found))}
	for _, g := range found {
		out.Groups = append(out.Groups, g.detail())
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

// addUserToGroup adds a user once; adding it again is no error.
func (s *Service) addUserToGroup(_ context.Context, call *gateway.Call, g *Group, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	u, err := findUser(call, in.UserName)
	if err != nil || slices.Contains(u.Groups, g.ID) {
		return nil, err
	}
	if limit := s.quotas(call.Account).GroupsPerUser; len(u.Groups) >= limit {
		return nil, limitExceeded("GroupsPerUser", limit)
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		u.Groups = append(u.Groups, g.ID)
		return nil
	}, u.ID)
}

func (s *Service) removeUserFromGroup(_ context.Context, call *gateway.Call, g *Group, in *iam.RemoveUserFromGroupInput) (*iam.RemoveUserFromGroupOutput, error) {
	u, err := findUser(call, in.UserName)
	if err != nil || !slices.Contains(u.Groups, g.ID) {
		return nil, err
	}
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		u.Groups = slices.DeleteFunc(u.Groups, func(id string) bool { return id == g.ID })
		return nil
	}, u.ID)
}

func (s *Service) listGroupsForUser(_ context.Context, call *gateway.Call, u *User, in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	p, err := s.page(call, in.Marker, in.MaxItems, u.ID)
	if err != nil {
		return nil, err
	}
	all := make([]iam.Group, 0, len(u.Groups))
	for _, id := range u.Groups {
		g, err := groups.Get(call.Tx, call.Account, id)
		if err != nil {
			return nil, err
		}
		all = append(all, g.detail())
	}
	slices.SortFunc(all, func(a, b iam.Group) int { return strings.Compare(a.GroupName, b.GroupName) })
	out := new(iam.ListGroupsForUserOutput)
	if out.Groups, err = slice(p, all, func(g iam.Group) string { return g.GroupName }); err != nil {
		return nil, err
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func (g *Group) detail() iam.Group {
	return iam.Group{Path: g.Path, GroupName: g.Name, GroupId: g.ID, Arn: g.Arn, CreateDate: g.Created}
}
