package iam

import (
	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// SSH keys, signing certificates and service-specific credentials stand in
// tables of their own, under the unique id of their user and their own id: no
// decision reads them, and a user's record stays small.

// rowsOf is a page of a user's rows, by id.
func rowsOf[V any](s *Service, call *gateway.Call, t *store.Table[V], u *User, marker *string, maxItems *int32, keep func(*V) bool) (*store.Pager, []*V, error) {
	p, err := s.page(call, marker, maxItems, u.Arn)
	if err != nil {
		return nil, nil, err
	}
	found, err := store.Collect(p, t.List(call.Tx, call.Account, p.After, u.ID), keep)
	return p, found, err
}

// allOf are all of a user's rows, of which there are few.
func allOf[V any](call *gateway.Call, t *store.Table[V], u *User) (all []*V, err error) {
	for entry, err := range t.List(call.Tx, call.Account, nil, u.ID) {
		if err != nil {
			return nil, err
		}
		all = append(all, entry.Value)
	}
	return all, nil
}

// statusOf is a Status as answers have it.
func statusOf(inactive bool) iam.StatusType {
	if inactive {
		return iam.StatusTypeInactive
	}
	return iam.StatusTypeActive
}

// isInactive reads the Status that an input sets. The model has Expired, too, which is nobody's to set.
func isInactive(status iam.StatusType) (bool, error) {
	switch status {
	case iam.StatusTypeActive:
		return false, nil
	case iam.StatusTypeInactive:
		return true, nil
	}
	return false, validation("1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set")
}

// heldByUser refuses the deletion of a user that has credentials besides keys and a password.
func heldByUser(call *gateway.Call, u *User) error {
	certificates, err := allOf(call, signingCertificates, u)
	if err != nil {
		return err
	}
	if len(certificates) > 0 {
		return deleteConflict("Cannot delete entity, must delete signing certificates first.")
	}
	public, err := allOf(call, sshKeys, u)
	if err != nil {
		return err
	}
	if len(public) > 0 {
		return deleteConflict("Cannot delete entity, must delete SSH public keys first.")
	}
	credentials, err := allOf(call, serviceCredentials, u)
	if err != nil {
		return err
	}
	if len(credentials) > 0 {
		return deleteConflict("Cannot delete entity, must remove referenced objects first.")
	}
	return nil
}
