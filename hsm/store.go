package hsm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/garrison-security/garrison/hsm/frame"
)

// Options are what Open needs. Helper is the helper program's path.
type Options struct {
	Cluster     Cluster
	Helper      string
	Environment []string // of the helper, as NAME=VALUE
	PIN         []byte   // of the token's user; copied
	Log         *slog.Logger
}

// limits are how long things may take.
type limits struct {
	start   time.Duration // the helper's start, with module and login
	call    time.Duration // a call that the token is doing
	quit    time.Duration
	backoff time.Duration // before the second start after a failure; doubled with each
	most    time.Duration // and no more than this; who lived longer has not failed
}

var usual = limits{start: 30 * time.Second, call: 10 * time.Second, quit: 3 * time.Second, backoff: 250 * time.Millisecond, most: 30 * time.Second}

// Store is one token, as one user. Its helper is started by the first call, and
// again after it has ended: at once, but later and later if that goes on. Calls
// in the meantime fail with ErrUnavailable. A PIN that was refused is never
// tried again, since a token that refuses several may take none any more.
//
// All methods may be called at once; the token does as many calls together as
// it has sessions, and the others wait for it as long as their contexts let them.
type Store struct {
	options Options
	limits  limits

	mu        sync.Mutex
	current   *process
	starting  chan struct{} // closed when the start under way has ended; nil: there is none
	failures  int           // in a row
	notBefore time.Time     // of the next start
	startErr  error         // how the last start failed
	refused   error         // the PIN was refused: nothing is tried any more
	onRefusal func(err error)
	closed    bool
}

// Open makes a store of a token. Nothing is started before the first call.
func Open(options Options) *Store {
	options.PIN = append([]byte(nil), options.PIN...)
	return &Store{options: options, limits: usual, onRefusal: func(error) {}}
}

// Connect makes sure that the token answers and its user is logged in.
func (s *Store) Connect(ctx context.Context) error {
	_, err := s.do(ctx, true, frame.Ping)
	return err
}

// Generate makes an AES-256 key in the token, under a label of at most MaxLabel
// bytes that no key has (else ErrKeyExists). Calls that end with ErrUnavailable
// or with their context may have made it.
func (s *Store) Generate(ctx context.Context, label string) error {
	_, err := s.do(ctx, false, frame.Generate, []byte(label))
	return err
}

// Encrypt seals up to MaxPlaintext bytes and binds up to MaxAAD bytes to them.
// The result is 29 bytes longer. A key seals 2^32 times at most.
func (s *Store) Encrypt(ctx context.Context, label string, plaintext, aad []byte) ([]byte, error) {
	sealed, err := s.do(ctx, true, frame.Encrypt, []byte(label), plaintext, aad)
	if err == nil && len(sealed) != len(plaintext)+frame.Overhead {
		return nil, ErrUnsuited
	}
	return sealed, err
}

// Decrypt opens what Encrypt sealed (else ErrUndecryptable).
func (s *Store) Decrypt(ctx context.Context, label string, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < frame.Overhead || len(sealed) > MaxPlaintext+frame.Overhead {
		return nil, ErrUndecryptable
	}
	plaintext, err := s.do(ctx, true, frame.Decrypt, []byte(label), sealed, aad)
	if err == nil && len(plaintext) != len(sealed)-frame.Overhead {
		return nil, ErrUnsuited
	}
	return plaintext, err
}

// Destroy removes a key from the token (ErrNoKey: it is not there, or not any more).
func (s *Store) Destroy(ctx context.Context, label string) error {
	_, err := s.do(ctx, false, frame.Destroy, []byte(label))
	return err
}

// Close ends the helper, and forgets the PIN.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	under, current := s.starting, s.current
	s.mu.Unlock()
	if under != nil {
		<-under
		s.mu.Lock()
		current = s.current
		s.mu.Unlock()
	}
	if current != nil {
		current.quit(s.limits.quit)
	}
	s.mu.Lock()
	clear(s.options.PIN)
	s.mu.Unlock()
	return nil
}

