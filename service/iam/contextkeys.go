package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// getContextKeysForCustomPolicy lists the condition keys that policies read.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForCustomPolicy.html
func (s *Service) getContextKeysForCustomPolicy(_ context.Context, _ *gateway.Call, _ gateway.Anything, in *iam.GetContextKeysForCustomPolicyInput) (*iam.GetContextKeysForCustomPolicyOutput, error) {
	inputs, err := given("PolicyInputList", in.PolicyInputList, typeIdentity, policy.Identity)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForCustomPolicyOutput{ContextKeyNames: keysOf(inputs)}, nil
}

// getContextKeysForPrincipalPolicy lists the condition keys that the identity
// policies of a user, group or role read, and those of further policies.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForPrincipalPolicy.html
func (s *Service) getContextKeysForPrincipalPolicy(_ context.Context, call *gateway.Call, on *policySource, in *iam.GetContextKeysForPrincipalPolicyInput) (*iam.GetContextKeysForPrincipalPolicyOutput, error) {
	inputs, err := on.identityInputs(call)
	if err != nil {
		return nil, err
	}
	further, err := given("PolicyInputList", in.PolicyInputList, typeIdentity, policy.Identity)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: keysOf(append(inputs, further...))}, nil
}

// keysOf are the keys that policies read, each once, in order.
func keysOf(inputs []input) []string {
	keys := keySet{list: []string{}}
	for i := range inputs {
		doc := inputs[i].document
		if doc == nil {
			continue
		}
		for statement := range doc.Statements {
			for key := range doc.Keys(statement) {
				keys.add(key)
			}
		}
	}
	return keys.list
}

// keySet is a list of condition keys, whose names ignore case.
type keySet struct {
	list []string
	seen map[string]bool
}

func (k *keySet) add(key string) {
	folded := strings.ToLower(key)
	if k.seen[folded] {
		return
	}
	if k.seen == nil {
		k.seen = map[string]bool{}
	}
	k.seen[folded] = true
	k.list = append(k.list, key)
}

// sorted is the list, in order of names.
func (k *keySet) sorted() []string {
	slices.Sort(k.list)
	return k.list
}
