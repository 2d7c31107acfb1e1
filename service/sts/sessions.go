package sts

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

var _ gateway.Sessions = (*Service)(nil)

// Open implements gateway.Sessions.
func (s *Service) Open(token, accessKeyID string) (*gateway.Credential, error) {
	if len(token) > maxToken {
		return nil, errToken
	}
	digest := sha256.Sum256([]byte(token))
	if opened := s.opened.get(digest); opened != nil {
		if subtle.ConstantTimeCompare([]byte(opened.Principal.AccessKeyID), []byte(accessKeyID)) != 1 {
			return nil, errToken
		}
		return opened, nil
	}
	opened, err := s.unseal(token, accessKeyID)
	if err != nil {
		return nil, err
	}
	s.opened.put(digest, opened)
	return opened, nil
}

// openedTokens keeps what tokens opened to, by the tokens' SHA-256. It holds
// two generations: when the young one is full it becomes the old one, and the
// old one is forgotten.
type openedTokens struct {
	mu         sync.RWMutex
	young, old map[[sha256.Size]byte]*gateway.Credential
	weight     int // of the young one, bytes
}

// generation is what one may weigh: 8,000 sessions without policies and tags,
// 100 of those that have as many of them as can be.
const generation = 8 << 20

func (o *openedTokens) get(digest [sha256.Size]byte) *gateway.Credential {
	o.mu.RLock()
	c, young := o.young[digest]
	if !young {
		c = o.old[digest]
	}
	o.mu.RUnlock()
	if c != nil && !young {
		o.put(digest, c)
	}
	return c
}

func (o *openedTokens) put(digest [sha256.Size]byte, c *gateway.Credential) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.young == nil || o.weight > generation {
		o.old, o.young, o.weight = o.young, make(map[[sha256.Size]byte]*gateway.Credential), 0
	}
	if _, known := o.young[digest]; !known {
		o.young[digest] = c
		o.weight += weigh(c.Principal.Session)
	}
}

// weigh is about how many bytes a session takes.
func weigh(s *aws.Session) int {
	n := 1024
	for _, text := range s.Policies {
		n += len(text)
	}
	for _, text := range s.PolicyARNs {
		n += len(text)
	}
	for key, value := range s.Tags {
		n += len(key) + len(value) + 64
	}
	return n
}
