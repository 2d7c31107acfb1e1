package kms

import (
	"cmp"
	"errors"

	"github.com/garrison-security/garrison/store"
)

// Quotas are an account's bounds on counts, in each Region. The zero value of a
// field means AWS's default.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
type Quotas struct {
	Keys          int // customer managed keys: 100,000
	AliasesPerKey int // 50
	GrantsPerKey  int // 50,000
}

// Bounds that AWS does not adjust.
const (
	tagsPerKey         = 50
	onDemandRotations  = 25
	encryptionContext  = 8192 // bytes of all texts of an encryption context
	grantsPerGrantee   = 500  // of one key, which a decision may have to look through
	materialsPerImport = 100  // materials of a key whose material is imported
)

// quotas are the bounds in force for an account.
func (s *Service) quotas(account string) Quotas {
	q, ok := s.Accounts[account]
	if !ok {
		q = s.Quotas
	}
	return Quotas{Keys: cmp.Or(q.Keys, 100_000), AliasesPerKey: cmp.Or(q.AliasesPerKey, 50), GrantsPerKey: cmp.Or(q.GrantsPerKey, 50_000)}
}

var counts = store.NewCounter("kms/count")

// count counts one more of an account's keys in a Region.
func (s *Service) countKey(tx store.Tx, k *Key) error {
	if k.awsManaged() {
		return nil
	}
	limit := s.quotas(k.Account).Keys
	err := counts.Add(tx, k.Account, "key "+k.Region, k.ID, limit)
	if errors.Is(err, store.ErrQuota) {
		return limitExceeded("The quota of %d KMS keys in this Region has been reached.", limit)
	}
	return err
}

// uncountKey counts one less.
func uncountKey(tx store.Tx, k *Key) error {
	if k.awsManaged() {
		return nil
	}
	return counts.Remove(tx, k.Account, "key "+k.Region, k.ID)
}
