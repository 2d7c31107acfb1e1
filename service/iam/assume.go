package iam

import (
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

// AssumableRole finds a role by its ARN, in whatever account, for service/sts:
// its unique id, its tags (shared), its trust policy (nil, which trusts nobody,
// if it can't be read), and how long its sessions may live. One that does not
// exist is store.ErrNotFound.
func (s *Service) AssumableRole(tx store.Tx, arn string) (id string, tags map[string]string, trust *policy.Policy, longest time.Duration, err error) {
	r, err := roleByARN(tx, arn)
	if err != nil {
		return "", nil, nil, 0, err
	}
	return r.ID, r.ResourceTags(), r.TrustPolicy(), time.Duration(r.MaxSession) * time.Second, nil
}

// roleByARN is the role with exactly that ARN; or store.ErrNotFound.
func roleByARN(tx store.Tx, arn string) (*Role, error) {
	a, err := aws.ParseARN(arn)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return nil, store.ErrNotFound
	}
	found, err := roles.Find(tx, rolesByName, a.Account, fold(lastSegment(arn)))
	if err != nil {
		return nil, err
	}
	if found.Value.Arn != arn {
		return nil, store.ErrNotFound
	}
	return found.Value, nil
}

// ManagedPolicyExists tells service/sts whether an ARN names a managed policy,
// the account's own or AWS's.
func (s *Service) ManagedPolicyExists(tx store.Tx, partition, account, arn string) (bool, error) {
	if managed.Is(arn) {
		return managed.Get(partition, arn) != nil, nil
	}
	_, err := customerPolicy(tx, account, arn)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// AccountOfKey tells service/sts whose account a long-term access key belongs
// to; or store.ErrNotFound.
func (s *Service) AccountOfKey(tx store.Tx, accessKeyID string) (string, error) {
	account, _, err := findKey(tx, accessKeyID)
	return account, err
}
