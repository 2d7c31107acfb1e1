package hsm

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"
)

// faultyStore is a store whose module can be told to fail, with a key in it.
func faultyStore(t *testing.T) (*plant, *Store) {
	t.Helper()
	p := newPlant(t)
	p.faulty(t)
	s := p.open(t)
	s.limits.call = 2 * time.Second
	if err := s.Generate(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	return p, s
}

// TestHungModule: whoever hung is told so in time, and the next call is served by another helper.
func TestHungModule(t *testing.T) {
	p, s := faultyStore(t)
	s.limits.call = 300 * time.Millisecond
	first := s.current
	p.tell(t, "hang", true)
	err := within(t.Context(), t, 5*time.Second, func(ctx context.Context) error {
		_, err := s.Encrypt(ctx, "key", []byte("text"), nil)
		return err
	})
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("a call that hangs: %v", err)
	}
	<-first.done // it was killed
	s.limits.call = 10 * time.Second
	p.tell(t, "hang", false)
	if _, err := s.Encrypt(t.Context(), "key", []byte("text"), nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if s.current == first {
		t.Error("the helper that hung is still asked")
	}
}

// TestCallerLeaves: a caller who leaves while the module hangs has left; the module is ended all the same.
func TestCallerLeaves(t *testing.T) {
	p, s := faultyStore(t)
	s.limits.call = 500 * time.Millisecond
	first := s.current
	p.tell(t, "hang", true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := within(ctx, t, 400*time.Millisecond, func(ctx context.Context) error {
		_, err := s.Encrypt(ctx, "key", []byte("text"), nil)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller who left: %v", err)
	}
	<-first.done
}

// TestCrashingModule: a call that crashes the module is tried once more, no
// oftener, and starts come later and later.
func TestCrashingModule(t *testing.T) {
	p, s := faultyStore(t)
	p.tell(t, "crash", true)
	if _, err := s.Encrypt(t.Context(), "key", []byte("text"), nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a call that crashes: %v", err)
	}
	err := within(t.Context(), t, 100*time.Millisecond, func(ctx context.Context) error {
		_, err := s.Encrypt(ctx, "key", []byte("text"), nil)
		return err
	})
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("before the next start: %v", err)
	}
	p.tell(t, "crash", false)
	time.Sleep(s.limits.backoff)
	if _, err := s.Encrypt(t.Context(), "key", []byte("text"), nil); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// TestLostSession: a token that was taken out and put back is logged in to again.
func TestLostSession(t *testing.T) {
	p, s := faultyStore(t)
	p.tell(t, "lose", true)
	if _, err := s.Encrypt(t.Context(), "key", []byte("text"), nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a session that is lost twice: %v", err)
	}
	p.tell(t, "lose", false)
	time.Sleep(s.limits.backoff)
	if err := s.Connect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestKilledHelper: callers whose helper is killed under them notice nothing,
// once; and no call gets another's answer, whatever happens.
func TestKilledHelper(t *testing.T) {
	p := newPlant(t)
	s := p.open(t)
	s.limits.backoff = time.Millisecond
	if err := s.Generate(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			text := bytes.Repeat([]byte{byte(i)}, 100)
			for ctx.Err() == nil {
				sealed, err := s.Encrypt(ctx, "key", text, nil)
				if err == nil {
					var back []byte
					if back, err = s.Decrypt(ctx, "key", sealed, nil); err == nil && !bytes.Equal(back, text) {
						t.Errorf("another's answer: %x", back)
					}
				}
				if err != nil && !errors.Is(err, ErrUnavailable) && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	killed := 0
	for ; ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		s.mu.Lock()
		if s.current != nil {
			_ = syscall.Kill(s.current.command.Process.Pid, syscall.SIGKILL)
			killed++
		}
		s.mu.Unlock()
	}
	work.Wait()
	s.mu.Lock()
	s.notBefore = time.Time{}
	s.mu.Unlock()
	if err := s.Connect(t.Context()); err != nil || killed < 2 {
		t.Errorf("after %d ends: %v", killed, err)
	}
}

// TestStoppedHelper: a process that is there and does nothing is ended like one that hangs.
func TestStoppedHelper(t *testing.T) {
	p := newPlant(t)
	s := p.open(t)
	s.limits.call = 300 * time.Millisecond
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(s.current.command.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := s.Connect(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	s.limits.call = 10 * time.Second
	if err := s.Connect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHelperEndsWithItsParent: what ends without a word leaves no helper, even one that hangs.
func TestHelperEndsWithItsParent(t *testing.T) {
	p, s := faultyStore(t)
	p.tell(t, "hang", true)
	go func() { _, _ = s.Encrypt(t.Context(), "key", []byte("text"), nil) }()
	time.Sleep(100 * time.Millisecond)
	life := s.current
	life.writing.Lock()
	_ = life.requests.Close() // as the kernel does when a process has ended
	life.writing.Unlock()
	select {
	case <-life.done:
	case <-time.After(5 * time.Second):
		t.Error("the helper outlives its parent")
	}
}

// TestIVOfTheToken: modules that take no IV write theirs; one that writes none
// has used zeros, and its ciphertext is refused.
func TestIVOfTheToken(t *testing.T) {
	p := newPlant(t)
	p.faulty(t)
	p.List[0].IVFromHSM = true
	s, ctx := p.open(t), t.Context()
	if err := s.Generate(ctx, "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Encrypt(ctx, "key", []byte("text"), nil); !errors.Is(err, ErrUnsuited) {
		t.Errorf("an IV of zeros: %v", err)
	}
	p.tell(t, "iv", true)
	sealed, err := s.Encrypt(ctx, "key", []byte("text"), []byte("context"))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := s.Decrypt(ctx, "key", sealed, []byte("context")); err != nil || string(back) != "text" {
		t.Errorf("%q, %v", back, err)
	}
	p.List[0].IVFromHSM = false
	if _, err := p.open(t).Encrypt(ctx, "key", []byte("text"), nil); err == nil {
		t.Error("a module that takes no IV took one")
	}
}
