package iam

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

func (s *Service) simulationOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.SimulateCustomPolicy, gateway.Account[iam.SimulateCustomPolicyInput], s.simulateCustomPolicy),
		gateway.Op(iam.SimulatePrincipalPolicy, sourceNamed(func(in *iam.SimulatePrincipalPolicyInput) string { return in.PolicySourceArn }), s.simulatePrincipalPolicy),
		gateway.Op(iam.GetContextKeysForCustomPolicy, gateway.Account[iam.GetContextKeysForCustomPolicyInput], s.getContextKeysForCustomPolicy),
		gateway.Op(iam.GetContextKeysForPrincipalPolicy, sourceNamed(func(in *iam.GetContextKeysForPrincipalPolicyInput) string { return in.PolicySourceArn }), s.getContextKeysForPrincipalPolicy),
	}
}

// simulateCustomPolicy decides requests on policies that are given as text.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
func (s *Service) simulateCustomPolicy(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.SimulateCustomPolicyInput) (*iam.SimulateCustomPolicyOutput, error) {
	m := simulation{call: call, ask: simulationRequest{
		Actions: in.ActionNames, Resources: in.ResourceArns, ResourcePolicy: in.ResourcePolicy, Owner: in.ResourceOwner,
		Caller: in.CallerArn, Context: in.ContextEntries, Handling: in.ResourceHandlingOption,
		Policies: in.PolicyInputList, Boundaries: in.PermissionsBoundaryPolicyInputList,
	}}
	m.principal = &aws.Principal{Kind: aws.User, Partition: call.Partition, Account: call.Account}
	return s.simulate(&m, in.Marker, in.MaxItems)
}

// simulatePrincipalPolicy decides requests on the policies of a user, group or
// role as they are, its boundary's and its organisation's limits among them,
// with further policies that are given. A boundary that is given stands in for
// the entity's own.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func (s *Service) simulatePrincipalPolicy(_ context.Context, call *gateway.Call, on *policySource, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	m := simulation{call: call, ask: simulationRequest{
		Source:  in.PolicySourceArn,
		Actions: in.ActionNames, Resources: in.ResourceArns, ResourcePolicy: in.ResourcePolicy, Owner: in.ResourceOwner,
		Caller: in.CallerArn, Context: in.ContextEntries, Handling: in.ResourceHandlingOption,
		Policies: in.PolicyInputList, Boundaries: in.PermissionsBoundaryPolicyInputList,
	}}
	m.principal = &aws.Principal{Kind: aws.User, Partition: call.Partition, Account: call.Account}
	switch on.noun {
	case "user":
		m.principal, m.known = principalOf(on.user, call.Account, call.Partition, ""), true
	case "role":
		m.principal.Kind, m.known = aws.AssumedRole, true
		m.principal.Session = &aws.Session{RoleARN: on.Arn, RoleID: on.ID, RoleName: on.Name}
	}
	var err error
	if m.identity, err = on.identityInputs(call); err != nil {
		return nil, err
	}
	if on.Boundary != "" {
		boundary, err := managedInput(call, on.Boundary, typeBoundary, policy.Boundary)
		if err != nil {
			return nil, err
		}
		m.boundary = []input{boundary}
	}
	m.tags = on.ResourceTags()
	m.member, m.policies.SCPs = call.Organization()
	return s.simulate(&m, in.Marker, in.MaxItems)
}

// simulationWork bounds the steps of comparing that one page of a simulation
// takes, beyond that of its first result: policies that are made to be dear end
// a page early.
const simulationWork = 4 << 20

// simulate answers a page of a simulation's results.
func (s *Service) simulate(m *simulation, marker *string, maxItems *int32) (*iam.SimulatePolicyResponse, error) {
	if err := m.prepare(); err != nil {
		return nil, err
	}
	asked, err := json.Marshal(&m.ask)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(asked)
	p, err := s.page(m.call, marker, maxItems, string(sum[:]))
	if err != nil {
		return nil, err
	}
	from := 0
	if p.After != nil {
		n, _ := binary.Uvarint(p.After)
		from = int(min(n, uint64(m.cases())))
	}
	out := &iam.SimulatePolicyResponse{EvaluationResults: []iam.EvaluationResult{}}
	for i := from; i < m.cases(); i++ {
		if len(out.EvaluationResults) == p.Limit || m.work > simulationWork {
			if err := p.End(binary.AppendUvarint(nil, uint64(i))); err != nil {
				return nil, err
			}
			break
		}
		result, err := m.result(i)
		if err != nil {
			return nil, err
		}
		out.EvaluationResults = append(out.EvaluationResults, *result)
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}