// do asks the token. What can be done twice is, if the helper ended under it
// for another's fault.
func (s *Store) do(ctx context.Context, again bool, op frame.Op, fields ...[]byte) ([]byte, error) {
	if err := frame.Check(op, fields); err != nil {
		return nil, ErrTooLarge
	}
	for {
		p, err := s.process(ctx)
		if err != nil {
			return nil, err
		}
		a, err := p.call(ctx, s.limits.call, op, fields...)
		if err == nil && a.Status == frame.Gone {
			p.end(errLost)
			err = errLost
		}
		switch {
		case err == nil:
			return a.Body, errorIn(a)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		s.failed(p, err)
		if !again || !errors.Is(err, errLost) {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		again = false
	}
}

// process is the helper's life under way, or a new one.
func (s *Store) process(ctx context.Context) (*process, error) {
	for {
		s.mu.Lock()
		switch {
		case s.closed:
			s.mu.Unlock()
			return nil, ErrClosed
		case s.refused != nil:
			s.mu.Unlock()
			return nil, s.refused
		case s.current != nil:
			defer s.mu.Unlock()
			return s.current, nil
		case s.starting == nil && time.Now().Before(s.notBefore):
			defer s.mu.Unlock()
			if s.startErr != nil {
				return nil, s.startErr
			}
			return nil, fmt.Errorf("%w: its helper has just failed", ErrUnavailable)
		case s.starting == nil:
			s.starting = make(chan struct{})
			go s.start(s.starting)
		}
		under := s.starting
		s.mu.Unlock()
		select {
		case <-under:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		s.mu.Lock()
		if s.current == nil && s.starting == nil && s.startErr != nil {
			defer s.mu.Unlock()
			return nil, s.startErr
		}
		s.mu.Unlock()
	}
}

// start starts the helper, for all who wait for it.
func (s *Store) start(under chan struct{}) {
	p, err := s.life()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(under)
	s.current, s.starting, s.startErr = p, nil, err
	if errors.Is(err, ErrWrongPIN) || errors.Is(err, ErrPINLocked) {
		s.refused = err
		s.onRefusal(err)
	}
	if err != nil {
		s.delay(time.Now())
		s.options.Log.Warn("a hardware security module can't be used", "cluster", s.options.Cluster.ID, "error", err)
	}
}

// life starts a process and opens the token in it.
func (s *Store) life() (*process, error) {
	c := s.options.Cluster
	for _, path := range []string{s.options.Helper, c.Module} {
		if err := CheckFile(path); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoModule, err)
		}
	}
	p, err := start(s.options.Helper, s.options.Environment)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	iv := ""
	if c.IVFromHSM {
		iv = "hsm"
	}
	pin := s.options.PIN
	if c.User != "" {
		pin = append([]byte(c.User+":"), pin...)
		defer clear(pin)
	}
	if len(pin) > frame.MaxPIN {
		p.end(errLost)
		return nil, ErrWrongPIN
	}
	ctx := context.Background() // those who wait have contexts of their own
	a, err := p.call(ctx, s.limits.start, frame.Open, []byte(c.Module), []byte(c.Token), []byte(c.Serial), pin, []byte(iv))
	if err == nil && a.Status == frame.OK && len(a.Body) == 1 && a.Body[0] > 0 {
		p.slots = make(chan struct{}, a.Body[0])
		return p, nil
	}
	if err == nil && a.Status == frame.OK {
		err = errLie
	} else if err == nil {
		p.end(errLost)
		return nil, errorIn(a)
	}
	p.end(err)
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// failed forgets a life that is over.
func (s *Store) failed(p *process, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != p {
		return
	}
	s.current, s.startErr = nil, nil
	if !s.closed {
		s.options.Log.Warn("the helper of a hardware security module ended", "cluster", s.options.Cluster.ID, "error", err)
	}
	s.delay(p.started)
}

// delay says when the next start may be, after a life that began at since.
func (s *Store) delay(since time.Time) {
	now := time.Now()
	if now.Sub(since) > s.limits.most {
		s.failures = 0
	}
	s.failures++
	s.notBefore = now
	if s.failures > 1 {
		s.notBefore = now.Add(min(s.limits.most, s.limits.backoff<<min(s.failures-2, 20)))
	}
}
