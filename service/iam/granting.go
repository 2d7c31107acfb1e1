package iam

import (
	"context"
	"slices"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/reference"
)

// grantingPolicy is a policy, and how answers refer to it.
type grantingPolicy struct {
	compiled *policy.Policy
	shown    iam.PolicyGrantingServiceAccess
}

// listPoliciesGrantingServiceAccess tells for services which of the policies of
// a user (its groups' too), group or role let it try an action of theirs.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html
func (s *Service) listPoliciesGrantingServiceAccess(_ context.Context, call *gateway.Call, on *policySource, in *iam.ListPoliciesGrantingServiceAccessInput) (*iam.ListPoliciesGrantingServiceAccessOutput, error) {
	for _, namespace := range in.ServiceNamespaces {
		if reference.Find(namespace) == nil {
			return nil, unknownNamespace(namespace)
		}
	}
	namespaces := slices.Compact(slices.Sorted(slices.Values(in.ServiceNamespaces)))
	p, err := s.page(call, in.Marker, nil, on.ID)
	if err != nil {
		return nil, err
	}
	if namespaces, err = slice(p, namespaces, func(namespace string) string { return namespace }); err != nil {
		return nil, err
	}
	policies, err := on.granting(call)
	if err != nil {
		return nil, err
	}
	out := &iam.ListPoliciesGrantingServiceAccessOutput{PoliciesGrantingServiceAccess: []iam.ListPoliciesGrantingServiceAccessEntry{}}
	reach := policy.NewReach(s.grantingWork)
	for _, namespace := range namespaces {
		entry := iam.ListPoliciesGrantingServiceAccessEntry{ServiceNamespace: &namespace, Policies: []iam.PolicyGrantingServiceAccess{}}
		for _, g := range policies {
			if reaches(reach, g.compiled, namespace) {
				entry.Policies = append(entry.Policies, g.shown)
			}
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, entry)
	}
	if reach.TooDear() {
		return nil, invalidInput("The policies take too much work to evaluate.")
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

// reaches tells whether a policy lets its holder try an action of a service.
func reaches(reach *policy.Reach, p *policy.Policy, namespace string) bool {
	one := []*policy.Policy{p}
	return slices.ContainsFunc(reference.Find(namespace).Actions, func(a reference.Action) bool {
		return reach.Reaches(one, namespace+":"+a.Name)
	})
}

// granting are all identity policies of the source: of a user, the user's groups' too.
func (p *policySource) granting(call *gateway.Call) ([]grantingPolicy, error) {
	list, err := grantingOf(call, nil, p.noun, p.Entity)
	if err != nil || p.user == nil {
		return list, err
	}
	for _, id := range p.user.Groups {
		g, err := groups.Get(call.Tx, call.Account, id)
		if err != nil {
			return nil, err
		}
		if list, err = grantingOf(call, list, "group", &g.Entity); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var ownerTypes = map[string]iam.PolicyOwnerEntityType{
	"user": iam.PolicyOwnerEntityTypeUser, "group": iam.PolicyOwnerEntityTypeGroup, "role": iam.PolicyOwnerEntityTypeRole,
}

func grantingOf(call *gateway.Call, list []grantingPolicy, noun string, e *Entity) ([]grantingPolicy, error) {
	for _, i := range e.Inline {
		list = append(list, grantingPolicy{i.policy(policy.Identity, i.Name), iam.PolicyGrantingServiceAccess{
			PolicyName: i.Name, PolicyType: iam.PolicyTypeInline, EntityType: new(ownerTypes[noun]), EntityName: new(e.Name),
		}})
	}
	for _, arn := range e.Attached {
		if slices.ContainsFunc(list, func(g grantingPolicy) bool { return g.shown.PolicyArn != nil && *g.shown.PolicyArn == arn }) {
			continue // a user's own and a group's
		}
		compiled, err := compiledPolicy(call.Tx, call.Account, call.Partition, arn)
		if err != nil {
			return nil, err
		}
		list = append(list, grantingPolicy{compiled, iam.PolicyGrantingServiceAccess{
			PolicyName: lastSegment(arn), PolicyType: iam.PolicyTypeManaged, PolicyArn: &arn,
		}})
	}
	return list, nil
}
