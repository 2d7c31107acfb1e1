package sigv4

import (
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// key is a signing key, ready to use. It is safe for concurrent use.
type key struct {
	secret []byte    // the secret it was derived of
	macs   sync.Pool // V4: of hash.Hash keyed with the signing key
	v4a    bool
	public *ecdsa.PublicKey // V4a
}

// mac is a keyed HMAC and room for what it comes to.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
	hex [2 * sha256.Size]byte
}

// verifies says whether given, in hexadecimal, is the key's signature of text.
func (k *key) verifies(text []byte, given string) bool {
	if !k.v4a {
		m := k.macs.Get().(*mac)
		defer k.macs.Put(m)
		m.Reset()
		m.Write(text)
		hex.Encode(m.hex[:], m.Sum(m.sum[:0]))
		return equal(m.hex[:], []byte(given))
	}
	var der [maxGiven / 2]byte
	if len(given) > maxGiven || len(given)%2 != 0 || len(given) == 0 {
		given = wrongDER // as much work as a right one
	}
	n, err := hex.Decode(der[:], []byte(given))
	if err != nil {
		n, _ = hex.Decode(der[:], []byte(wrongDER))
	}
	sum := sha256.Sum256(text)
	return k.public != nil && ecdsa.VerifyASN1(k.public, sum[:], der[:n])
}

// wrongDER is a well-formed signature (1, 1) that no key of ours has made.
const wrongDER = "3006020101020101"

// keyID is what a signing key is derived of, but for the secret.
type keyID struct{ access, date, region, service string }

// KeyCache keeps signing keys, which are good for a day. A key is used for the
// secret that it was derived of alone, so a changed secret needs no
// invalidation. It is bounded and safe for concurrent use.
type KeyCache struct {
	dummy  string  // stands for the secret of an unknown key id
	spares [2]*key // stand for a key that is not cached: V4's and V4a's

	mu         sync.RWMutex
	young, old map[keyID]*key // when young is full it becomes old, and old goes
	size       int
}

// NewKeyCache makes a cache of up to size keys; 0 means 4096.
func NewKeyCache(size int) *KeyCache {
	if size <= 0 {
		size = 4096
	}
	c := &KeyCache{dummy: rand.Text() + rand.Text(), size: size, young: map[keyID]*key{}, old: map[keyID]*key{}}
	for i, algorithm := range [...]Algorithm{V4, V4a} {
		c.spares[i] = c.derive(&Signature{Algorithm: algorithm}, rand.Text())
	}
	return c
}

// spare is a ready key of the signature's algorithm that nobody has.
func (c *KeyCache) spare(s *Signature) *key {
	if s.Algorithm == V4a {
		return c.spares[1]
	}
	return c.spares[0]
}

func (s *Signature) keyID() keyID {
	if s.Algorithm == V4a {
		return keyID{access: s.AccessKeyID, service: string(V4a)}
	}
	return keyID{s.AccessKeyID, s.Date, s.Region, s.Service}
}

// get finds the key for s that was derived of secret.
func (c *KeyCache) get(s *Signature, secret string) (*key, bool) {
	id := s.keyID()
	c.mu.RLock()
	k, isYoung := c.young[id]
	if !isYoung {
		k = c.old[id]
	}
	c.mu.RUnlock()
	if k == nil || !equal(k.secret, []byte(secret)) {
		return nil, false
	}
	if !isYoung {
		c.put(s, k)
	}
	return k, true
}

// put keeps a key, once a signature was right by it: guesses displace nothing.
func (c *KeyCache) put(s *Signature, k *key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= (c.size+1)/2 {
		c.young, c.old = make(map[keyID]*key, len(c.young)), c.young
	}
	c.young[s.keyID()] = k
}

// leastSecret is the length that makes a key of HMAC of 112 bits, with "AWS4"
// before it. Where FIPS 140-3 is enforced a shorter one signs nothing.
const leastSecret = 112/8 - len("AWS4")

// derive makes the signing key of s out of secret.
func (c *KeyCache) derive(s *Signature, secret string) *key {
	k := &key{secret: []byte(secret)}
	if len(secret) < leastSecret && fips140.Enforced() {
		secret = c.dummy
	}
	if s.Algorithm == V4a {
		k.v4a = true
		if pair := derivePair(secret, s.AccessKeyID); pair != nil {
			k.public = &pair.PublicKey
		}
		return k
	}
	signing := chain([]byte("AWS4"+secret), s.Date, s.Region, s.Service, terminator)
	k.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, signing)} }
	return k
}

// chain is the HMAC of each part in turn, keyed with the one before it.
func chain(key []byte, parts ...string) []byte {
	for _, part := range parts {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return key
}
