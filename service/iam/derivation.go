package iam

import (
	"context"
	"runtime"
	"sync"

	"github.com/garrison-security/garrison/aws"
)

// derivationsKept is how many derivations of one account may wait or run: as
// many as are done before their calls' time has passed.
const derivationsKept = 32

// derivations lets half of the processors derive passwords, so that whoever
// sets many leaves the other half to all other calls.
type derivations struct {
	turns chan struct{}

	mu  sync.Mutex
	per map[string]int // waiting or running, by account
}

func newDerivations() derivations {
	return derivations{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), per: map[string]int{}}
}

// enter waits for a turn, which leave gives back. It is refused as throttled if
// too many of the account's wait, and with ctx's error when that ends.
func (d *derivations) enter(ctx context.Context, account string) (leave func(), err error) {
	d.mu.Lock()
	full := d.per[account] >= derivationsKept
	if !full {
		d.per[account]++
	}
	d.mu.Unlock()
	if full {
		return nil, &aws.Error{Kind: aws.Throttled, Message: "Rate exceeded"}
	}
	select {
	case d.turns <- struct{}{}:
		return func() { <-d.turns; d.forget(account) }, nil
	case <-ctx.Done():
		d.forget(account)
		return nil, ctx.Err()
	}
}

func (d *derivations) forget(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.per[account]--; d.per[account] == 0 {
		delete(d.per, account)
	}
}
