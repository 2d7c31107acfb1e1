package iam

import (
	"context"
	"iter"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// userOfPolicy is one way in which entities use a policy.
type userOfPolicy struct {
	kind  iam.EntityType
	usage iam.PolicyUsageType
	list  func(after []byte) iter.Seq2[*Entity, error]
}

// usersOfPolicy are all ways, in the order in which they are listed.
func usersOfPolicy(call *gateway.Call, arn string) []userOfPolicy {
	const permissions, boundary = iam.PolicyUsageTypePermissionsPolicy, iam.PolicyUsageTypePermissionsBoundary
	user := func(u *User) *Entity { return &u.Entity }
	role := func(r *Role) *Entity { return &r.Entity }
	return []userOfPolicy{
		{iam.EntityTypeGroup, permissions, entities(call, groups, groupsByPolicy, arn, func(g *Group) *Entity { return &g.Entity })},
		{iam.EntityTypeUser, permissions, entities(call, users, usersByPolicy, arn, user)},
		{iam.EntityTypeUser, boundary, entities(call, users, usersByBoundary, arn, user)},
		{iam.EntityTypeRole, permissions, entities(call, roles, rolesByPolicy, arn, role)},
		{iam.EntityTypeRole, boundary, entities(call, roles, rolesByBoundary, arn, role)},
	}
}

func entities[V any](call *gateway.Call, t *store.Table[V], index *store.Index[V], arn string, entity func(*V) *Entity) func([]byte) iter.Seq2[*Entity, error] {
	return func(after []byte) iter.Seq2[*Entity, error] {
		return func(yield func(*Entity, error) bool) {
			for entry, err := range t.ListBy(call.Tx, index, call.Account, after, arn) {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(entity(entry.Value), nil) {
					return
				}
			}
		}
	}
}

// listEntitiesForPolicy lists groups, then users, then roles, each by name. A
// marker is a way's number, as a letter, and the key of a name.
func (s *Service) listEntitiesForPolicy(_ context.Context, call *gateway.Call, on *policyOn, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	var kind iam.EntityType
	if in.EntityFilter != nil {
		kind = *in.EntityFilter
	}
	var usage iam.PolicyUsageType
	if in.PolicyUsageFilter != nil {
		usage = *in.PolicyUsageFilter
	}
	path := pathPrefix(in.PathPrefix)
	p, err := s.page(call, in.Marker, in.MaxItems, strings.Join([]string{on.Arn, string(kind), string(usage), path}, " "))
	if err != nil {
		return nil, err
	}
	first, name := 0, ""
	if p.After != nil {
		first, name = int(p.After[0]-'a'), string(p.After[1:])
	}
	out := &iam.ListEntitiesForPolicyOutput{PolicyGroups: []iam.PolicyGroup{}, PolicyUsers: []iam.PolicyUser{}, PolicyRoles: []iam.PolicyRole{}}
	found, looked, last := 0, 0, ""
	for i, way := range usersOfPolicy(call, on.Arn) {
		if i < first || kind != "" && kind != way.kind || usage != "" && usage != way.usage {
			continue
		}
		var after []byte
		if i == first && name != "" {
			after = placeEnd(on.Arn, name)
		}
		for e, err := range way.list(after) {
			if err != nil {
				return nil, err
			}
			if found == p.Limit || looked == lookAt {
				if err := p.End([]byte(last)); err != nil {
					return nil, err
				}
				out.IsTruncated, out.Marker = p.More(), p.Next
				return out, nil
			}
			looked++
			last = string(rune('a'+i)) + fold(e.Name)
			if strings.HasPrefix(e.Path, path) {
				found++
				addEntity(out, way.kind, e)
			}
		}
	}
	out.IsTruncated = p.More()
	return out, nil
}

func addEntity(out *iam.ListEntitiesForPolicyOutput, kind iam.EntityType, e *Entity) {
	switch kind {
	case iam.EntityTypeGroup:
		out.PolicyGroups = append(out.PolicyGroups, iam.PolicyGroup{GroupName: new(e.Name), GroupId: new(e.ID)})
	case iam.EntityTypeUser:
		out.PolicyUsers = append(out.PolicyUsers, iam.PolicyUser{UserName: new(e.Name), UserId: new(e.ID)})
	case iam.EntityTypeRole:
		out.PolicyRoles = append(out.PolicyRoles, iam.PolicyRole{RoleName: new(e.Name), RoleId: new(e.ID)})
	}
}

// placeEnd is beyond all records whose places begin with parts.
func placeEnd(parts ...string) []byte {
	at := place(parts...)
	at[len(at)-1]++
	return at
}
