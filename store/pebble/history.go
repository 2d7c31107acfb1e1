package pebble

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	slots      = 1 << 16 // counters of single keys
	remembered = 8192    // changed keys, for ranges
)

// history tells what has changed since a position. A position is the number of
// a group of transactions. The committer notes a change before it can be read,
// so whoever has read it, and looks here afterwards, learns of it.
//
// A key's counter is shared by all keys of its hash and never lowered; a false
// alarm costs a transaction another attempt.
type history struct {
	seed     maphash.Seed
	counters [slots]atomic.Uint64 // the position of the last change
	newest   atomic.Uint64        // the position of the last change of any key

	mu      sync.RWMutex
	ring    [remembered]change // under mu
	n       uint64             // under mu: changes ever noted
	dropped uint64             // under mu: the position of the last change that the ring has lost
}

type change struct {
	position uint64
	key      []byte
}

// slot is the counter of key.
func (h *history) slot(key []byte) uint32 {
	return uint32(maphash.Bytes(h.seed, key) % slots)
}

// changed tells whether a key of the counter was changed after since.
func (h *history) changed(slot uint32, since uint64) bool {
	return h.counters[slot].Load() > since
}

// note records that keys are changed at position. It keeps them.
func (h *history) note(position uint64, keys [][]byte) {
	h.newest.Store(position)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, key := range keys {
		h.counters[h.slot(key)].Store(position)
		at := &h.ring[h.n%remembered]
		if h.n >= remembered {
			h.dropped = at.position
		}
		*at = change{position, key}
		h.n++
	}
}

// first is the first key of the range from <= key < to (to nil: no bound) that
// was changed after since, in the direction of the scan, nil if none was. known
// is false if that is no longer remembered.
func (h *history) first(from, to []byte, reverse bool, since uint64) (key []byte, known bool) {
	if h.newest.Load() <= since {
		return nil, true
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.dropped > since {
		return nil, false
	}
	for i := h.n; i > 0 && i+remembered > h.n; i-- {
		c := &h.ring[(i-1)%remembered]
		if c.position <= since {
			break
		}
		if bytes.Compare(c.key, from) < 0 || to != nil && bytes.Compare(c.key, to) >= 0 {
			continue
		}
		if order := bytes.Compare(c.key, key); key == nil || order < 0 != reverse && order != 0 {
			key = c.key
		}
	}
	return key, true
}
