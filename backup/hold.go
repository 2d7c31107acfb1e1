package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

// A Hold says that a backup is under way, in whatever process: while it does, nothing that a snapshot may
// name is removed. It lapses when it is not renewed, so that a backup that died holds nothing up.
type hold struct{ Until time.Time }

var holds = store.NewTable[hold]("backup/hold")

// pace are the times of holds.
type pace struct{ lapse, renew time.Duration }

var usualPace = pace{lapse: 10 * time.Minute, renew: time.Minute}

// ErrLapsed means that a backup stood still for so long that what it was to hold may be gone.
var ErrLapsed = errors.New("backup: it stood still, and what it names may have been removed")

// Held tells whether a backup is under way. Asked in the transaction that gives
// something up, or in one before it is removed that saw that nobody names it any more,
// it answers for all snapshots that may name it.
func Held(tx store.Tx, now time.Time) (held bool, err error) {
	for entry, err := range holds.List(tx, "", nil) {
		if err != nil {
			return false, err
		}
		held = held || entry.Value.Until.After(now)
	}
	return held, nil
}

// Hold runs do under a hold. The context that it is given ends when the hold is lost.
func Hold(ctx context.Context, engine store.Engine, do func(context.Context) error) error {
	return usualPace.hold(ctx, engine, do)
}

func (p pace) hold(ctx context.Context, engine store.Engine, do func(context.Context) error) error {
	name := rand.Text()
	if err := p.take(ctx, engine, name); err != nil {
		return fmt.Errorf("backup: hold what is named: %w", err)
	}
	held, lose := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { p.keep(held, engine, name, lose) })
	err := do(held)
	if cause := context.Cause(held); errors.Is(cause, ErrLapsed) {
		err = cause
	}
	lose(nil)
	renewing.Wait()
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = engine.Update(after, func(tx store.Tx) error { return holds.Delete(tx, "", name) }) // or else it lapses
	return err
}

// take takes a hold and removes those that have lapsed.
func (p pace) take(ctx context.Context, engine store.Engine, name string) error {
	return engine.Update(ctx, func(tx store.Tx) error {
		now := time.Now()
		for entry, err := range holds.List(tx, "", nil) {
			if err == nil && !entry.Value.Until.After(now) {
				err = holds.Delete(tx, "", entry.Parts...)
			}
			if err != nil {
				return err
			}
		}
		return holds.Put(tx, "", &hold{now.Add(p.lapse)}, name)
	})
}

// keep renews the hold until ctx ends, or ends ctx when it could not be renewed in time.
func (p pace) keep(ctx context.Context, engine store.Engine, name string, lose context.CancelCauseFunc) {
	until := time.Now().Add(p.lapse)
	ticker := time.NewTicker(p.renew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		began := time.Now()
		err := engine.Update(ctx, func(tx store.Tx) error {
			have, err := holds.Get(tx, "", name)
			if err == nil && !have.Until.After(began) {
				err = ErrLapsed
			}
			if err != nil {
				return err
			}
			return holds.Put(tx, "", &hold{began.Add(p.lapse)}, name)
		})
		switch {
		case err == nil:
			until = began.Add(p.lapse)
		case errors.Is(err, ErrLapsed), errors.Is(err, store.ErrNotFound), !time.Now().Before(until):
			lose(ErrLapsed)
			return
		}
	}
}
