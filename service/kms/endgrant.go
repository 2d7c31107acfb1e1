package kms

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// ending is a grant that is to be retired.
type ending struct {
	*named
	grant *Grant // nil: there is none
}

// Describe implements gateway.Described.
func (e *ending) Describe(x *policy.Context) {
	if g := e.grant; g != nil {
		switch {
		case g.Equals != nil:
			e.context = g.Equals
			x.Set("kms:GrantConstraintType", "EncryptionContextEquals")
		case g.Subset != nil:
			e.context = g.Subset
			x.Set("kms:GrantConstraintType", "EncryptionContextSubset")
		}
	}
	e.named.Describe(x)
}

// Granted implements gateway.Granting: a grant says itself who may retire it,
// beside root of the account that made it.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
func (e *ending) Granted(call *gateway.Call, _ string) (bool, error) {
	g, who := e.grant, call.Principal
	if g == nil || e.missing {
		return false, nil
	}
	return g.Retiring != nil && g.Retiring.is(who) ||
		g.Grantee.is(who) && g.permits(kms.GrantOperationRetireGrant, nil) ||
		who.Kind == aws.Root && who.Account == g.Issuer, nil
}

// findGrant is a grant of a key; nil if there is none.
func findGrant(tx store.Tx, n *named, id string) (*Grant, error) {
	g, err := grants.Get(tx, n.account, n.Region, n.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return g, err
}

func (s *Service) grantToRetire(call *gateway.Call, in *kms.RetireGrantInput) (*ending, error) {
	var id, key string
	switch {
	case in.GrantToken != nil && in.KeyId == nil && in.GrantId == nil:
		account, region, keyID, grantID, err := s.grantPlace(*in.GrantToken)
		if err != nil {
			return nil, err
		}
		if region != call.Region {
			return nil, &kms.InvalidGrantTokenException{Message: "Invalid grant token."}
		}
		key, id = keyARN(call, account, keyID), grantID
	case in.GrantToken == nil && in.KeyId != nil && in.GrantId != nil:
		key, id = *in.KeyId, *in.GrantId
	default:
		return nil, validation("Grant token OR (grant ID, key ID) must be specified")
	}
	n, missing := s.named(call, key, false)
	if n == nil || missing != nil {
		return orEnding(n), missing
	}
	g, err := findGrant(call.Tx, n, id)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return &ending{named: n}, &kms.InvalidGrantIdException{}
	}
	return &ending{n, g}, nil
}

// orEnding is a key as what a grant of it is to end on; nil for none.
func orEnding(n *named) *ending {
	if n == nil {
		return nil
	}
	return &ending{named: n}
}

func (s *Service) retireGrant(_ context.Context, call *gateway.Call, e *ending, in *kms.RetireGrantInput) (*kms.RetireGrantOutput, error) {
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	call.Note("grantId", e.grant.ID)
	return nil, dropGrant(call.Tx, e.grant)
}

func (s *Service) revokeGrant(_ context.Context, call *gateway.Call, n *named, in *kms.RevokeGrantInput) (*kms.RevokeGrantOutput, error) {
	g, err := findGrant(call.Tx, n, in.GrantId)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, &kms.InvalidGrantIdException{}
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	return nil, dropGrant(call.Tx, g)
}
