package sts

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"

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
}

// generation is how many tokens one holds, each about 1 KiB, 10 KiB at most.
const generation = 4096

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
	if o.young == nil || len(o.young) >= generation {
		o.old, o.young = o.young, make(map[[sha256.Size]byte]*gateway.Credential)
	}
	o.young[digest] = c
}
