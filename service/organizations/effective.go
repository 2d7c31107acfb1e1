package organizations

import (
	"bytes"
	"context"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// effective is what the management policies of a type come to for an account.
type effective struct {
	text    string
	updated time.Time
}

// effective merges an account's policies of a type; nil where none holds.
func (o *Organization) effective(tx store.Tx, account, of string) (*effective, error) {
	round, err := o.round(tx, of)
	if err != nil || round == 0 {
		return nil, err
	}
	place, err := placeOf(tx, account)
	if err != nil {
		return nil, err
	}
	sum, e, any := merged(), new(effective), false
	for _, id := range place.Levels {
		l, err := levels.Get(tx, o.Management, id)
		if err != nil {
			return nil, err
		}
		for _, a := range l.attached(of, round) {
			c, err := contents.Get(tx, o.Management, a.Policy, version(a.Version))
			if err != nil {
				return nil, err
			}
			t, err := parseTree(c.Text)
			if err != nil {
				return nil, err
			}
			sum.merge(t)
			any = true
			for _, at := range []time.Time{a.Since, c.Updated} {
				if at.After(e.updated) {
					e.updated = at
				}
			}
		}
		sum.descend()
	}
	var text bytes.Buffer
	if !any {
		return nil, nil
	}
	if !sum.write(&text) {
		text.WriteString("{}")
	}
	e.text = text.String()
	return e, nil
}

func noEffectivePolicy() error {
	return &api.EffectivePolicyNotFoundException{Message: "The effective policy of the specified type wasn't found for the account."}
}

// accountOfEffectivePolicy finds the account asked about: any may ask of
// itself, those who may read the organisation of any.
func (s *Service) accountOfEffectivePolicy(call *gateway.Call, in *api.DescribeEffectivePolicyInput) (*subject, error) {
	account, who := call.Account, anyMember
	if in.TargetId != nil && *in.TargetId != call.Account {
		account, who = *in.TargetId, reading
	}
	t, err := s.subject(call, who)
	if err != nil {
		return t, err
	}
	call.Condition("organizations:PolicyType", string(in.PolicyType))
	if err = t.findMember(call, account); err == errAccountNotFound {
		err = errTargetNotFound
	}
	return t, err
}

func (s *Service) describeEffectivePolicy(_ context.Context, call *gateway.Call, on *subject, in *api.DescribeEffectivePolicyInput) (*api.DescribeEffectivePolicyOutput, error) {
	e, err := on.org.effective(call.Tx, on.member.Account, string(in.PolicyType))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, noEffectivePolicy()
	}
	return &api.DescribeEffectivePolicyOutput{EffectivePolicy: &api.EffectivePolicy{
		PolicyContent: &e.text, LastUpdatedTimestamp: &e.updated, TargetId: new(on.member.Account), PolicyType: &in.PolicyType,
	}}, nil
}

func (s *Service) effectivePoliciesOfType(call *gateway.Call, in *api.ListAccountsWithInvalidEffectivePolicyInput) (*subject, error) {
	call.Condition("organizations:PolicyType", string(in.PolicyType))
	return s.subject(call, reading)
}

// listAccountsWithInvalidEffectivePolicy lists none: a document is refused
// when it is stored, and whatever sound documents merge into is sound.
func (s *Service) listAccountsWithInvalidEffectivePolicy(_ context.Context, call *gateway.Call, _ *subject, in *api.ListAccountsWithInvalidEffectivePolicyInput) (*api.ListAccountsWithInvalidEffectivePolicyOutput, error) {
	if _, err := s.page(call, in.NextToken, in.MaxResults, string(in.PolicyType)); err != nil {
		return nil, err
	}
	return &api.ListAccountsWithInvalidEffectivePolicyOutput{Accounts: []api.Account{}, PolicyType: &in.PolicyType}, nil
}

func (s *Service) effectivePolicyOf(call *gateway.Call, in *api.ListEffectivePolicyValidationErrorsInput) (*subject, error) {
	t, err := s.subject(call, reading)
	if err != nil {
		return t, err
	}
	call.Condition("organizations:PolicyType", string(in.PolicyType))
	return t, t.findMember(call, in.AccountId)
}

func (s *Service) listEffectivePolicyValidationErrors(_ context.Context, call *gateway.Call, on *subject, in *api.ListEffectivePolicyValidationErrorsInput) (*api.ListEffectivePolicyValidationErrorsOutput, error) {
	e, err := on.org.effective(call.Tx, in.AccountId, string(in.PolicyType))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, noEffectivePolicy()
	}
	place, err := placeOf(call.Tx, in.AccountId)
	if err != nil {
		return nil, err
	}
	return &api.ListEffectivePolicyValidationErrorsOutput{
		AccountId: &in.AccountId, PolicyType: &in.PolicyType, Path: new(place.path() + in.AccountId + "/"),
		EvaluationTimestamp: &call.Time, EffectivePolicyValidationErrors: []api.EffectivePolicyValidationError{},
	}, nil
}
