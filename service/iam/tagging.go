package iam

import (
	"context"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// tagging has a target set the conditions that a request's tags make.
func tagging[In any, R gateway.Subject](k keying, tags func(*In) []iam.Tag, target gateway.Target[In, R]) gateway.Target[In, R] {
	return func(call *gateway.Call, in *In) (R, error) {
		set, err := k.tagsOf(tags(in))
		if err != nil {
			var none R
			return none, err
		}
		tagConditions(call, set)
		return target(call, in)
	}
}

// untagging has a target set the condition that the removed keys make.
func untagging[In any, R gateway.Subject](keys func(*In) []string, target gateway.Target[In, R]) gateway.Target[In, R] {
	return func(call *gateway.Call, in *In) (R, error) {
		if k := keys(in); len(k) > 0 {
			call.ConditionList("aws:TagKeys", k...)
		}
		return target(call, in)
	}
}

// retag lays tags over a user's or role's, then drops keys.
func (e *Entity) retag(set []iam.Tag, drop []string) (err error) {
	e.Tags, err = anyCase.retagged(e.Tags, set, drop)
	return err
}

func (k keying) retagged(have []Tag, set []iam.Tag, drop []string) ([]Tag, error) {
	tags, err := k.tagsOf(set)
	if err != nil {
		return nil, err
	}
	if have, err = k.set(have, tags); err != nil {
		return nil, err
	}
	return k.remove(have, drop), nil
}

func (s *Service) tagUser(_ context.Context, call *gateway.Call, u *User, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error { return u.retag(in.Tags, nil) }, u.ID)
}

func (s *Service) untagUser(_ context.Context, call *gateway.Call, u *User, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	return nil, users.Update(call.Tx, call.Account, func(u *User) error { return u.retag(nil, in.TagKeys) }, u.ID)
}

func (s *Service) listUserTags(_ context.Context, call *gateway.Call, u *User, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	p, tags, err := s.tagPage(call, u.ID, u.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}

func (s *Service) tagRole(_ context.Context, call *gateway.Call, r *Role, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error { return r.retag(in.Tags, nil) }, r.ID)
}

func (s *Service) untagRole(_ context.Context, call *gateway.Call, r *Role, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return nil, roles.Update(call.Tx, call.Account, func(r *Role) error { return r.retag(nil, in.TagKeys) }, r.ID)
}

func (s *Service) listRoleTags(_ context.Context, call *gateway.Call, r *Role, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	p, tags, err := s.tagPage(call, r.ID, r.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}

func (s *Service) tagPolicy(_ context.Context, call *gateway.Call, on *policyOn, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	return nil, on.retag(call, in.Tags, nil)
}

func (s *Service) untagPolicy(_ context.Context, call *gateway.Call, on *policyOn, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	return nil, on.retag(call, nil, in.TagKeys)
}

func (p *policyOn) retag(call *gateway.Call, set []iam.Tag, drop []string) error {
	if err := p.changeable(call); err != nil {
		return err
	}
	return policies.Update(call.Tx, call.Account, func(p *Policy) (err error) {
		p.Tags, err = asWritten.retagged(p.Tags, set, drop)
		return err
	}, fold(p.Name))
}

func (s *Service) listPolicyTags(_ context.Context, call *gateway.Call, on *policyOn, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, tags, err := s.tagPage(call, on.Arn, on.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}
