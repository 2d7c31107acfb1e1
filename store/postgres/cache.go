package postgres

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	shards     = 16
	shardBytes = 4 << 20 // of keys and stored values; what was decoded may take a few times as much
	shardCount = 16384
	entryCost  = 256 // what an entry takes beside its key and value
)

// entry is what stands under a key, as it once was read or written: an entry
// is never changed, and equal versions mean equal values.
type entry struct {
	version uint64 // 0: there is none
	sealed  []byte
	decoded atomic.Pointer[any] // what Load made of it
	used    atomic.Bool         // since it was last spared
}

// cache holds entries. Nothing is answered from it before the database has said
// that the versions are still those.
type cache struct {
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu      sync.Mutex
	entries map[string]*entry // under mu
	bytes   int               // under mu
	hits    uint64            // under mu
	misses  uint64            // under mu
}

func newCache() *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].entries = map[string]*entry{}
	}
	return c
}

func (c *cache) shard(key string) *shard {
	return &c.shards[maphash.String(c.seed, key)%shards]
}

func (c *cache) get(key string) *entry {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	if e == nil {
		s.misses++
		return nil
	}
	s.hits++
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e
}

// asked counts the keys that were asked for, found and not.
func (c *cache) asked() (hits, misses uint64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		hits, misses = hits+s.hits, misses+s.misses
		s.mu.Unlock()
	}
	return hits, misses
}

// fill keeps what was read, unless something is held: that may be younger.
func (c *cache) fill(key string, e *entry) { c.put(key, e, false) }

// wrote keeps what was committed.
func (c *cache) wrote(key string, e *entry) { c.put(key, e, true) }

func (c *cache) put(key string, e *entry, replace bool) {
	size := cost(key, e)
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.entries[key]; old != nil {
		if !replace {
			return
		}
		s.bytes -= cost(key, old)
		delete(s.entries, key)
	}
	if size > shardBytes/8 {
		return
	}
	s.entries[key] = e
	s.bytes += size
	for s.bytes > shardBytes || len(s.entries) > shardCount {
		s.evict()
	}
}

// drop forgets what is held under key, if it is not of that version.
func (c *cache) drop(key string, unless uint64) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil && e.version != unless {
		s.bytes -= cost(key, e)
		delete(s.entries, key)
	}
}

// forget drops e.
func (c *cache) forget(key string, e *entry) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[key] == e {
		s.bytes -= cost(key, e)
		delete(s.entries, key)
	}
}

// contradicts tells whether something was read that is held in another version
// by now.
func (c *cache) contradicts(r *reads) bool {
	for key, read := range r.keys {
		s := c.shard(key)
		s.mu.Lock()
		e := s.entries[key]
		s.mu.Unlock()
		if e != nil && e.version != read.version {
			return true
		}
	}
	return false
}

func cost(key string, e *entry) int { return len(key) + len(e.sealed) + entryCost }

// evict drops an entry that was not used lately: of a few at random, the first
// that no one has asked for since it was last looked at.
func (s *shard) evict() {
	looked := 0
	for key, e := range s.entries {
		if looked++; e.used.Load() && looked < 8 {
			e.used.Store(false)
			continue
		}
		s.bytes -= cost(key, e)
		delete(s.entries, key)
		return
	}
}
