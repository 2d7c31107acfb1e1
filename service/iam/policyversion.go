package iam

import (
	"context"
	"errors"
	"slices"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) createPolicyVersion(_ context.Context, call *gateway.Call, on *policyOn, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	if err := on.changeable(call); err != nil {
		return nil, err
	}
	if err := checkManagedPolicy(in.PolicyDocument); err != nil {
		return nil, err
	}
	q := s.quotas(call.Account)
	if len(on.Versions) >= q.VersionsPerPolicy {
		return nil, &iam.LimitExceededException{Message: "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."}
	}
	if err := count(call.Tx, call.Account, countVersions, on.ID, "PolicyVersionsInUse", q.PolicyVersionsInUse); err != nil {
		return nil, err
	}
	made := Version{Created: second(call.Time)}
	isDefault := in.SetAsDefault != nil && *in.SetAsDefault
	err := policies.Update(call.Tx, call.Account, func(p *Policy) error {
		p.Last++
		made.Number = p.Last
		p.Versions = append(p.Versions, made)
		p.Updated = made.Created
		if isDefault {
			p.Default, p.Text = made.Number, &Document{Text: in.PolicyDocument}
		}
		return nil
	}, fold(on.Name))
	if err != nil {
		return nil, err
	}
	id := versionID(made.Number)
	if err := versions.Put(call.Tx, call.Account, &Document{Text: in.PolicyDocument}, on.ID, id); err != nil {
		return nil, err
	}
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &iam.PolicyVersion{
		VersionId: &id, IsDefaultVersion: &isDefault, CreateDate: &made.Created,
	}}, nil
}

// versionNamed finds the policy whose version the input names. Of a policy that
// is none AWS says what it says of a version.
func versionNamed[In any](arn, version func(*In) string) gateway.Target[In, *policyOn] {
	return func(call *gateway.Call, in *In) (*policyOn, error) {
		p, err := findPolicy(call, arn(in))
		if _, none := errors.AsType[*iam.NoSuchEntityException](err); none {
			err = noSuchVersion(p.Arn, version(in))
		}
		return p, err
	}
}

func noSuchVersion(arn, version string) error {
	return noSuchEntity("Policy %s version %s does not exist or is not attachable.", arn, version)
}

// version finds a version by its id.
func (p *policyOn) version(id string) (*Version, error) {
	for i := range p.Versions {
		if versionID(p.Versions[i].Number) == id {
			return &p.Versions[i], nil
		}
	}
	return nil, noSuchVersion(p.Arn, id)
}

func (p *policyOn) versionDetail(v *Version) iam.PolicyVersion {
	return iam.PolicyVersion{
		VersionId: new(versionID(v.Number)), IsDefaultVersion: new(v.Number == p.Default), CreateDate: new(v.Created),
	}
}

func (s *Service) getPolicyVersion(_ context.Context, call *gateway.Call, p *policyOn, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	v, err := p.version(in.VersionId)
	if err != nil {
		return nil, err
	}
	out := p.versionDetail(v)
	if p.aws != nil {
		out.Document = new(encoded(p.aws.Document()))
	} else {
		text, err := versions.Get(call.Tx, call.Account, p.ID, in.VersionId)
		if err != nil {
			return nil, err
		}
		out.Document = new(encoded(text.Text))
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

// listPolicyVersions lists the newest first, as AWS does. There are few: one page holds them all.
func (s *Service) listPolicyVersions(_ context.Context, call *gateway.Call, p *policyOn, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	pg, err := s.page(call, in.Marker, in.MaxItems, p.Arn)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(p.Versions)
	slices.Reverse(all)
	if pg.After != nil {
		if i := slices.IndexFunc(all, func(v Version) bool { return versionID(v.Number) == string(pg.After) }); i >= 0 {
			all = all[i+1:]
		}
	}
	if len(all) > pg.Limit {
		all = all[:pg.Limit]
		if err := pg.End([]byte(versionID(all[len(all)-1].Number))); err != nil {
			return nil, err
		}
	}
	out := &iam.ListPolicyVersionsOutput{Versions: make([]iam.PolicyVersion, 0, len(all)), IsTruncated: pg.More(), Marker: pg.Next}
	for i := range all {
		out.Versions = append(out.Versions, p.versionDetail(&all[i]))
	}
	return out, nil
}

func (s *Service) deletePolicyVersion(_ context.Context, call *gateway.Call, on *policyOn, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	if err := on.changeable(call); err != nil {
		return nil, err
	}
	v, err := on.version(in.VersionId)
	if err != nil {
		return nil, err
	}
	if v.Number == on.Default {
		return nil, deleteConflict("Cannot delete the default version of a policy.")
	}
	if err := versions.Delete(call.Tx, call.Account, on.ID, in.VersionId); err != nil {
		return nil, err
	}
	if err := uncount(call.Tx, call.Account, countVersions, on.ID); err != nil {
		return nil, err
	}
	return nil, policies.Update(call.Tx, call.Account, func(p *Policy) error {
		p.Versions = slices.DeleteFunc(p.Versions, func(have Version) bool { return have.Number == v.Number })
		return nil
	}, fold(on.Name))
}

func (s *Service) setDefaultPolicyVersion(_ context.Context, call *gateway.Call, on *policyOn, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	if err := on.changeable(call); err != nil {
		return nil, err
	}
	v, err := on.version(in.VersionId)
	if err != nil {
		return nil, err
	}
	text, err := versions.Get(call.Tx, call.Account, on.ID, in.VersionId)
	if err != nil {
		return nil, err
	}
	return nil, policies.Update(call.Tx, call.Account, func(p *Policy) error {
		p.Default, p.Text, p.Updated = v.Number, &Document{Text: text.Text}, second(call.Time)
		return nil
	}, fold(on.Name))
}
