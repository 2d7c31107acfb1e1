package organizations

import (
	"errors"
	"slices"
	"strings"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// TrustedSince tells service/iam since when an organisation, known by its
// management account, trusts a service, zero: it does not; and whether all its
// features are enabled.
func (s *Service) TrustedSince(tx store.Tx, management, service string) (since time.Time, allFeatures bool, err error) {
	o, err := organizations.Get(tx, management)
	if err != nil {
		return time.Time{}, false, err
	}
	if i, trusted := o.trusts(service); trusted {
		since = o.Services[i].Since
	}
	return since, o.AllFeatures, nil
}

// Administers tells service/iam whether an account administers a service for its organisation.
func (s *Service) Administers(tx store.Tx, m *gateway.Membership, service string) (bool, error) {
	member, err := members.Get(tx, m.Management, m.Account)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, registered := member.administers(service)
	return registered && !member.Closed, nil
}

// Node tells service/iam the levels of a root, unit or account, from the root
// down, that a path of the organisation's names ("o-…/r-…/ou-…/123456789012");
// or store.ErrNotFound.
func (s *Service) Node(tx store.Tx, m *gateway.Membership, path string) (levels []string, err error) {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(parts) < 2 || len(parts) > maxLevels+3 || parts[0] != m.Organization {
		return nil, store.ErrNotFound
	}
	o, err := organizations.Get(tx, m.Management)
	if err != nil {
		return nil, err
	}
	named := parts[1:]
	last := named[len(named)-1]
	if aws.IsAccount(last) {
		place, err := placeOf(tx, last)
		if err != nil {
			return nil, err
		}
		if levels = place.Levels; place.Organization != o.ID {
			return nil, store.ErrNotFound
		}
	} else if levels, err = o.ancestry(tx, last); err != nil {
		return nil, err
	}
	if !slices.Equal(levels, named) {
		return nil, store.ErrNotFound
	}
	return levels, nil
}

// AccountsBelow tells service/iam the accounts that lie in a root or unit, at whatever depth.
func (s *Service) AccountsBelow(tx store.Tx, m *gateway.Membership, id string) (accounts []string, err error) {
	for below := []string{id}; len(below) > 0; below = below[1:] {
		for entry, err := range members.ListBy(tx, membersByParent, m.Management, nil, below[0]) {
			if err != nil {
				return nil, err
			}
			accounts = append(accounts, entry.Value.Account)
		}
		for entry, err := range units.ListBy(tx, unitsByParent, m.Management, nil, below[0]) {
			if err != nil {
				return nil, err
			}
			below = append(below, entry.Value.ID)
		}
	}
	return accounts, nil
}

// ServicePolicies tells service/iam which service control policies are attached
// to a level, by id; and whether there are any at all.
func (s *Service) ServicePolicies(tx store.Tx, m *gateway.Membership, level string) (ids []string, enabled bool, err error) {
	of := string(api.PolicyTypeServiceControlPolicy)
	root, err := levels.Get(tx, m.Management, m.Levels[0])
	if err != nil {
		return nil, false, err
	}
	at, err := levels.Get(tx, m.Management, level)
	if err != nil {
		return nil, false, err
	}
	for _, a := range at.attached(of, root.round(of)) {
		ids = append(ids, a.Policy)
	}
	return ids, root.round(of) > 0, nil
}

// ServicePolicy tells service/iam a service control policy of the organisation's; or store.ErrNotFound.
func (s *Service) ServicePolicy(tx store.Tx, m *gateway.Membership, id string) (*policy.Policy, error) {
	of := string(api.PolicyTypeServiceControlPolicy)
	if id == defaultPolicy(of) {
		return fullAccess(), nil
	}
	p, err := policies.Get(tx, m.Management, id)
	if err != nil {
		return nil, err
	}
	if p.Type != of {
		return nil, store.ErrNotFound
	}
	c, err := contents.Get(tx, m.Management, id, version(p.Version))
	if err != nil {
		return nil, err
	}
	return c.compiled(policy.SCP, c.ARN), nil
}
