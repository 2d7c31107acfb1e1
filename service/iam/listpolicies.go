package iam

import (
	"context"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

func policiesBelow(_ *gateway.Call, in *iam.ListPoliciesInput) (gateway.Anything, error) {
	return gateway.Anything("policy path " + pathPrefix(in.PathPrefix)), nil
}

// Where a marker of ListPolicies goes on: a letter and a name's key.
const (
	afterOwn = "o" // among the account's own policies
	afterAWS = "a" // among AWS's, which come after
)

// policyListing is what ListPolicies was asked for.
type policyListing struct {
	path       string
	onlyUsed   bool
	usage      iam.PolicyUsageType
	used       map[string]Usage // of all policies, where only used ones are asked for
	page       *store.Pager
	out        []iam.Policy
	looked     int
	last       string // what was looked at last
	incomplete bool
}

// lookAt bounds the policies that one call looks at.
const lookAt = 2000

func (s *Service) listPolicies(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	l := &policyListing{path: pathPrefix(in.PathPrefix), onlyUsed: in.OnlyAttached != nil && *in.OnlyAttached}
	scope := iam.PolicyScopeTypeAll
	if in.Scope != nil {
		scope = *in.Scope
	}
	if in.PolicyUsageFilter != nil && l.onlyUsed { // it says which use is meant, and nothing where none is
		l.usage = *in.PolicyUsageFilter
	}
	filter := strings.Join([]string{string(scope), l.path, string(l.usage)}, " ")
	if l.onlyUsed {
		filter += " attached"
	}
	var err error
	if l.page, err = s.page(call, in.Marker, in.MaxItems, filter); err != nil {
		return nil, err
	}
	if l.onlyUsed {
		if l.used, err = usedPolicies(call.Tx, call.Account); err != nil {
			return nil, err
		}
	}
	stage, name := afterOwn, ""
	if l.page.After != nil {
		stage, name = string(l.page.After[:1]), string(l.page.After[1:])
	}
	l.out = make([]iam.Policy, 0, l.page.Limit)
	if stage == afterOwn && scope != iam.PolicyScopeTypeAws {
		if err := l.own(call, name); err != nil {
			return nil, err
		}
	}
	if stage == afterOwn {
		name = ""
	}
	if !l.incomplete && scope != iam.PolicyScopeTypeLocal {
		if err := l.ofAWS(call, name); err != nil {
			return nil, err
		}
	}
	if l.incomplete {
		if err := l.page.End([]byte(l.last)); err != nil {
			return nil, err
		}
	}
	return &iam.ListPoliciesOutput{Policies: l.out, IsTruncated: l.page.More(), Marker: l.page.Next}, nil
}

func (l *policyListing) own(call *gateway.Call, after string) error {
	var from []byte
	if after != "" {
		from = place(after)
	}
	for entry, err := range policies.List(call.Tx, call.Account, from) {
		if err != nil {
			return err
		}
		if more, err := l.take(call, entry.Value, afterOwn+fold(entry.Value.Name)); err != nil || !more {
			return err
		}
	}
	return nil
}

func (l *policyListing) ofAWS(call *gateway.Call, after string) error {
	for p := range managed.All(after) {
		if more, err := l.take(call, ofAWS(p, call.Partition), afterAWS+p.Name); err != nil || !more {
			return err
		}
	}
	return nil
}

// take adds a policy if it was asked for. It answers false once the page is
// full, without the policy that showed it.
func (l *policyListing) take(call *gateway.Call, p *Policy, at string) (more bool, err error) {
	if len(l.out) == l.page.Limit || l.looked == lookAt {
		l.incomplete = true
		return false, nil
	}
	l.looked++
	l.last = at
	if !strings.HasPrefix(p.Path, l.path) {
		return true, nil
	}
	used := l.used[p.Arn]
	if l.used == nil {
		if used, err = usageOf(call.Tx, call.Account, p.Arn); err != nil {
			return false, err
		}
	}
	switch {
	case l.onlyUsed && used == Usage{}:
	case l.usage == iam.PolicyUsageTypePermissionsPolicy && used.Attachments == 0:
	case l.usage == iam.PolicyUsageTypePermissionsBoundary && used.Boundaries == 0:
	default:
		l.out = append(l.out, p.summary(used))
	}
	return true, nil
}
