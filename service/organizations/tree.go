package organizations

import (
	"context"
	"strings"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// shownRoot is the organisation's root as answers show it.
func (o *Organization) shownRoot(root *Level) api.Root {
	r := api.Root{Id: new(o.Root), Arn: new(o.rootARN()), Name: new("Root"), PolicyTypes: []api.PolicyTypeSummary{}}
	for _, t := range root.Types {
		if t.Enabled {
			r.PolicyTypes = append(r.PolicyTypes, api.PolicyTypeSummary{
				Type: new(api.PolicyType(t.Name)), Status: new(api.PolicyTypeStatusEnabled),
			})
		}
	}
	return r
}

func (s *Service) listRoots(_ context.Context, call *gateway.Call, on *subject, in *api.ListRootsInput) (*api.ListRootsOutput, error) {
	if _, err := s.page(call, in.NextToken, in.MaxResults, on.org.ID); err != nil {
		return nil, err
	}
	root, err := levels.Get(call.Tx, on.org.Management, on.org.Root)
	if err != nil {
		return nil, err
	}
	return &api.ListRootsOutput{Roots: []api.Root{on.org.shownRoot(root)}}, nil
}

func (s *Service) listChildren(_ context.Context, call *gateway.Call, on *subject, in *api.ListChildrenInput) (*api.ListChildrenOutput, error) {
	p, err := s.page(call, in.NextToken, in.MaxResults, on.parent+" "+string(in.ChildType))
	if err != nil {
		return nil, err
	}
	out := &api.ListChildrenOutput{Children: []api.Child{}}
	if in.ChildType == api.ChildTypeAccount {
		found, err := store.Collect(p, members.ListBy(call.Tx, membersByParent, on.org.Management, p.After, on.parent), nil)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			out.Children = append(out.Children, api.Child{Id: new(m.Account), Type: &in.ChildType})
		}
	} else {
		found, err := store.Collect(p, units.ListBy(call.Tx, unitsByParent, on.org.Management, p.After, on.parent), nil)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			out.Children = append(out.Children, api.Child{Id: new(u.ID), Type: &in.ChildType})
		}
	}
	out.NextToken = p.Next
	return out, nil
}

// childNamed finds the account or unit whose parent is asked for.
func (s *Service) childNamed(call *gateway.Call, in *api.ListParentsInput) (*subject, error) {
	t, err := s.subject(call, reading)
	if err != nil {
		return t, err
	}
	missing := &api.ChildNotFoundException{Message: "You specified a child that doesn't exist."}
	if strings.HasPrefix(in.ChildId, "ou-") {
		t.name = t.org.unitARN(in.ChildId)
		u, err := units.Get(call.Tx, t.org.Management, in.ChildId)
		if err == nil {
			t.parent, t.tags = u.Parent, u.Tags
		}
		return t, absent(err, missing)
	}
	t.name = t.org.memberARN(in.ChildId)
	m, err := members.Get(call.Tx, t.org.Management, in.ChildId)
	if err == nil {
		t.parent, t.tags = m.Parent, m.Tags
	}
	return t, absent(err, missing)
}

func (s *Service) listParents(_ context.Context, call *gateway.Call, on *subject, in *api.ListParentsInput) (*api.ListParentsOutput, error) {
	if _, err := s.page(call, in.NextToken, in.MaxResults, in.ChildId); err != nil {
		return nil, err
	}
	kind := api.ParentTypeOrganizationalUnit
	if on.parent == on.org.Root {
		kind = api.ParentTypeRoot
	}
	return &api.ListParentsOutput{Parents: []api.Parent{{Id: &on.parent, Type: &kind}}}, nil
}
