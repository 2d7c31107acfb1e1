package pebble

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
)

const (
	groupCount = 1024     // transactions that are committed together, at most
	groupBytes = 16 << 20 // and bytes, but always one transaction
	// heldAtMost is what an attempt may cost that runs while all others wait.
	heldAtMost = 100 * time.Microsecond
)

// group is the transactions that are committed in one batch.
type group struct {
	number uint64        // rises by one; the position of its transactions
	done   chan struct{} // closed when the group is durable, or will never be
	err    error         // set before done is closed
}

// wait returns when the group is durable.
func (g *group) wait(ctx context.Context) error {
	select {
	case <-g.done:
		return g.err
	default:
	}
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// What becomes of a request. Its caller moves it from waiting to withdrawn, and
// from held to over; the committer does the rest.
const (
	waiting   = int32(iota)
	withdrawn // its caller went away before it was taken: nothing of it takes place
	taken
	held    // its caller runs it again while the committer waits
	over    // its caller has done so
	revoked // it took too long; what it has read may be stale
)

// request is a transaction at the committer.
type request struct {
	tx    *tx
	quick bool // it may be run again while the committer waits
	alone bool // it goes in a group of its own, because one that it was in could not be packed
	state atomic.Int32
	over  chan struct{} // made when it becomes held, for its caller to say that it is over
	reply chan reply    // of capacity 1
}

// reply is the committer's word to the caller.
type reply struct {
	fate fate
	err  error // with failed
}

type fate int

const (
	committed fate = iota // and durable
	conflicted
	granted // run it again: nothing else is committed meanwhile
	repack  // nothing took place: ask again, alone
	failed
)

func (r *request) answer(f fate, err error) { r.reply <- reply{f, err} }

// finish tells the committer, which waits, that the held attempt is over. It
// answers false if that came too late.
func (r *request) finish() bool {
	if !r.state.CompareAndSwap(held, over) {
		return false
	}
	close(r.over)
	return true
}

// queue is what the committer has not yet taken.
type queue struct {
	mu      sync.Mutex
	waiting []*request    // under mu
	closed  error         // under mu
	wake    chan struct{} // of capacity 1
}

// push asks for r to be committed.
func (q *queue) push(r *request) error {
	q.mu.Lock()
	if q.closed != nil {
		q.mu.Unlock()
		return q.closed
	}
	q.waiting = append(q.waiting, r)
	first := len(q.waiting) == 1
	q.mu.Unlock()
	if first {
		q.signal()
	}
	return nil
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// take waits for requests and takes as many as make a group; none means that
// the queue is closed and empty. It lets other goroutines run first until they
// bring no more: that makes groups larger at no cost in time (PATH: 18 to 26
// at 64 callers).
func (q *queue) take() []*request {
	n := q.len()
	for n == 0 {
		q.mu.Lock()
		ended := q.closed != nil && len(q.waiting) == 0
		q.mu.Unlock()
		if ended {
			return nil
		}
		<-q.wake
		n = q.len()
	}
	for n < groupCount {
		runtime.Gosched()
		more := q.len()
		if more == n {
			break
		}
		n = more
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	count, size := 0, 0
	for count < len(q.waiting) && count < groupCount {
		if size += q.waiting[count].tx.changes.Bytes; size > groupBytes && count > 0 {
			break
		}
		count++
	}
	taken := append([]*request(nil), q.waiting[:count]...)
	rest := copy(q.waiting, q.waiting[count:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	if rest > 0 {
		q.signal()
	}
	return taken
}

// close refuses all later requests with err. What is queued is still taken.
func (q *queue) close(err error) {
	q.mu.Lock()
	if q.closed == nil {
		q.closed = err
	}
	q.mu.Unlock()
	q.signal()
}

// drain takes all that is queued.
func (q *queue) drain() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting = nil
	return all
}

// unavailable wraps an error of the database, whose type goes no further.
func unavailable(err error) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
}
