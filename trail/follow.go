package trail

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/store"
)

// table holds the record's own rows, in the installation's scope: cursors,
// followers, checkpoints, and the streams whose heads were written down.
const table = "trail"

// A handler is given at most so many records, or little more than so many bytes, at a time.
const (
	followBatch = 1000
	followBytes = 1 << 20
)

// followEvery is how often a follower that is kept busy makes a pass at most: what
// events share is then paid for once a batch. A record that comes alone is handed on at once.
const followEvery = 100 * time.Millisecond

// errMoved means that another process has moved a follower's cursor.
var errMoved = errors.New("trail: the cursor was moved")

// Follow hands the record to handle, in batches and in order, stream by
// stream, and then what is added, until ctx ends. It keeps its place under
// name in the transaction in which handle writes: a stop loses no record and
// repeats none. Several processes may follow under one name: on a store that
// they share one at a time does the work, under a lease, and another goes on
// when it ends or dies. handle may be run again for a batch and must touch
// nothing but its Tx. Erased records are passed over.
//
// It returns ctx's error, handle's, or that of a record that can't be read.
func (t *Trail) Follow(ctx context.Context, name string, handle func(tx store.Tx, records []Record) error) error {
	return t.newFollower(name, handle).follow(ctx)
}

func (t *Trail) newFollower(name string, handle func(tx store.Tx, records []Record) error) *follower {
	return &follower{tenant: t.newTenant(name), tail: tail{engine: t.Engine}, handle: handle}
}

func (f *follower) follow(ctx context.Context) error {
	do := f.work
	if store.IsShared(f.Engine) {
		do = func(ctx context.Context) error { return f.tenure(ctx, f.work) }
	}
	err := f.Engine.Update(ctx, func(tx store.Tx) error {
		return tx.Put(store.Key(table, "", "follower", f.name), []byte{1})
	})
	for err == nil {
		err = do(ctx)
	}
	return fmt.Errorf("follow the record as %q: %w", f.name, err)
}

// work handles what there is and what is added, until an error.
func (f *follower) work(ctx context.Context) error {
	f.at = nil
	for {
		began := time.Now()
		err := f.pass(ctx)
		if err == nil {
			err = f.tail.wait(ctx)
		}
		if pause := followEvery - time.Since(began); err == nil && pause > 0 {
			err = sleep(ctx, pause)
		}
		if err != nil {
			return err
		}
	}
}

// sleep returns after d, or at ctx's end with its error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Forget drops the place of a follower that is no more, so that Cut does not wait for it.
func (t *Trail) Forget(ctx context.Context, name string) error {
	return t.Engine.Update(ctx, func(tx store.Tx) error {
		from, to := store.Prefix(table, "", "cursor", name)
		for pair, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			if err := tx.Delete(pair.Key); err != nil {
				return err
			}
		}
		return errors.Join(tx.Delete(store.Key(table, "", "follower", name)), tx.Delete(leaseKey(name)), tx.Delete(beatKey(name)))
	})
}

type follower struct {
	tenant
	tail   tail
	handle func(tx store.Tx, records []Record) error
	at     map[uint64]cursor // nil: to be read
}

// cursor is a follower's place in a stream.
type cursor struct {
	number   uint64 // of the last event handled
	finished bool   // the stream is closed and handled to its end
}

func cursorKey(name string, stream uint64) []byte {
	return store.Key(table, "", "cursor", name, string(binary.BigEndian.AppendUint64(nil, stream)))
}

func (c cursor) value() []byte {
	b := []byte{1, 0}
	if c.finished {
		b[1] = 1
	}
	return binary.AppendUvarint(b, c.number)
}

func parseCursor(value []byte) (cursor, error) {
	if len(value) < 3 || value[0] != 1 {
		return cursor{}, errors.New("trail: a cursor of another version")
	}
	n, size := binary.Uvarint(value[2:])
	if size <= 0 {
		return cursor{}, errors.New("trail: a damaged cursor")
	}
	return cursor{n, value[1] == 1}, nil
}

