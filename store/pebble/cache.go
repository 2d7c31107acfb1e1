package pebble

import "sync"

const (
	shards     = 16
	shardBytes = 4 << 20 // of keys and stored values; what was decoded may take a few times as much
	shardCount = 16384
	entryCost  = 256 // what an entry takes beside its key and value
)

// cache holds decoded values. An entry was true at its position, and is true
// while its key's counter is not beyond it: nothing needs to be invalidated.
type cache struct {
	shards [shards]shard
}

type shard struct {
	mu      sync.Mutex
	entries map[string]*cached // under mu
	bytes   int                // under mu

	hits, misses uint64 // under mu
}

type cached struct {
	value    any
	position uint64
	bytes    int
	used     bool // since it was last spared
}

// get is the decoded value of key, if what is held is not older than changed,
// the key's counter.
func (c *cache) get(slot uint32, key []byte, changed uint64) (value any, ok bool) {
	s := &c.shards[slot%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[string(key)]
	if e == nil || e.position < changed {
		s.misses++
		return nil, false
	}
	s.hits++
	e.used = true
	return e.value, true
}

// asked is how many gets found what they asked for, and how many did not.
func (c *cache) asked() (hits, misses uint64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		hits, misses = hits+s.hits, misses+s.misses
		s.mu.Unlock()
	}
	return hits, misses
}

// put holds value, which is true at position and was decoded from size bytes.
func (c *cache) put(slot uint32, key []byte, value any, size int, position uint64) {
	e := &cached{value: value, position: position, bytes: len(key) + size + entryCost}
	if e.bytes > shardBytes/8 {
		return
	}
	s := &c.shards[slot%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[string]*cached{}
	}
	old := s.entries[string(key)]
	switch {
	case old == nil:
	case old.position > position:
		return
	default:
		s.bytes -= old.bytes
		e.used = true
	}
	s.entries[string(key)] = e
	s.bytes += e.bytes
	for s.bytes > shardBytes || len(s.entries) > shardCount {
		s.evict()
	}
}

// evict drops an entry that was not used lately: of a few at random, the first
// that no one has asked for since it was last looked at.
func (s *shard) evict() {
	looked := 0
	for key, e := range s.entries {
		if looked++; e.used && looked < 8 {
			e.used = false
			continue
		}
		s.bytes -= e.bytes
		delete(s.entries, key)
		return
	}
}
