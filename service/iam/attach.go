package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

// withPolicy has a target set iam:PolicyARN.
func withPolicy[In any, R gateway.Subject](arn func(*In) string, target gateway.Target[In, R]) gateway.Target[In, R] {
	return func(call *gateway.Call, in *In) (R, error) {
		call.Condition("iam:PolicyARN", arn(in))
		return target(call, in)
	}
}

// attach attaches a managed policy to e, a record of the caller's own. One that
// is attached already stays so.
func (k kind) attach(call *gateway.Call, e *Entity, arn string, q Quotas) error {
	ok, err := attachable(call, arn)
	if err != nil {
		return err
	}
	if !ok {
		return noSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	if path := policyPath(arn); managed.Is(arn) && (path == "/aws-service-role/" || path == "/root-task/") {
		return &iam.PolicyNotAttachableException{Message: "Cannot attach a Service Role Policy to a Customer Role."}
	}
	i, found := e.attached(arn)
	if found {
		return nil
	}
	if limit := k.attached(q); len(e.Attached) >= limit {
		return limitExceeded(k.quota, limit)
	}
	e.Attached = slices.Insert(e.Attached, i, arn)
	return use(call.Tx, call.Account, arn, e, Usage{Attachments: 1})
}

func (k kind) detach(call *gateway.Call, e *Entity, arn string) error {
	i, found := e.attached(arn)
	if !found {
		if _, err := attachable(call, arn); err != nil {
			return err
		}
		return noSuchEntity("Policy %s was not found.", arn)
	}
	e.Attached = slices.Delete(e.Attached, i, i+1)
	return use(call.Tx, call.Account, arn, e, Usage{Attachments: -1})
}

// attachedPage is a page of the policies attached to e. Those of other paths
// than prefix are left out.
func (s *Service) attachedPage(call *gateway.Call, e *Entity, prefix, marker *string, maxItems *int32) (*store.Pager, []iam.AttachedPolicy, error) {
	path := pathPrefix(prefix)
	p, err := s.page(call, marker, maxItems, e.ID+" "+path)
	if err != nil {
		return nil, nil, err
	}
	var arns []string
	for _, arn := range e.Attached {
		if strings.HasPrefix(policyPath(arn), path) {
			arns = append(arns, arn)
		}
	}
	// Two policies have one name where one is AWS's: then the ARNs tell them apart.
	arns, err = slice(p, arns, func(arn string) string { return lastSegment(arn) + " " + arn })
	if err != nil {
		return nil, nil, err
	}
	out := make([]iam.AttachedPolicy, len(arns))
	for i, arn := range arns {
		out[i] = iam.AttachedPolicy{PolicyName: new(lastSegment(arn)), PolicyArn: &arn}
	}
	return p, out, nil
}

// policyPath is the path in a policy's ARN.
func policyPath(arn string) string {
	_, rest, _ := strings.Cut(arn, ":policy/")
	return "/" + rest[:strings.LastIndexByte(rest, '/')+1]
}

func (s *Service) attachUserPolicy(_ context.Context, call *gateway.Call, u *User, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		return userKind.attach(call, &u.Entity, in.PolicyArn, s.quotas(call.Account))
	}, u.ID)
}

func (s *Service) detachUserPolicy(_ context.Context, call *gateway.Call, u *User, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error {
		return userKind.detach(call, &u.Entity, in.PolicyArn)
	}, u.ID)
}

func (s *Service) listAttachedUserPolicies(_ context.Context, call *gateway.Call, u *User, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	p, attached, err := s.attachedPage(call, &u.Entity, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: attached, IsTruncated: p.More(), Marker: p.Next}, nil
}

func (s *Service) attachGroupPolicy(_ context.Context, call *gateway.Call, g *Group, in *iam.AttachGroupPolicyInput) (*iam.AttachGroupPolicyOutput, error) {
	return nil, groups.Update(call.Tx, call.Account, func(g *Group) error {
		return groupKind.attach(call, &g.Entity, in.PolicyArn, s.quotas(call.Account))
	}, g.ID)
}

func (s *Service) detachGroupPolicy(_ context.Context, call *gateway.Call, g *Group, in *iam.DetachGroupPolicyInput) (*iam.DetachGroupPolicyOutput, error) {
	return nil, groups.Update(call.Tx, call.Account, func(g *Group) error {
		return groupKind.detach(call, &g.Entity, in.PolicyArn)
	}, g.ID)
}

func (s *Service) listAttachedGroupPolicies(_ context.Context, call *gateway.Call, g *Group, in *iam.ListAttachedGroupPoliciesInput) (*iam.ListAttachedGroupPoliciesOutput, error) {
	p, attached, err := s.attachedPage(call, &g.Entity, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: attached, IsTruncated: p.More(), Marker: p.Next}, nil
}

func (s *Service) attachRolePolicy(_ context.Context, call *gateway.Call, r *Role, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		return roleKind.attach(call, &r.Entity, in.PolicyArn, s.quotas(call.Account))
	}, r.ID)
}

func (s *Service) detachRolePolicy(_ context.Context, call *gateway.Call, r *Role, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error {
		return roleKind.detach(call, &r.Entity, in.PolicyArn)
	}, r.ID)
}

func (s *Service) listAttachedRolePolicies(_ context.Context, call *gateway.Call, r *Role, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	p, attached, err := s.attachedPage(call, &r.Entity, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: attached, IsTruncated: p.More(), Marker: p.Next}, nil
}
