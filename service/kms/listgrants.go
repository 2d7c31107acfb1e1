package kms

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// entry is a grant as answers list it.
func (g *Grant) entry(call *gateway.Call) kms.GrantListEntry {
	e := kms.GrantListEntry{
		KeyId: new(keyARN(call, g.Account, g.KeyID)), GrantId: &g.ID, CreationDate: &g.Created, GranteePrincipal: &g.Grantee.ARN,
		IssuingAccount: new("arn:" + call.Partition + ":iam::" + g.Issuer + ":root"), Operations: g.Operations, Name: new(g.Name),
	}
	if g.Retiring != nil {
		e.RetiringPrincipal = &g.Retiring.ARN
	}
	if g.Equals != nil || g.Subset != nil {
		e.Constraints = &kms.GrantConstraints{EncryptionContextEquals: g.Equals, EncryptionContextSubset: g.Subset}
	}
	return e
}

func listed(call *gateway.Call, p *store.Pager, found []*Grant) *kms.ListGrantsResponse {
	out := &kms.ListGrantsResponse{Grants: make([]kms.GrantListEntry, len(found)), NextMarker: p.Next, Truncated: p.More()}
	for i, g := range found {
		out.Grants[i] = g.entry(call)
	}
	return out
}

func (s *Service) listGrants(_ context.Context, call *gateway.Call, n *named, in *kms.ListGrantsInput) (*kms.ListGrantsOutput, error) {
	filter := n.Arn
	if in.GranteePrincipal != nil {
		filter += " " + *in.GranteePrincipal
	}
	p, err := s.page(call, in.Marker, in.Limit, 50, 100, filter)
	if err != nil {
		return nil, err
	}
	if in.GrantId != nil {
		g, err := findGrant(call.Tx, n, *in.GrantId)
		if err != nil {
			return nil, err
		}
		if g == nil {
			return nil, &kms.InvalidGrantIdException{}
		}
		if in.GranteePrincipal != nil && g.Grantee.ARN != *in.GranteePrincipal {
			return listed(call, p, nil), nil
		}
		return listed(call, p, []*Grant{g}), nil
	}
	found, err := store.Collect(p, grants.List(call.Tx, n.account, p.After, n.Region, n.ID), func(g *Grant) bool {
		return in.GranteePrincipal == nil || g.Grantee.ARN == *in.GranteePrincipal
	})
	if err != nil {
		return nil, err
	}
	return listed(call, p, found), nil
}

func (s *Service) listRetirableGrants(_ context.Context, call *gateway.Call, _ gateway.Anything, in *kms.ListRetirableGrantsInput) (*kms.ListRetirableGrantsOutput, error) {
	arn, err := aws.ParseARN(in.RetiringPrincipal)
	if err != nil || arn.Account != call.Account {
		return nil, &kms.InvalidArnException{Message: "ARN does not refer to a valid principal: " + in.RetiringPrincipal}
	}
	// Whoever has the name now is told of what it may retire, not of what one before it could.
	id, err := s.Identities.PrincipalID(call.Tx, in.RetiringPrincipal)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	p, err := s.page(call, in.Marker, in.Limit, 50, 100, in.RetiringPrincipal)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, grants.ListBy(call.Tx, grantsByRetiring, "", p.After, call.Region, in.RetiringPrincipal), func(g *Grant) bool {
		return g.Retiring.ID == id
	})
	if err != nil {
		return nil, err
	}
	return listed(call, p, found), nil
}
