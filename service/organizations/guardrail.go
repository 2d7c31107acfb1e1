package organizations

import (
	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

var _ gateway.Guardrails = (*Service)(nil)

// Membership implements gateway.Guardrails.
func (s *Service) Membership(tx store.Tx, account string) (*gateway.Membership, error) {
	p, err := placeOf(tx, account)
	if err != nil || p.Organization == "" {
		return nil, err
	}
	return p.member(account), nil
}

// Limits implements gateway.Guardrails. It reads the row of each level; what a
// row names was compiled once for all accounts below it.
func (s *Service) Limits(tx store.Tx, m *gateway.Membership, kind policy.Kind, to [][]*policy.Policy) ([][]*policy.Policy, error) {
	of := string(api.PolicyTypeServiceControlPolicy)
	if kind == policy.RCP {
		of = string(api.PolicyTypeResourceControlPolicy)
	}
	root, err := levels.Get(tx, m.Management, m.Levels[0])
	if err != nil {
		return to, err
	}
	round := root.round(of)
	if round == 0 {
		return to, nil
	}
	for i, id := range m.Levels {
		level := root
		if i > 0 {
			if level, err = levels.Get(tx, m.Management, id); err != nil {
				return to, err
			}
		}
		limits, err := level.limits(tx, m.Management, of, round)
		if err != nil {
			return to, err
		}
		to = append(to, limits)
	}
	return to, nil
}
