package organizations

import (
	"context"
	"slices"
	"strings"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// findTarget finds the root, unit or account that a policy is to be attached to.
func (o *Organization) findTarget(tx store.Tx, id string) (arn string, tags []Tag, err error) {
	if strings.HasPrefix(id, "r-") || strings.HasPrefix(id, "ou-") {
		arn, tags, err = o.parentOf(tx, id)
	} else {
		var m *Member
		arn = o.memberARN(id)
		if m, err = members.Get(tx, o.Management, id); err == nil {
			tags = m.Tags
		}
	}
	return arn, tags, absent(err, errTargetNotFound)
}

// attachment finds a policy and a target: the caller needs the right on both.
func attachment[In any](s *Service, names func(*In) (policy, target string)) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t, err := s.subject(call, delegated)
		if err != nil {
			return t, err
		}
		policy, target := names(in)
		missing := t.findPolicy(call, policy)
		if missing == errPolicyNotFound {
			missing = errPolicyUnknown
		}
		t.target = target
		arn, tags, err := t.org.findTarget(call.Tx, target)
		t.also(call.Operation.Actions[0], arn, tags)
		if missing == nil {
			missing = err
		}
		return t, missing
	}
}

// round is the present round of a policy type; 0: it is not enabled.
func (o *Organization) round(tx store.Tx, of string) (int, error) {
	root, err := levels.Get(tx, o.Management, o.Root)
	if err != nil {
		return 0, err
	}
	return root.round(of), nil
}

// holds tells whether a policy is attached in a round.
func (l *Level) holds(p *Policy, round int) bool {
	return slices.ContainsFunc(l.attached(p.Type, round), func(a Attachment) bool { return a.Policy == p.ID })
}

// attachPolicy writes one row, whatever lies below the target.
func (s *Service) attachPolicy(_ context.Context, call *gateway.Call, on *subject, in *api.AttachPolicyInput) (*api.AttachPolicyOutput, error) {
	o, p := on.org, on.policy
	round, err := o.round(call.Tx, p.Type)
	if err != nil {
		return nil, err
	}
	if round == 0 {
		return nil, typeNotEnabled()
	}
	l, err := levels.Edit(call.Tx, o.Management, in.TargetId)
	switch {
	case err != nil:
		return nil, err
	case l.holds(p, round):
		return nil, &api.DuplicatePolicyAttachmentException{Message: "A policy with the specified name and type already exists on the target."}
	case len(l.attached(p.Type, round)) >= kinds[p.Type].attachments:
		return nil, constraint(api.ConstraintViolationExceptionReasonMaxPolicyTypeAttachmentLimitExceeded,
			"You have attached the maximum number of policies to the specified target.")
	}
	l.drop(p.Type, round)
	if p.managed() {
		l.NoDefault = 0 // only service control policies' own can be missing
	} else {
		l.Attached = append(l.Attached, Attachment{Policy: p.ID, Version: p.Version, Type: p.Type, Round: round, Since: call.Time})
	}
	return nil, levels.Put(call.Tx, o.Management, l, l.ID)
}

func typeNotEnabled() error {
	return &api.PolicyTypeNotEnabledException{Message: "This operation can be performed only for enabled policy types."}
}

// detachPolicy refuses to leave anything without a service control policy.
func (s *Service) detachPolicy(_ context.Context, call *gateway.Call, on *subject, in *api.DetachPolicyInput) (*api.DetachPolicyOutput, error) {
	o, p := on.org, on.policy
	round, err := o.round(call.Tx, p.Type)
	if err != nil {
		return nil, err
	}
	l, err := levels.Edit(call.Tx, o.Management, in.TargetId)
	switch {
	case err != nil:
		return nil, err
	case !l.holds(p, round):
		return nil, &api.PolicyNotAttachedException{Message: "The specified policy isn't attached to the specified target."}
	case p.managed() && p.Type == string(api.PolicyTypeResourceControlPolicy):
		return nil, invalid(api.InvalidInputExceptionReasonNonDetachablePolicy, "You can't detach this AWS managed policy.")
	case p.Type == string(api.PolicyTypeServiceControlPolicy) && len(l.attached(p.Type, round)) == 1:
		return nil, constraint(api.ConstraintViolationExceptionReasonMinPolicyTypeAttachmentLimitExceeded,
			"You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.")
	}
	if p.managed() {
		l.NoDefault = round
	} else {
		l.Attached = slices.DeleteFunc(l.Attached, func(a Attachment) bool { return a.Policy == p.ID })
	}
	l.drop(p.Type, round)
	return nil, levels.Put(call.Tx, o.Management, l, l.ID)
}

// targetOfType finds the root, unit or account whose policies are asked for.
func (s *Service) targetOfType(call *gateway.Call, in *api.ListPoliciesForTargetInput) (*subject, error) {
	call.Condition("organizations:PolicyType", string(in.Filter))
	t, err := s.subject(call, reading)
	if err != nil {
		return t, err
	}
	t.target = in.TargetId
	t.name, t.tags, err = t.org.findTarget(call.Tx, in.TargetId)
	return t, err
}

func (s *Service) listPoliciesForTarget(_ context.Context, call *gateway.Call, on *subject, in *api.ListPoliciesForTargetInput) (*api.ListPoliciesForTargetOutput, error) {
	o, of := on.org, string(in.Filter)
	p, err := s.page(call, in.NextToken, in.MaxResults, in.TargetId+" "+of)
	if err != nil {
		return nil, err
	}
	round, err := o.round(call.Tx, of)
	if err != nil {
		return nil, err
	}
	l, err := levels.Get(call.Tx, o.Management, in.TargetId)
	if err != nil {
		return nil, err
	}
	found, err := slice(p, l.attached(of, round), func(a *Attachment) string { return order(a.Since) + a.Policy })
	if err != nil {
		return nil, err
	}
	out := &api.ListPoliciesForTargetOutput{Policies: make([]api.PolicySummary, 0, len(found)), NextToken: p.Next}
	for _, a := range found {
		policy, err := o.policyOf(call.Tx, a.Policy)
		if err != nil {
			return nil, err
		}
		out.Policies = append(out.Policies, *o.summary(policy))
	}
	return out, nil
}
