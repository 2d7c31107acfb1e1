package pebble

import (
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
	// vainAtMost is how long the committer lets others run for nothing before it stops doing so for
	// hurryFor groups.
	vainAtMost = 200 * time.Microsecond
	hurryFor   = 32
)

// group is the transactions that are committed in one batch.
type group struct {
	number uint64        // rises by one; the position of its transactions
	done   chan struct{} // closed when the group is durable
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
	hurry   int           // the committer's: so many groups more are taken without letting others run first
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
// the queue is closed and empty.
func (q *queue) take() []*request {
	q.await()
	q.gather()
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

// await returns when something is queued, or nothing will be.
func (q *queue) await() {
	for {
		q.mu.Lock()
		ready := len(q.waiting) > 0 || q.closed != nil
		q.mu.Unlock()
		if ready {
			return
		}
		<-q.wake
	}
}

// gather lets other goroutines run first until they bring no more requests.
// That makes groups larger at no cost in time, unless the others are busy with
// something else: then it is not tried again for a while.
func (q *queue) gather() {
	if q.hurry > 0 {
		q.hurry--
		return
	}
	for n := q.len(); n > 0 && n < groupCount; {
		began := time.Now()
		runtime.Gosched()
		more := q.len()
		if more == n {
			if time.Since(began) > vainAtMost {
				q.hurry = hurryFor
			}
			return
		}
		n = more
	}
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

// unavailable wraps an error of the database, whose type goes no further.
func unavailable(err error) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
}
