package postgres

import (
	"sync"
	"time"
)

// queue hands what many bring to those who take it in groups.
type queue[T any] struct {
	mu      sync.Mutex
	waiting []T           // under mu
	closed  error         // under mu
	target  int           // under mu: at so many waiting it wakes, too
	wake    chan struct{} // of capacity 1
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

func (q *queue[T]) push(v T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return q.closed
	}
	if q.waiting = append(q.waiting, v); len(q.waiting) == 1 || len(q.waiting) == q.target {
		q.signal()
	}
	return nil
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take takes what is there, at least one if there is any, as long as fits. open
// is false when the queue is closed and empty. Whoever takes waits for wake first.
func (q *queue[T]) take(fits func(n int, v T) bool) (taken []T, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.waiting) && (fits(n, q.waiting[n]) || n == 0) {
		n++
	}
	taken = append(taken, q.waiting[:n]...)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	if rest > 0 || q.closed != nil {
		q.signal()
	}
	return taken, q.closed == nil || n > 0
}

func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// await returns when n wait, after a while, or when the queue is closed.
func (q *queue[T]) await(n int, while time.Duration) {
	q.mu.Lock()
	if len(q.waiting) >= n || q.closed != nil {
		q.mu.Unlock()
		return
	}
	q.target = n
	select { // what has been told already is no news
	case <-q.wake:
	default:
	}
	q.mu.Unlock()
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-q.wake:
	case <-timer.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.target = 0
}

// close refuses all later pushes with err. What is queued is still taken.
func (q *queue[T]) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == nil {
		q.closed = err
	}
	q.signal()
}
