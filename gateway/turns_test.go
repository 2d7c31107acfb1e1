package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/aws"
)

const turnsKept = 32

// TestAFloodOfWorkKeepsNobodyOut lets one account ask for more heavy work than
// there are turns for.
func TestAFloodOfWorkKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewTurns(turnsKept)
		var mu sync.Mutex
		running, most, throttled, done := 0, 0, 0, 0
		count := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
		flood := func(account string) {
			leave, err := d.Enter(t.Context(), account)
			if e, ok := errors.AsType[*aws.Error](err); ok && e.Kind == aws.Throttled {
				count(func() { throttled++ })
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			count(func() { running++; most = max(most, running) })
			time.Sleep(time.Second)
			count(func() { running--; done++ })
			leave()
		}
		start := func(account string) { go flood(account); synctest.Wait() }
		for range 100 {
			start("111111111111")
		}
		if throttled != 100-turnsKept {
			t.Errorf("%d of 100 were throttled, want all but %d", throttled, turnsKept)
		}
		start("222222222222")
		time.Sleep(time.Minute)
		synctest.Wait()
		if done != turnsKept+1 {
			t.Errorf("%d were done, want %d: another account's among them", done, turnsKept+1)
		}
		if most > cap(d.turns) {
			t.Errorf("%d ran at once, of %d turns", most, cap(d.turns))
		}
		if len(d.per) != 0 {
			t.Errorf("accounts are remembered: %v", d.per)
		}

		for range cap(d.turns) {
			start("111111111111")
		}
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := d.Enter(short, "222222222222"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one whose time has passed got %v", err)
		}
		time.Sleep(time.Minute)
	})
}
