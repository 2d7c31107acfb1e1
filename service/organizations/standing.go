package organizations

import (
	"errors"
	"time"

	"github.com/garrison-security/garrison/gateway"
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
