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

// releaseTime bounds the handing back of a lease by a tenant that ends.
const releaseTime = 2 * time.Second

// errLost means that another process has taken a lease.
var errLost = errors.New("trail: the lease is another's")

// lease says which of the processes that would do the work of a name does it.
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

// Holds tells whether this process is the one that follows, or works, under name.
// Where no other can, it is.
func (t *Trail) Holds(name string) bool {
	_, ok := t.held.Load(name)
	return ok || !store.IsShared(t.Engine)
}

// Alone runs work while no other process does under the same name, until ctx ends
// or work does. On a store that several share it waits for a lease; work's context
// ends when that is lost, and work is begun again with the next. Writes are not
// fenced: what work does must bear being done twice for the time of a takeover.
func (t *Trail) Alone(ctx context.Context, name string, work func(context.Context) error) error {
	if !store.IsShared(t.Engine) {
		return work(ctx)
	}
	mine := t.newTenant(name)
	for {
		if err := mine.tenure(ctx, work); err != nil {
			return err
		}
	}
}

// tenant does what one process at a time does under a name.
type tenant struct {
	*Trail
	name  string
	pace  pace
	lease *lease // under which it works; nil where nobody else can
}

func (t *Trail) newTenant(name string) tenant { return tenant{Trail: t, name: name, pace: usualPace} }

// update runs fn in a transaction that takes place only under the lease.
func (t *tenant) update(ctx context.Context, fn func(store.Tx) error) error {
	return t.Engine.Update(ctx, func(tx store.Tx) error {
		if t.lease != nil {
			if err := t.fence(tx, *t.lease); err != nil {
				return err
			}
		}
		return fn(tx)
	})
}

// tenure waits for the lease and works under it. It returns nil when the lease
// was lost, else why the work ended.
func (t *tenant) tenure(ctx context.Context, work func(context.Context) error) error {
	mine, err := t.await(ctx)
	if err != nil {
		return err
	}
	t.lease = &mine
	t.held.Store(t.name, nil)
	defer t.held.Delete(t.name)
	held, end := context.WithCancelCause(ctx)
	var beating sync.WaitGroup
	beating.Go(func() { t.beats(held, mine, end) })
	err = work(held)
	end(nil)
	beating.Wait()
	if ctx.Err() == nil && (errors.Is(err, errLost) || errors.Is(context.Cause(held), errLost)) {
		return nil
	}
	t.release(ctx)
	return err
}

// await returns once the lease is this tenant's: because nobody held it, or
// because it has seen no sign of the holder's life for long enough, by its own
// clock and over looks of its own. Clocks of machines are never compared.
func (t *tenant) await(ctx context.Context) (lease, error) {
	var seen tenancy
	var since time.Time
	for {
		var now tenancy
		looked := time.Now()
		err := t.Engine.View(ctx, func(tx store.Tx) (err error) {
			now, err = tenancyOf(tx, t.name)
			return err
		})
		if err != nil {
			return lease{}, err
		}
		if now.holder == "" || now == seen && looked.Sub(since) >= t.pace.lapse {
			mine, err := t.take(ctx, now)
			if !errors.Is(err, errLost) {
				return mine, err
			}
		}
		if now != seen {
			seen, since = now, time.Now()
		}
		if err := sleep(ctx, t.pace.look); err != nil {
			return lease{}, err
		}
	}
}

// take makes the lease this tenant's, unless it is no longer as it was seen.
func (t *tenant) take(ctx context.Context, from tenancy) (lease, error) {
	mine := lease{from.epoch + 1, NewID()}
	return mine, t.Engine.Update(ctx, func(tx store.Tx) error {
		now, err := tenancyOf(tx, t.name)
		switch {
		case err != nil:
			return err
		case now != from:
			return errLost
		}
		return errors.Join(tx.Put(leaseKey(t.name), mine.value()), tx.Put(beatKey(t.name), beatValue(0)))
	})
}

// fence answers errLost unless the lease is still mine, and makes the transaction depend on it.
func (t *tenant) fence(tx store.Tx, mine lease) error {
	now, err := leaseOf(tx, t.name)
	if err == nil && now != mine {
		err = errLost
	}
	return err
}

// beats gives signs of life until ctx ends, or ends the tenure when the lease is
// lost. A beat that fails otherwise is followed by the next: what is written is fenced.
func (t *tenant) beats(ctx context.Context, mine lease, end context.CancelCauseFunc) {
	for n := uint64(1); sleep(ctx, t.pace.beat) == nil; n++ {
		err := t.Engine.Update(ctx, func(tx store.Tx) error {
			if err := t.fence(tx, mine); err != nil {
				return err
			}
			return tx.Put(beatKey(t.name), beatValue(n))
		})
		if errors.Is(err, errLost) {
			end(fmt.Errorf("%w: %s", errLost, t.name))
			return
		}
	}
}

// release hands the lease back, so that the next holder need not wait for it to
// lapse. If that fails it lapses.
func (t *tenant) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	_ = t.Engine.Update(ctx, func(tx store.Tx) error {
		if err := t.fence(tx, *t.lease); err != nil {
			return err
		}
		return tx.Put(leaseKey(t.name), lease{epoch: t.lease.epoch}.value())
	})
}
