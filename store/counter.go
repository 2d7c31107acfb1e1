package store

import (
	"errors"
	"hash/fnv"
	"strconv"
)

// ErrQuota means a count that would exceed its bound.
var ErrQuota = errors.New("store: over the quota")

// counterShards is the number of records that hold one count.
const counterShards = 64

// Counter keeps exact counts of nouns in a scope, bounded by quotas. A count is
// kept in shards, so that callers who make things at once don't all change one
// record. A shard may grow to its lease without looking at the others; leases
// together never exceed the quota. A shard that has used up its lease deals out
// anew what is left of the quota. Declare it once, as a package variable.
type Counter struct {
	counts *Table[Count]
	dealt  *Table[Dealt]
}

// Count is a shard, as stored under noun and shard. One that is not stored has
// a count of zero and its even share for a lease.
type Count struct{ N, Lease int }

// Dealt is the quota that a noun's leases were dealt for, as stored under the noun.
type Dealt struct{ Limit int }

// NewCounter declares a counter, whose tables are called name and name-dealt.
func NewCounter(name string) *Counter {
	return &Counter{NewTable[Count](name), NewTable[Dealt](name + "-dealt")}
}

// Shard is one of 64 places, the same for the same id, among which rows that many callers change are spread.
func Shard(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return strconv.Itoa(int(h.Sum32() % counterShards))
}

// Total is a noun's whole count.
func (c *Counter) Total(tx Tx, scope, noun string) (n int, err error) {
	for entry, err := range c.counts.List(tx, scope, nil, noun) {
		if err != nil {
			return 0, err
		}
		n += entry.Value.N
	}
	return n, nil
}

// Add counts one more of a noun, with that id; ErrQuota if that would exceed limit.
func (c *Counter) Add(tx Tx, scope, noun, id string, limit int) error {
	shard := Shard(id)
	made, err := c.dealt.Get(tx, scope, noun)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	s := Count{Lease: limit / counterShards}
	switch have, err := c.counts.Get(tx, scope, noun, shard); {
	case err == nil:
		s = *have
	case !errors.Is(err, ErrNotFound):
		return err
	}
	if made == nil || made.Limit != limit || s.N >= s.Lease {
		if s, err = c.deal(tx, scope, noun, shard, limit); err != nil {
			return err
		}
	}
	s.N++
	return c.counts.Put(tx, scope, &s, noun, shard)
}

// deal gives each shard an even share of what is left of the quota, and the
// one that asks the rest besides.
func (c *Counter) deal(tx Tx, scope, noun, asking string, limit int) (Count, error) {
	have, total := map[string]Count{}, 0
	for entry, err := range c.counts.List(tx, scope, nil, noun) {
		if err != nil {
			return Count{}, err
		}
		have[entry.Parts[1]] = *entry.Value
		total += entry.Value.N
	}
	left := limit - total
	if left <= 0 {
		return Count{}, ErrQuota
	}
	for i := range counterShards {
		shard := strconv.Itoa(i)
		was, stored := have[shard]
		is := Count{N: was.N, Lease: was.N + left/counterShards}
		if shard == asking || was == is || !stored && is.Lease == limit/counterShards {
			continue
		}
		if err := c.counts.Put(tx, scope, &is, noun, shard); err != nil {
			return Count{}, err
		}
	}
	n := have[asking].N
	return Count{N: n, Lease: n + left/counterShards + left%counterShards}, c.dealt.Put(tx, scope, &Dealt{limit}, noun)
}

// Remove counts one less of a noun, with that id.
func (c *Counter) Remove(tx Tx, scope, noun, id string) error {
	return c.counts.Update(tx, scope, func(s *Count) error {
		s.N--
		return nil
	}, noun, Shard(id))
}
