// Package feed wakes whoever waits for an engine's rows of events.
package feed

import (
	"context"
	"sync"
)

// Feed is a mark that rises, and whoever waits for it. The zero Feed is at 0.
type Feed struct {
	mu    sync.Mutex
	mark  uint64        // under mu
	more  chan struct{} // under mu: closed when mark rises or the feed ends; nil while none waits
	ended error         // under mu
}

// Raise sets the mark.
func (f *Feed) Raise(to uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mark = to
	f.wake()
}

// Add raises the mark by one.
func (f *Feed) Add() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mark++
	f.wake()
}

// End lets no one wait any more: they are given err.
func (f *Feed) End(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = err
	f.wake()
}

func (f *Feed) wake() {
	if f.more != nil {
		close(f.more)
		f.more = nil
	}
}

// Mark is where the feed stands.
func (f *Feed) Mark() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mark
}

// Waited tells whether anybody waits.
func (f *Feed) Waited() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.more != nil
}

// Wait returns when the mark is above mark, with where it is then; or when the
// feed or ctx ends, with why. Waiting, if it is not nil, is run before it blocks.
func (f *Feed) Wait(ctx context.Context, mark uint64, waiting func()) (uint64, error) {
	for {
		f.mu.Lock()
		if f.ended != nil || f.mark > mark || ctx.Err() != nil {
			defer f.mu.Unlock()
			switch {
			case f.ended != nil:
				return mark, f.ended
			case ctx.Err() != nil:
				return mark, ctx.Err()
			}
			return f.mark, nil
		}
		if f.more == nil {
			f.more = make(chan struct{})
		}
		more := f.more
		f.mu.Unlock()
		if waiting != nil {
			waiting()
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
}