// Cursors is the place of the follower called name, as the transaction sees it:
// of each stream that it has begun, the number of the last event handled.
func Cursors(tx store.Tx, name string) (After, error) {
	cursors, err := cursorsOf(tx, name)
	if err != nil {
		return nil, err
	}
	after := After{}
	for stream, c := range cursors {
		after[stream] = c.number
	}
	return after, nil
}

func cursorsOf(tx store.Tx, name string) (map[uint64]cursor, error) {
	cursors := map[uint64]cursor{}
	from, to := store.Prefix(table, "", "cursor", name)
	for pair, err := range tx.Scan(from, to, false) {
		if err != nil {
			return nil, err
		}
		_, _, parts, _ := store.Parts(pair.Key)
		if len(parts) != 3 || len(parts[2]) != 8 {
			return nil, errors.New("trail: a damaged cursor")
		}
		c, err := parseCursor(pair.Value)
		if err != nil {
			return nil, err
		}
		cursors[binary.BigEndian.Uint64([]byte(parts[2]))] = c
	}
	return cursors, nil
}

// pass handles all that there is.
func (f *follower) pass(ctx context.Context) error {
	for {
		err := f.streams(ctx)
		if !errors.Is(err, errMoved) && !errors.Is(err, store.ErrConflict) {
			return err
		}
		f.at = nil
	}
}

func (f *follower) streams(ctx context.Context) error {
	streams, err := f.tail.streams(ctx)
	if err != nil {
		return err
	}
	if f.at == nil {
		if err := f.load(ctx, streams); err != nil {
			return err
		}
	}
	for _, s := range streams {
		if f.at[s.ID].finished {
			continue
		}
		if err := f.stream(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// load reads the cursors, and drops those of streams that are gone.
func (f *follower) load(ctx context.Context, streams []store.Stream) error {
	return f.update(ctx, func(tx store.Tx) error {
		cursors, err := cursorsOf(tx, f.name)
		if err != nil {
			return err
		}
		f.at = map[uint64]cursor{}
		for _, s := range streams {
			f.at[s.ID] = cursors[s.ID]
			delete(cursors, s.ID)
		}
		for stream := range cursors {
			if err := tx.Delete(cursorKey(f.name, stream)); err != nil {
				return err
			}
		}
		return nil
	})
}

// stream handles what a stream holds beyond the cursor.
func (f *follower) stream(ctx context.Context, s store.Stream) error {
	var batch []Record
	size := 0
	to := f.at[s.ID]
	for row, err := range f.Engine.Rows(ctx, s.ID, to.number) {
		if err != nil {
			return err
		}
		records, err := f.recent.Open(f.Journal, s.ID, row)
		if err != nil {
			return err
		}
		for i := range records {
			r := &records[i]
			if r.Position.Number <= to.number {
				continue
			}
			to.number = r.Position.Number
			if r.Event != nil {
				batch = append(batch, *r)
				size += r.Event.size()
			}
			if len(batch) == followBatch || size > followBytes {
				if err := f.move(ctx, s.ID, to, batch); err != nil {
					return err
				}
				batch, size = nil, 0
			}
		}
	}
	to.finished = s.Closed
	if to == f.at[s.ID] {
		return nil
	}
	return f.move(ctx, s.ID, to, batch)
}

// move handles a batch and moves the cursor with it.
func (f *follower) move(ctx context.Context, stream uint64, to cursor, batch []Record) error {
	key := cursorKey(f.name, stream)
	err := f.update(ctx, func(tx store.Tx) error {
		var have cursor
		value, err := tx.Get(key)
		if err == nil {
			have, err = parseCursor(value)
		} else if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		if err != nil {
			return err
		}
		if have != f.at[stream] {
			return errMoved
		}
		if len(batch) > 0 {
			if err := f.handle(tx, batch); err != nil {
				return err
			}
		}
		return tx.Put(key, to.value())
	})
	if err == nil {
		f.at[stream] = to
	}
	return err
}
