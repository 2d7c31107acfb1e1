package iam

import (
	"errors"
	"hash/fnv"
	"strconv"

	"github.com/garrison-security/garrison/store"
)

// A noun's count is kept in shards, so that callers who make users at once
// don't all change one record. A shard may grow to its lease without looking at
// the others; leases together never exceed the quota, so the quota is exact. A
// shard that has used up its lease deals out anew what is left of the quota.
const shards = 64

// Count is a shard, as stored under noun and shard. One that is not stored has
// a count of zero and its even share for a lease.
type Count struct{ N, Lease int }

// Dealt is the quota that a noun's leases were dealt for, as stored under the noun.
type Dealt struct{ Limit int }

var (
	counts = store.NewTable[Count]("iam/count")
	dealt  = store.NewTable[Dealt]("iam/count-dealt")
)

// Nouns that are counted.
const (
	countUsers    = "user"
	countGroups   = "group"
	countRoles    = "role"
	countPolicies = "policy"
	countVersions = "policy version"
	countProfiles = "instance profile"

	countMFADevices = "MFA device"
	countMFAInUse   = "MFA device in use"
)

// shardOf is the shard in which what has an id is counted.
func shardOf(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return strconv.Itoa(int(h.Sum32() % shards))
}

// counted is a noun's whole count.
func counted(tx store.Tx, account, noun string) (n int, err error) {
	for entry, err := range counts.List(tx, account, nil, noun) {
		if err != nil {
			return 0, err
		}
		n += entry.Value.N
	}
	return n, nil
}

// count counts one more of a noun, with that id; or refuses, with quota's
// name, what would exceed limit.
func count(tx store.Tx, account, noun, id, quota string, limit int) error {
	shard := shardOf(id)
	made, err := dealt.Get(tx, account, noun)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c := Count{Lease: limit / shards}
	switch have, err := counts.Get(tx, account, noun, shard); {
	case err == nil:
		c = *have
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if made == nil || made.Limit != limit || c.N >= c.Lease {
		if c, err = deal(tx, account, noun, shard, quota, limit); err != nil {
			return err
		}
	}
	c.N++
	return counts.Put(tx, account, &c, noun, shard)
}

// deal gives each shard an even share of what is left of the quota, and the
// one that asks the rest besides.
func deal(tx store.Tx, account, noun, asking, quota string, limit int) (Count, error) {
	have, total := map[string]Count{}, 0
	for entry, err := range counts.List(tx, account, nil, noun) {
		if err != nil {
			return Count{}, err
		}
		have[entry.Parts[1]] = *entry.Value
		total += entry.Value.N
	}
	left := limit - total
	if left <= 0 {
		return Count{}, limitExceeded(quota, limit)
	}
	for i := range shards {
		shard := strconv.Itoa(i)
		was, stored := have[shard]
		is := Count{N: was.N, Lease: was.N + left/shards}
		if shard == asking || was == is || !stored && is.Lease == limit/shards {
			continue
		}
		if err := counts.Put(tx, account, &is, noun, shard); err != nil {
			return Count{}, err
		}
	}
	n := have[asking].N
	return Count{N: n, Lease: n + left/shards + left%shards}, dealt.Put(tx, account, &Dealt{limit}, noun)
}

// uncount counts one less of a noun, with that id.
func uncount(tx store.Tx, account, noun, id string) error {
	return counts.Update(tx, account, func(c *Count) error {
		c.N--
		return nil
	}, noun, shardOf(id))
}
