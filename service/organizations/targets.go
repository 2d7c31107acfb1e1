package organizations

import (
	"context"
	"iter"
	"strings"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// lookAt bounds what one page looks through.
const lookAt = 1000

// listTargetsForPolicy lists what a policy is attached to. A customer's
// policies have an index; AWS's own are attached to nearly everything, so
// everything is looked through, in the order of the ids' kinds.
func (s *Service) listTargetsForPolicy(_ context.Context, call *gateway.Call, on *subject, in *api.ListTargetsForPolicyInput) (*api.ListTargetsForPolicyOutput, error) {
	o, policy := on.org, on.policy
	p, err := s.page(call, in.NextToken, in.MaxResults, in.PolicyId)
	if err != nil {
		return nil, err
	}
	round, err := o.round(call.Tx, policy.Type)
	if err != nil {
		return nil, err
	}
	out := &api.ListTargetsForPolicyOutput{Targets: []api.PolicyTargetSummary{}}
	if !policy.managed() {
		found, err := store.Collect(p, levels.ListBy(call.Tx, levelsByPolicy, o.Management, p.After, policy.ID), func(l *Level) bool { return l.holds(policy, round) })
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			t, err := s.shownTarget(call.Tx, o, l.ID)
			if err != nil {
				return nil, err
			}
			out.Targets = append(out.Targets, t)
		}
		out.NextToken = p.Next
		return out, nil
	}
	if round == 0 {
		return out, nil
	}
	last, looked := "", 0
	for id, err := range o.everything(call.Tx, string(p.After)) {
		if err != nil {
			return nil, err
		}
		if len(out.Targets) == p.Limit || looked == lookAt {
			err := p.End([]byte(last))
			out.NextToken = p.Next
			return out, err
		}
		last, looked = id, looked+1
		l, err := levels.Get(call.Tx, o.Management, id)
		if err != nil {
			return nil, err
		}
		if !l.holds(policy, round) {
			continue
		}
		t, err := s.shownTarget(call.Tx, o, id)
		if err != nil {
			return nil, err
		}
		out.Targets = append(out.Targets, t)
	}
	return out, nil
}

// everything yields the ids of the root, the accounts and the units that come
// after one, in this order.
func (o *Organization) everything(tx store.Tx, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if after == "" && !yield(o.Root, nil) {
			return
		}
		if !strings.HasPrefix(after, "ou-") {
			var from []byte
			if after != o.Root && after != "" {
				from = at(after)
			}
			for entry, err := range members.List(tx, o.Management, from) {
				if err != nil || !yield(entry.Value.Account, nil) {
					if err != nil {
						yield("", err)
					}
					return
				}
			}
			after = ""
		}
		var from []byte
		if after != "" {
			from = at(after)
		}
		for entry, err := range units.List(tx, o.Management, from) {
			if err != nil || !yield(entry.Value.ID, nil) {
				if err != nil {
					yield("", err)
				}
				return
			}
		}
	}
}

// at is where a record named by an id stands in its table's listing.
func at(id string) []byte { return store.Key("", "", id)[len(store.Key("", "")):] }

// shownTarget is a root, unit or account as ListTargetsForPolicy shows it.
func (s *Service) shownTarget(tx store.Tx, o *Organization, id string) (api.PolicyTargetSummary, error) {
	t := api.PolicyTargetSummary{TargetId: &id}
	switch {
	case id == o.Root:
		t.Arn, t.Name, t.Type = new(o.rootARN()), new("Root"), new(api.TargetTypeRoot)
	case strings.HasPrefix(id, "ou-"):
		u, err := units.Get(tx, o.Management, id)
		if err != nil {
			return t, err
		}
		t.Arn, t.Name, t.Type = new(o.unitARN(id)), new(u.Name), new(api.TargetTypeOrganizationalUnit)
	default:
		name, _, err := s.ownerOf(tx, id)
		if err != nil {
			return t, err
		}
		t.Arn, t.Name, t.Type = new(o.memberARN(id)), &name, new(api.TargetTypeAccount)
	}
	return t, nil
}
