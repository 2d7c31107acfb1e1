package trail

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

// pace are the times of leases. The work of a node that dies goes on elsewhere after
// lapse and look at most, and what a takeover takes.
type pace struct {
	beat  time.Duration // between signs of life of the holder
	lapse time.Duration // how long a contender sees no sign of life before it takes over
	look  time.Duration // between looks of a contender
}

var usualPace = pace{beat: 2 * time.Second, lapse: 6 * time.Second, look: time.Second}

// releaseTime bounds the handing back of a lease by a follower that ends.
const releaseTime = 2 * time.Second

// errLost means that another process has taken a follower's lease.
var errLost = errors.New("trail: the lease is another's")

// lease says which of the processes that follow under one name does the work.
// It is read in each transaction in which that process writes, so that one
// that was paused, and wakes when another has taken over, can't write.
type lease struct {
	epoch  uint64 // rises with each holder
	holder string // a new name each time; "": it was handed back
}

// tenancy is a lease with its holder's last sign of life. Beats stand in a row of
// their own: else each would make the holder's transaction under way run again.
type tenancy struct {
	lease
	beat uint64
}

func leaseKey(name string) []byte { return store.Key(table, "", "lease", name) }
func beatKey(name string) []byte  { return store.Key(table, "", "beat", name) }

func (l lease) value() []byte {
	return append(binary.AppendUvarint([]byte{1}, l.epoch), l.holder...)
}

func beatValue(n uint64) []byte { return binary.AppendUvarint([]byte{1}, n) }

// numberIn is the number at the start of a value of this version, and what follows it.
func numberIn(value []byte) (n uint64, rest []byte, err error) {
	if len(value) == 0 || value[0] != 1 {
		return 0, nil, errors.New("trail: a lease of another version")
	}
	n, size := binary.Uvarint(value[1:])
	if size <= 0 {
		return 0, nil, errors.New("trail: a damaged lease")
	}
	return n, value[1+size:], nil
}

// leaseOf is the lease of a name; the zero one if nobody ever took it.
func leaseOf(tx store.Tx, name string) (l lease, err error) {
	value, err := tx.Get(leaseKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return lease{}, nil
	}
	if err != nil {
		return lease{}, err
	}
	epoch, holder, err := numberIn(value)
	return lease{epoch, string(holder)}, err
}

func tenancyOf(tx store.Tx, name string) (t tenancy, err error) {
	if t.lease, err = leaseOf(tx, name); err != nil || t.holder == "" {
		return t, err
	}
	value, err := tx.Get(beatKey(name))
	if err == nil {
		t.beat, _, err = numberIn(value)
	}
	return t, err
}

// Holds tells whether this process is the one that follows under name. Where
// no other can, it is.
func (t *Trail) Holds(name string) bool {
	_, ok := t.held.Load(name)
	return ok || !store.IsShared(t.Engine)
}

// tenure waits for the lease and follows under it. It returns nil when the lease
// was lost, else why following ended.
func (f *follower) tenure(ctx context.Context) error {
	mine, err := f.await(ctx)
	if err != nil {
		return err
	}
	f.lease, f.at = &mine, nil
	f.held.Store(f.name, nil)
	defer f.held.Delete(f.name)
	held, end := context.WithCancelCause(ctx)
	var beating sync.WaitGroup
	beating.Go(func() { f.beats(held, mine, end) })
	err = f.work(held)
	end(nil)
	beating.Wait()
	if ctx.Err() == nil && (errors.Is(err, errLost) || errors.Is(context.Cause(held), errLost)) {
		return nil
	}
	f.release(ctx)
	return err
}

// await returns once the lease is this follower's: because nobody held it, or
// because it has seen no sign of the holder's life for long enough, by its own
// clock and over looks of its own. Clocks of machines are never compared.
func (f *follower) await(ctx context.Context) (lease, error) {
	var seen tenancy
	var since time.Time
	for {
		var now tenancy
		looked := time.Now()
		err := f.Engine.View(ctx, func(tx store.Tx) (err error) {
			now, err = tenancyOf(tx, f.name)
			return err
		})
		if err != nil {
			return lease{}, err
		}
		if now.holder == "" || now == seen && looked.Sub(since) >= f.pace.lapse {
			mine, err := f.take(ctx, now)
			if !errors.Is(err, errLost) {
				return mine, err
			}
		}
		if now != seen {
			seen, since = now, time.Now()
		}
		if err := sleep(ctx, f.pace.look); err != nil {
			return lease{}, err
		}
	}
}

// take makes the lease this follower's, unless it is no longer as it was seen.
func (f *follower) take(ctx context.Context, from tenancy) (lease, error) {
	mine := lease{from.epoch + 1, NewID()}
	return mine, f.Engine.Update(ctx, func(tx store.Tx) error {
		now, err := tenancyOf(tx, f.name)
		switch {
		case err != nil:
			return err
		case now != from:
			return errLost
		}
		return errors.Join(tx.Put(leaseKey(f.name), mine.value()), tx.Put(beatKey(f.name), beatValue(0)))
	})
}

// fence answers errLost unless the lease is still mine, and makes the transaction depend on it.
func (f *follower) fence(tx store.Tx, mine lease) error {
	now, err := leaseOf(tx, f.name)
	if err == nil && now != mine {
		err = errLost
	}
	return err
}

// beats gives signs of life until ctx ends, or ends the tenure when the lease is
// lost. A beat that fails otherwise is followed by the next: what is written is fenced.
func (f *follower) beats(ctx context.Context, mine lease, end context.CancelCauseFunc) {
	for n := uint64(1); sleep(ctx, f.pace.beat) == nil; n++ {
		err := f.Engine.Update(ctx, func(tx store.Tx) error {
			if err := f.fence(tx, mine); err != nil {
				return err
			}
			return tx.Put(beatKey(f.name), beatValue(n))
		})
		if errors.Is(err, errLost) {
			end(fmt.Errorf("%w: %s", errLost, f.name))
			return
		}
	}
}

// release hands the lease back, so that the next holder need not wait for it to
// lapse. If that fails it lapses.
func (f *follower) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	_ = f.Engine.Update(ctx, func(tx store.Tx) error {
		if err := f.fence(tx, *f.lease); err != nil {
			return err
		}
		return tx.Put(leaseKey(f.name), lease{epoch: f.lease.epoch}.value())
	})
}
