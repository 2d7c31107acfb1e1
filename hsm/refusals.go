package hsm

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"sync"
	"time"
)

const (
	refusedFor  = time.Hour
	maxRefusals = 1024
)

// refusals are the PINs that tokens have refused of late. Tokens lock their
// user out after a few wrong ones, for good: whoever may call with a store
// whose password is wrong could otherwise bring that about.
type refusals struct {
	mu   sync.Mutex
	key  []byte // of the digests below, so that nobody can try PINs on them elsewhere
	list map[[sha256.Size]byte]refusal
}

type refusal struct {
	err error
	at  time.Time
}

// digest stands for a PIN at a cluster. Callers hold mu.
func (r *refusals) digest(cluster string, pin []byte) (sum [sha256.Size]byte) {
	if r.key == nil {
		r.key = make([]byte, sha256.Size)
		rand.Read(r.key)
		r.list = map[[sha256.Size]byte]refusal{}
	}
	mac := hmac.New(sha256.New, r.key)
	_, _ = io.WriteString(mac, cluster+"=")
	_, _ = mac.Write(pin)
	return [sha256.Size]byte(mac.Sum(nil))
}

func (r *refusals) add(cluster string, pin []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := r.digest(cluster, pin)
	if len(r.list) >= maxRefusals {
		clear(r.list)
	}
	r.list[sum] = refusal{err, time.Now()}
}

// of is how a token refused a PIN; nil if it did not, or long ago.
func (r *refusals) of(cluster string, pin []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, ok := r.list[r.digest(cluster, pin)]; ok && time.Since(was.at) < refusedFor {
		return was.err
	}
	return nil
}
