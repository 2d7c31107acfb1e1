package kms

import (
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// policyName is the one name of key policies.
const policyName = "default"

// governing is a key whose policy is to be put.
type governing struct {
	*named
	bypass bool
}

// Describe implements gateway.Described.
func (g *governing) Describe(x *policy.Context) {
	g.named.Describe(x)
	x.SetBool("kms:BypassPolicyLockoutSafetyCheck", g.bypass)
}

func (s *Service) keyToGovern(call *gateway.Call, in *kms.PutKeyPolicyInput) (*governing, error) {
	n, err := s.own(call, in.KeyId)
	if n == nil {
		return nil, err
	}
	return &governing{n, in.BypassPolicyLockoutSafetyCheck != nil && *in.BypassPolicyLockoutSafetyCheck}, err
}

func (s *Service) putKeyPolicy(_ context.Context, call *gateway.Call, g *governing, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	if err := g.customers(call); err != nil {
		return nil, err
	}
	if in.PolicyName != nil && *in.PolicyName != policyName {
		return nil, unsupported("Only default policy is supported")
	}
	saved, err := s.savePolicy(call, in.Policy)
	if err != nil {
		return nil, err
	}
	if err := checkLockout(call, g.Arn, saved, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	return nil, change(call.Tx, g.Key, func(k *Key) error {
		k.Policy = saved
		return nil
	})
}

func (s *Service) getKeyPolicy(_ context.Context, call *gateway.Call, n *named, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	if in.PolicyName != nil && *in.PolicyName != policyName {
		return nil, notFound("No such policy exists")
	}
	text, err := s.shownPolicy(call.Tx, n.Policy)
	if err != nil {
		return nil, err
	}
	return &kms.GetKeyPolicyOutput{Policy: &text, PolicyName: new(policyName)}, nil
}

func (s *Service) listKeyPolicies(_ context.Context, call *gateway.Call, _ *named, in *kms.ListKeyPoliciesInput) (*kms.ListKeyPoliciesOutput, error) {
	if in.Marker != nil {
		return nil, &kms.InvalidMarkerException{Message: "Could not deserialize marker"}
	}
	return &kms.ListKeyPoliciesOutput{PolicyNames: []string{policyName}, Truncated: new(false)}, nil
}
