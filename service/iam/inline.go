package iam

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// kind is what differs between the inline and attached policies of users,
// groups and roles.
type kind struct {
	noun     string // as errors name it
	size     int    // of all inline policies together
	quota    string // as errors name the bound on attached policies
	attached func(Quotas) int
}

var (
	userKind  = kind{"user", userPolicySize, "PoliciesPerUser", func(q Quotas) int { return q.PoliciesPerUser }}
	groupKind = kind{"group", groupPolicySize, "PoliciesPerGroup", func(q Quotas) int { return q.PoliciesPerGroup }}
	roleKind  = kind{"role", rolePolicySize, "PoliciesPerRole", func(q Quotas) int { return q.PoliciesPerRole }}
)

// put sets an inline policy of e, a record of the caller's own.
func (k kind) put(e *Entity, name, text string) error {
	if _, err := policy.Parse([]byte(text), policy.Identity); err != nil {
		return malformed(err)
	}
	i, found := e.inline(name)
	size := policy.Size([]byte(text))
	for j, p := range e.Inline {
		if !found || j != i {
			size += policy.Size([]byte(p.Text))
		}
	}
	if size > k.size {
		return &iam.LimitExceededException{Message: "Maximum policy size of " + strconv.Itoa(k.size) + " bytes exceeded for " + k.noun + " " + e.Name}
	}
	if found { // under the name it has
		e.Inline[i] = &Inline{Name: e.Inline[i].Name, Document: Document{Text: text}}
	} else {
		e.Inline = slices.Insert(e.Inline, i, &Inline{Name: name, Document: Document{Text: text}})
	}
	return nil
}

// get is the text of an inline policy, as answers carry it.
func (k kind) get(e *Entity, name string) (string, error) {
	i, found := e.inline(name)
	if !found {
		return "", k.missing(name)
	}
	return encoded(e.Inline[i].Text), nil
}

func (k kind) delete(e *Entity, name string) error {
	i, found := e.inline(name)
	if !found {
		return k.missing(name)
	}
	e.Inline = slices.Delete(e.Inline, i, i+1)
	return nil
}

func (k kind) missing(name string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", k.noun, name)
}

// inlineNames is a page of the names of e's inline policies.
func (s *Service) inlineNames(call *gateway.Call, e *Entity, marker *string, maxItems *int32) (*store.Pager, []string, error) {
	p, err := s.page(call, marker, maxItems, e.ID)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, 0, len(e.Inline))
	for _, i := range e.Inline {
		names = append(names, i.Name)
	}
	names, err = slice(p, names, func(name string) string { return name })
	return p, names, err
}

// encoded is a policy's text as answers carry it: percent-encoded (RFC 3986).
func encoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func (s *Service) putUserPolicy(_ context.Context, call *gateway.Call, u *User, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		return userKind.put(&u.Entity, in.PolicyName, in.PolicyDocument)
	}, u.ID)
}

func (s *Service) getUserPolicy(_ context.Context, _ *gateway.Call, u *User, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	text, err := userKind.get(&u.Entity, in.PolicyName)
	return &iam.GetUserPolicyOutput{UserName: u.Name, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) deleteUserPolicy(_ context.Context, call *gateway.Call, u *User, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		return userKind.delete(&u.Entity, in.PolicyName)
	}, u.ID)
}

func (s *Service) listUserPolicies(_ context.Context, call *gateway.Call, u *User, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	p, names, err := s.inlineNames(call, &u.Entity, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: names, IsTruncated: p.More(), Marker: p.Next}, nil
}

func (s *Service) putGroupPolicy(_ context.Context, call *gateway.Call, g *Group, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	return nil, groups.Update(call.Tx, call.Account, func(g *Group) error {
		return groupKind.put(&g.Entity, in.PolicyName, in.PolicyDocument)
	}, g.ID)
}

func (s *Service) getGroupPolicy(_ context.Context, _ *gateway.Call, g *Group, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	text, err := groupKind.get(&g.Entity, in.PolicyName)
	return &iam.GetGroupPolicyOutput{GroupName: g.Name, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) deleteGroupPolicy(_ context.Context, call *gateway.Call, g *Group, in *iam.DeleteGroupPolicyInput) (*iam.DeleteGroupPolicyOutput, error) {
	return nil, groups.Update(call.Tx, call.Account, func(g *Group) error {
		return groupKind.delete(&g.Entity, in.PolicyName)
	}, g.ID)
}

func (s *Service) listGroupPolicies(_ context.Context, call *gateway.Call, g *Group, in *iam.ListGroupPoliciesInput) (*iam.ListGroupPoliciesOutput, error) {
	p, names, err := s.inlineNames(call, &g.Entity, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupPoliciesOutput{PolicyNames: names, IsTruncated: p.More(), Marker: p.Next}, nil
}

func (s *Service) putRolePolicy(_ context.Context, call *gateway.Call, r *Role, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		return roleKind.put(&r.Entity, in.PolicyName, in.PolicyDocument)
	}, r.ID)
}

func (s *Service) getRolePolicy(_ context.Context, _ *gateway.Call, r *Role, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	text, err := roleKind.get(&r.Entity, in.PolicyName)
	return &iam.GetRolePolicyOutput{RoleName: r.Name, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (s *Service) deleteRolePolicy(_ context.Context, call *gateway.Call, r *Role, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		return roleKind.delete(&r.Entity, in.PolicyName)
	}, r.ID)
}

func (s *Service) listRolePolicies(_ context.Context, call *gateway.Call, r *Role, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	p, names, err := s.inlineNames(call, &r.Entity, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: names, IsTruncated: p.More(), Marker: p.Next}, nil
}
