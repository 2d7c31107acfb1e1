package iam

import (
	"context"
	"errors"
	"strconv"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

// policyOn is a managed policy as callers are authorised on it: the account's
// own, or one of AWS's, which anyone may read and nobody change.
type policyOn struct {
	*Policy
	account string
	aws     *managed.Policy // nil: the account's own
}

// ResourceAccount implements gateway.Owned: AWS's policies count as the caller's own.
func (p *policyOn) ResourceAccount() string { return p.account }

// policyNamed finds the policy whose ARN the input holds.
func policyNamed[In any](arn func(*In) string) gateway.Target[In, *policyOn] {
	return func(call *gateway.Call, in *In) (*policyOn, error) { return findPolicy(call, arn(in)) }
}

func findPolicy(call *gateway.Call, arn string) (*policyOn, error) {
	if _, err := attachable(call, arn); isKind(err, aws.Validation) {
		return nil, validation("ARN %s is not valid.", arn)
	}
	if managed.Is(arn) {
		if p := managed.Get(call.Partition, arn); p != nil {
			return &policyOn{Policy: ofAWS(p, call.Partition), account: call.Account, aws: p}, nil
		}
		return &policyOn{Policy: &Policy{Arn: arn}, account: call.Account}, noSuchEntity("Policy %s was not found.", arn)
	}
	p, err := customerPolicy(call.Tx, call.Account, arn)
	if errors.Is(err, store.ErrNotFound) {
		a, _ := aws.ParseARN(arn)
		return &policyOn{Policy: &Policy{Arn: arn}, account: a.Account}, noSuchEntity("Policy %s was not found.", arn)
	}
	if err != nil {
		return nil, err
	}
	return &policyOn{Policy: p, account: call.Account}, nil
}

// ofAWS is an AWS managed policy in the shape of an account's own.
func ofAWS(p *managed.Policy, partition string) *Policy {
	n, _ := strconv.Atoi(p.Version[1:])
	return &Policy{
		Name: p.Name, Path: p.Path, ID: p.ID(), Arn: p.ARN(partition), Created: p.Created, Updated: p.Updated,
		Versions: []Version{{Number: n, Created: p.Updated}}, Last: n, Default: n,
	}
}

// changeable refuses to change what is AWS's.
func (p *policyOn) changeable(call *gateway.Call) error {
	if p.aws == nil {
		return nil
	}
	return &aws.Error{Kind: aws.AccessDenied, Message: "User: " + call.Principal.ARN + " is not authorized to perform: " +
		call.Operation.Actions[0] + " on resource: " + p.ShownARN()}
}

func policyToCreate(call *gateway.Call, in *iam.CreatePolicyInput) (*creation, error) {
	c, err := creating(call, "policy", "iam:TagPolicy", in.PolicyName, in.Path, in.Tags, nil)
	if c != nil {
		c.shown = "policy " + in.PolicyName
	}
	return c, err
}

func (s *Service) createPolicy(_ context.Context, call *gateway.Call, on *creation, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	if err := checkManagedPolicy(in.PolicyDocument); err != nil {
		return nil, err
	}
	created := second(call.Time)
	p := &Policy{
		Name: on.name, Path: on.path, ID: aws.NewUniqueID("ANPA", call.Account), Arn: on.arn, Created: created, Updated: created,
		Tags: on.tags, Versions: []Version{{1, created}}, Last: 1, Default: 1, Text: &Document{Text: in.PolicyDocument},
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	err := policies.Insert(call.Tx, call.Account, p, fold(p.Name))
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	q := s.quotas(call.Account)
	if err := count(call.Tx, call.Account, countPolicies, p.ID, "PoliciesPerAccount", q.Policies); err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countVersions, p.ID, "PolicyVersionsInUse", q.PolicyVersionsInUse); err != nil {
		return nil, err
	}
	if err := versions.Put(call.Tx, call.Account, &Document{Text: in.PolicyDocument}, p.ID, versionID(1)); err != nil {
		return nil, err
	}
	out := p.summary(Usage{}) // AWS answers no description even if one was given
	out.Tags = apiTags(p.Tags)
	return &iam.CreatePolicyOutput{Policy: &out}, nil
}

func checkManagedPolicy(text string) error {
	if _, err := policy.ParseCurrent([]byte(text), policy.Identity); err != nil {
		return malformed(err)
	}
	if policy.Size([]byte(text)) > managedPolicySize {
		return limitExceeded("PolicySize", managedPolicySize)
	}
	return nil
}

func (s *Service) getPolicy(_ context.Context, call *gateway.Call, p *policyOn, _ *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	used, err := usageOf(call.Tx, call.Account, p.Arn)
	if err != nil {
		return nil, err
	}
	out := p.summary(used)
	out.Tags = listedTags(p.Tags)
	if p.Description != "" {
		out.Description = new(p.Description)
	}
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

// summary is the policy as listings show it: without description and tags.
func (p *Policy) summary(used Usage) iam.Policy {
	return iam.Policy{
		PolicyName: new(p.Name), PolicyId: new(p.ID), Arn: new(p.Arn), Path: new(p.Path),
		DefaultVersionId: new(versionID(p.Default)), AttachmentCount: new(int32(used.Attachments)),
		PermissionsBoundaryUsageCount: new(int32(used.Boundaries)), IsAttachable: new(true),
		CreateDate: new(p.Created), UpdateDate: new(p.Updated),
	}
}

func (s *Service) deletePolicy(_ context.Context, call *gateway.Call, p *policyOn, _ *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	if err := p.changeable(call); err != nil {
		return nil, err
	}
	used, err := usageOf(call.Tx, call.Account, p.Arn)
	switch {
	case err != nil:
		return nil, err
	case used != Usage{}:
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	case len(p.Versions) > 1:
		return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	if err := versions.Delete(call.Tx, call.Account, p.ID, versionID(p.Default)); err != nil {
		return nil, err
	}
	if err := policies.Delete(call.Tx, call.Account, fold(p.Name)); err != nil {
		return nil, err
	}
	if err := uncount(call.Tx, call.Account, countVersions, p.ID); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countPolicies, p.ID)
}

func versionID(n int) string { return "v" + strconv.Itoa(n) }
