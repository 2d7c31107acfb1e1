package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	crdb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/store"
)

// unfinishedKey stands in a store that is being restored, which has no formatKey
// yet: no release takes it for a store.
var unfinishedKey = []byte{0, 0, 'u'}

// restoreBytes is about how much is written together.
const restoreBytes = 4 << 20

// Restore begins to restore a store in dir, where there is none; what an earlier
// restore that broke off has left there is removed.
func Restore(dir string, options store.Options) (store.Restoration, error) {
	r, err := restore(private{vfs.Default}, dir, options)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func restore(fs vfs.FS, dir string, options store.Options) (_ *restoration, err error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	r := &restoration{fs: fs, dir: dir, release: options.Release, log: options.Log, failed: make(chan error, 1)}
	if err := makeDir(fs, dir); err != nil {
		return nil, fmt.Errorf("restore store: %w", err)
	}
	if r.lock, err = crdb.LockDirectory(dir, fs); err != nil {
		return nil, fmt.Errorf("the store %s is in use by another process, or can't be locked: %v", dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("restore store %s: %w", dir, err), r.lock.Close())
		}
	}()
	err = r.guard(func() error {
		if err := r.empty(); err != nil {
			return err
		}
		if err := r.open(); err != nil {
			return err
		}
		r.batch = r.db.NewBatch()
		if err := r.db.Set(unfinishedKey, []byte{format}, crdb.Sync); err != nil {
			return errors.Join(unavailable(err), r.batch.Close(), r.db.Close())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// restoration is a store.Restoration.
type restoration struct {
	fs      vfs.FS
	dir     string
	release string
	log     *slog.Logger
	lock    *crdb.Lock
	db      *crdb.DB // nil: finished or aborted
	batch   *crdb.Batch
	again   bool
	streams uint64      // the last stream that was added
	stamped atomic.Bool // it may be a store by now
	failed  chan error  // of capacity 1: why the database can't go on
	broken  error       // what was taken from failed
}

// guard runs do, which Pebble never ends where it can't write, or ends in a panic.
func (r *restoration) guard(do func() error) error {
	if r.broken != nil {
		return r.broken
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				r.fail(fmt.Errorf("%v", p))
			}
		}()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case r.broken = <-r.failed:
		return r.broken
	}
}

func (r *restoration) fail(err error) {
	select {
	case r.failed <- unavailable(err):
	default:
	}
}

func (r *restoration) open() (err error) {
	o := databaseOptions(r.fs, r.lock)
	o.Logger = restoring{r}
	o.EventListener = &crdb.EventListener{BackgroundError: r.fail}
	r.db, err = crdb.Open(r.dir, o)
	return unavailable(err)
}

// empty answers ErrNotEmpty if the directory holds a store, and removes what is unfinished.
func (r *restoration) empty() error {
	names, err := r.left()
	if err != nil || len(names) == 0 {
		return err
	}
	if err := r.open(); err != nil {
		return err
	}
	_, closer, err := r.db.Get(unfinishedKey)
	if err == nil {
		r.again, err = true, closer.Close()
	} else if errors.Is(err, crdb.ErrNotFound) {
		err = r.nothing()
	}
	if err = errors.Join(err, r.db.Close()); err != nil {
		return err
	}
	return r.remove()
}

// nothing answers ErrNotEmpty unless the database has no key: a restore may have died before its first.
func (r *restoration) nothing() error {
	it, err := r.db.NewIter(nil)
	if err != nil {
		return unavailable(err)
	}
	if it.First() {
		err = store.ErrNotEmpty
	}
	return errors.Join(err, it.Close())
}

// left are the files in the directory, but for the lock.
func (r *restoration) left() ([]string, error) {
	all, err := r.fs.List(r.dir)
	if err != nil {
		return nil, err
	}
	names := all[:0]
	for _, name := range all {
		if name != "LOCK" {
			names = append(names, name)
		}
	}
	return names, nil
}

func (r *restoration) remove() error {
	names, err := r.left()
	for _, name := range names {
		err = errors.Join(err, r.fs.RemoveAll(r.fs.PathJoin(r.dir, name)))
	}
	return errors.Join(err, syncDir(r.fs, r.dir))
}

// Again implements store.Restoration.
func (r *restoration) Again() bool { return r.again }

// Put implements store.Restoration.
func (r *restoration) Put(ctx context.Context, key, sealed []byte) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	return r.set(ctx, key, sealed)
}

// AddRow implements store.Restoration.
func (r *restoration) AddRow(ctx context.Context, stream uint64, row store.Row) error {
	if stream != r.streams {
		if stream < r.streams {
			return errors.New("store: streams out of order")
		}
		r.streams = stream
		if err := r.set(ctx, streamKey(stream), []byte{rowsFormat}); err != nil {
			return err
		}
	}
	return r.set(ctx, rowKey(stream, row.Last), encodeRow(row.First, row.Data))
}

func (r *restoration) set(ctx context.Context, key, value []byte) error {
	if r.db == nil {
		return store.ErrClosed
	}
	if err := r.batch.Set(key, value, nil); err != nil {
		return unavailable(err)
	}
	if r.batch.Len() < restoreBytes {
		return nil
	}
	return r.guard(func() error { return r.write(ctx) })
}

// write writes what is gathered. It is durable at Finish.
func (r *restoration) write(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.db.Apply(r.batch, crdb.NoSync); err != nil {
		return unavailable(err)
	}
	err := r.batch.Close()
	r.batch = r.db.NewBatch()
	return unavailable(err)
}

// Finish implements store.Restoration: all that was written is flushed before
// the store is stamped as one.
func (r *restoration) Finish(ctx context.Context, last uint64) error {
	if r.db == nil {
		return store.ErrClosed
	}
	err := r.guard(func() error {
		if err := r.write(ctx); err != nil {
			return err
		}
		if err := r.db.Flush(); err != nil {
			return unavailable(err)
		}
		stamp := r.db.NewBatch()
		err := errors.Join(
			stamp.Set(counterKey, binary.BigEndian.AppendUint64(nil, max(last, r.streams)), nil),
			stamp.Delete(unfinishedKey, nil),
			stamp.Set(formatKey, append([]byte{format}, r.release...), nil),
		)
		if err != nil {
			return unavailable(errors.Join(err, stamp.Close()))
		}
		r.stamped.Store(true)
		return errors.Join(unavailable(r.db.Apply(stamp, crdb.Sync)), unavailable(stamp.Close()), r.close())
	})
	if err != nil && r.stamped.Load() {
		err = fmt.Errorf("%w: %v", store.ErrUnknownFate, err)
	}
	return err
}

// close ends the use of the directory.
func (r *restoration) close() error {
	db := r.db
	r.db = nil
	return unavailable(errors.Join(r.batch.Close(), db.Close(), r.lock.Close()))
}

// Abort implements store.Restoration. A database that could not write is left as it is.
func (r *restoration) Abort() {
	if r.broken != nil || r.db == nil {
		return
	}
	_ = r.guard(func() error {
		db := r.db
		r.db = nil
		if errors.Join(r.batch.Close(), db.Close(), r.remove()) == nil {
			_ = r.fs.Remove(r.fs.PathJoin(r.dir, "LOCK"))
		}
		return r.lock.Close()
	})
}

// restoring takes what Pebble logs while a store is restored.
type restoring struct{ *restoration }

func (restoring) Infof(string, ...any) {}

func (r restoring) Errorf(format string, args ...any) {
	r.log.Error("the store's database", "err", fmt.Errorf(format, args...))
}

// Fatalf does not return, as Pebble expects.
func (r restoring) Fatalf(format string, args ...any) {
	r.fail(fmt.Errorf(format, args...))
	select {}
}
