package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// Limits bound what callers may ask for. The zero value leaves rates open;
// bounds on calls in flight always hold.
type Limits struct {
	// Rates are calls a second for each account and operation ("iam:CreateUser"), a service's
	// operations together ("iam:*"), or all of an account's ("*"); the most particular counts.
	Rates map[string]Rate
	// InFlight bounds the calls being carried out at once; 0 means 1,024.
	InFlight int
	// Waiting bounds the calls that wait (long polls) at once; 0 means 4,096.
	Waiting int
	// Streaming bounds the calls whose bodies are received while they are carried out, at once; 0 means 2,048.
	Streaming int
	// Receiving bounds the calls whose bodies are on their way at once; 0 means 8,192.
	Receiving int
	// BodyBytes bounds the memory of request bodies held at once; 0 means 256 MiB.
	BodyBytes int64
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64
	Burst     int
}

const (
	defaultInFlight  = 1024
	defaultWaiting   = 4096
	defaultStreaming = 2048
	defaultReceiving = 8192
	defaultBodyBytes = 256 << 20
	// mostBuckets bounds the memory of buckets; beyond it the idle ones are forgotten, then all.
	mostBuckets = 100_000
)

type limiter struct {
	Limits
	inFlight, waiting            atomic.Int64
	streaming, receiving, bodies *room

	mu      sync.Mutex // guards buckets
	buckets map[bucketName]*rate.Limiter
}

type bucketName struct{ account, what string }

func newLimiter(l Limits) *limiter {
	if l.InFlight == 0 {
		l.InFlight = defaultInFlight
	}
	if l.Waiting == 0 {
		l.Waiting = defaultWaiting
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = defaultBodyBytes
	}
	if l.Receiving == 0 {
		l.Receiving = defaultReceiving
	}
	if l.Streaming == 0 {
		l.Streaming = defaultStreaming
	}
	return &limiter{
		Limits: l, streaming: newRoom(int64(l.Streaming)), receiving: newRoom(int64(l.Receiving)), bodies: newRoom(l.BodyBytes),
		buckets: map[bucketName]*rate.Limiter{},
	}
}

// place takes a place for carrying r out, and reports whether there was one.
// Only what has arrived whole takes one of those that most calls need: one
// that sends slowly holds none. A long poll holds a place of its own kind, and
// so does a body that is received meanwhile, of which one source holds half at most.
func (l *limiter) place(r *request) (release func(), ok bool) {
	switch op := r.operation; {
	case op != nil && op.streams:
		share := l.streaming.share(r.from.address)
		return func() { l.streaming.leave(share, 1) }, l.streaming.enter(share, 1)
	case op != nil && op.waits:
		return func() { leave(&l.waiting, 1) }, enter(&l.waiting, 1, int64(l.Waiting))
	}
	return l.leaveInFlight, enter(&l.inFlight, 1, int64(l.InFlight))
}

func (l *limiter) leaveInFlight() { leave(&l.inFlight, 1) }

// enter takes n of a bound, and reports whether there was room. Leave with leave.
func enter(gauge *atomic.Int64, n, bound int64) bool {
	if gauge.Add(n) <= bound {
		return true
	}
	gauge.Add(-n)
	return false
}

func leave(gauge *atomic.Int64, n int64) { gauge.Add(-n) }

// admit counts a call against its account's rates.
func (l *limiter) admit(account string, op *aws.Operation, now time.Time) error {
	if len(l.Rates) == 0 || op == nil {
		return nil
	}
	service := op.Service.ActionPrefix
	for _, what := range [...]string{service + ":" + op.Name, service + ":*", "*"} {
		bound, ok := l.Rates[what]
		if !ok {
			continue
		}
		if l.bucket(bucketName{account, what}, bound, now).AllowN(now, 1) {
			return nil
		}
		return &aws.Error{Kind: aws.Throttled, Message: "Rate exceeded"}
	}
	return nil
}

func (l *limiter) bucket(name bucketName, bound Rate, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[name]
	if b != nil {
		return b
	}
	if len(l.buckets) >= mostBuckets {
		for old, idle := range l.buckets {
			if idle.TokensAt(now) >= float64(idle.Burst()) {
				delete(l.buckets, old)
			}
		}
		if len(l.buckets) >= mostBuckets {
			clear(l.buckets)
		}
	}
	b = rate.NewLimiter(rate.Limit(bound.PerSecond), bound.Burst)
	l.buckets[name] = b
	return b
}

// freeSpace remembers for a second whether there is room to write.
type freeSpace struct {
	engine  store.Engine
	minimum float64
	checked atomic.Int64 // Unix nanoseconds
	short   atomic.Bool
}

// low reports whether less than the minimum is free.
func (f *freeSpace) low(now time.Time) bool {
	last := f.checked.Load()
	if now.UnixNano()-last > int64(time.Second) && f.checked.CompareAndSwap(last, now.UnixNano()) {
		f.short.Store(f.engine.Free() < f.minimum)
	}
	return f.short.Load()
}
