package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

const (
	segmentIDSize = 4
	// segmentMessages bounds what is sealed under one subkey. With random 96-bit nonces the chance of
	// two alike is then below 2^-41; NIST SP 800-38D allows 2^32 messages at 2^-32.
	segmentMessages = 1 << 28
	// scopeSegments is how many older subkeys a scope keeps ready for opening.
	scopeSegments = 16
)

// scope is one scope's wrapped data key, and the subkeys made of it. It is
// replaced, not changed, when its row is.
type scope struct {
	name       string
	destroyed  bool
	generation uint64 // of the master that wraps it
	wrapped    []byte

	out     atomic.Pointer[segment]
	in      atomic.Pointer[[]*segment] // copied on write
	touched atomic.Bool                // since the cache last looked
	mu      sync.Mutex                 // guards making of segments
}

// segment is a subkey. Its id is drawn at random by each process for each
// scope; two processes that draw the same one share its budget, no more.
type segment struct {
	id   uint32
	used atomic.Uint64
	aead cipher.AEAD
}

// sealing is the segment to seal the next message under.
func (s *scope) sealing(k *Keyring) (*segment, error) {
	if seg := s.out.Load(); seg != nil && seg.used.Add(1) <= segmentMessages {
		s.touch()
		return seg, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seg := s.out.Load(); seg != nil && seg.used.Add(1) <= segmentMessages {
		return seg, nil
	}
	var id [segmentIDSize]byte
	rand.Read(id[:])
	seg, err := k.derive(s, binary.BigEndian.Uint32(id[:]))
	if err != nil {
		return nil, err
	}
	seg.used.Store(1)
	s.out.Store(seg)
	s.touch()
	k.cache.added(k)
	return seg, nil
}

// opening is the segment called id, and whether it was at hand.
func (s *scope) opening(k *Keyring, id uint32) (*segment, bool, error) {
	s.touch()
	if seg := s.out.Load(); seg != nil && seg.id == id {
		return seg, true, nil
	}
	if in := s.in.Load(); in != nil {
		for _, seg := range *in {
			if seg.id == id {
				return seg, true, nil
			}
		}
	}
	seg, err := k.derive(s, id)
	return seg, false, err
}

// remember keeps seg at hand, in place of the one that came first if there are many.
func (s *scope) remember(k *Keyring, seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in []*segment
	if p := s.in.Load(); p != nil {
		in = *p
	}
	for _, have := range in {
		if have.id == seg.id {
			return
		}
	}
	if len(in) == scopeSegments {
		in = in[1:]
	} else {
		k.cache.added(k)
	}
	grown := append(append(make([]*segment, 0, len(in)+1), in...), seg)
	s.in.Store(&grown)
}

func (s *scope) touch() {
	if !s.touched.Load() { // a store by every caller would move the line between cores
		s.touched.Store(true)
	}
}

// derive makes the scope's subkey called id.
func (k *Keyring) derive(s *scope, id uint32) (*segment, error) {
	data, err := k.unwrap(s)
	if errors.Is(err, errNoMaster) { // a rotation ended since s was looked up
		now, gone := k.scope(s.name)
		if gone != nil {
			return nil, gone
		}
		data, err = k.unwrap(now)
	}
	if err != nil {
		return nil, err
	}
	defer data.clear()
	aead, err := newAEAD(data, "segment "+string(binary.BigEndian.AppendUint32(nil, id)))
	if err != nil {
		return nil, err
	}
	return &segment{id: id, aead: aead}, nil
}

// newAEAD is AES-256-GCM with random nonces under the subkey of key for label.
func newAEAD(key *secret, label string) (cipher.AEAD, error) {
	sub, err := hkdf.Expand(sha256.New, key.b[:], "garrison keyring 1 "+label, 32)
	if err != nil {
		return nil, fmt.Errorf("keyring: derive: %w", err)
	}
	defer clear(sub)
	block, err := aes.NewCipher(sub)
	if err != nil {
		return nil, fmt.Errorf("keyring: derive: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("keyring: derive: %w", err)
	}
	return aead, nil
}

// cacheSegments bounds the segments that all scopes keep ready together, each about 1 KiB.
const cacheSegments = 16 << 10

// cache bounds the memory of ready segments over all scopes.
type cache struct {
	live  atomic.Int64
	sweep sync.Mutex
}

// added counts one more segment, and when there are too many drops those of
// scopes that were not used since the last time. The cost of looking at all
// scopes is spread over the segments that were added since.
func (c *cache) added(k *Keyring) {
	if c.live.Add(1) <= cacheSegments || !c.sweep.TryLock() {
		return
	}
	defer c.sweep.Unlock()
	k.mu.RLock()
	defer k.mu.RUnlock()
	c.drop(k, false)
	if c.live.Load() > cacheSegments/2 {
		c.drop(k, true)
	}
}

// drop forgets segments of untouched scopes, or of all, and counts what stays.
func (c *cache) drop(k *Keyring, all bool) {
	var stay int64
	for _, s := range k.scopes {
		if all || !s.touched.Swap(false) {
			s.out.Store(nil)
			s.in.Store(nil)
			continue
		}
		if s.out.Load() != nil {
			stay++
		}
		if in := s.in.Load(); in != nil {
			stay += int64(len(*in))
		}
	}
	c.live.Store(stay)
}
