package gateway

import (
	"context"
	"runtime"
	"sync"

	"github.com/garrison-security/garrison/aws"
)

// Turns lets half of the processors do the heavy work of Prepare operations
// (deriving passwords, making keys, signing), so that whoever asks for much
// leaves the other half to all other calls.
type Turns struct {
	turns chan struct{}
	kept  int

	mu  sync.Mutex
	per map[string]int // waiting or running, by account
}

// NewTurns makes Turns with none taken. Kept is how many pieces of work of one
// account may wait or run: about as many as are done before their calls' time has passed.
func NewTurns(kept int) *Turns {
	return &Turns{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), kept: kept, per: map[string]int{}}
}

// Enter waits for a turn, which leave gives back. It is refused as throttled if
// too many of the account's wait, and with ctx's error when that ends.
func (t *Turns) Enter(ctx context.Context, account string) (leave func(), err error) {
	t.mu.Lock()
	full := t.per[account] >= t.kept
	if !full {
		t.per[account]++
	}
	t.mu.Unlock()
	if full {
		return nil, &aws.Error{Kind: aws.Throttled, Message: "Rate exceeded"}
	}
	select {
	case t.turns <- struct{}{}:
		return func() { <-t.turns; t.forget(account) }, nil
	case <-ctx.Done():
		t.forget(account)
		return nil, ctx.Err()
	}
}

func (t *Turns) forget(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.per[account]--; t.per[account] == 0 {
		delete(t.per, account)
	}
}
