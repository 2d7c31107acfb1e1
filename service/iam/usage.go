package iam

import (
	"errors"

	"github.com/garrison-security/garrison/store"
)

// Usage counts what a policy is used for, as stored under the policy's ARN and a
// shard of the users; none is stored where both are zero. It stands apart from
// the policy, so that attaching does not touch what is decided by, and for AWS's
// policies, too; in shards, so that callers who attach one policy at once don't
// all change one record.
type Usage struct{ Attachments, Boundaries int }

var usages = store.NewTable[Usage]("iam/policy-usage")

// usageOf is all that a policy is used for.
func usageOf(tx store.Tx, account, arn string) (all Usage, err error) {
	for entry, err := range usages.List(tx, account, nil, arn) {
		if err != nil {
			return Usage{}, err
		}
		all.Attachments += entry.Value.Attachments
		all.Boundaries += entry.Value.Boundaries
	}
	return all, nil
}

// usedPolicies are all policies that are used, by ARN.
func usedPolicies(tx store.Tx, account string) (map[string]Usage, error) {
	all := map[string]Usage{}
	for entry, err := range usages.List(tx, account, nil) {
		if err != nil {
			return nil, err
		}
		u := all[entry.Parts[0]]
		u.Attachments += entry.Value.Attachments
		u.Boundaries += entry.Value.Boundaries
		all[entry.Parts[0]] = u
	}
	return all, nil
}

// use counts a use of a policy by an entity, or the end of one. With no ARN it
// does nothing.
func use(tx store.Tx, account, arn string, by *Entity, add Usage) error {
	if arn == "" {
		return nil
	}
	shard := store.Shard(by.ID)
	u := new(Usage)
	have, err := usages.Get(tx, account, arn, shard)
	if err == nil {
		*u = *have
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	u.Attachments += add.Attachments
	u.Boundaries += add.Boundaries
	if *u == (Usage{}) {
		return usages.Delete(tx, account, arn, shard)
	}
	return usages.Put(tx, account, u, arn, shard)
}
