package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"

	crdb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/store"
)

// format is the version of the engine's layout of a directory. A later one
// adds a step to migrate.
const format = 1

// formatKey holds the format's byte and the release that last opened the store.
var formatKey = []byte{0, 0, 'f'}

// Open opens the store in dir, which is made if there is none, and which no
// other process may use meanwhile. It begins a new event stream.
//
// Memtables are small, because after a SIGKILL the log of one is replayed
// before Open returns.
func Open(dir string, options store.Options) (*Engine, error) {
	return open(private{vfs.Default}, dir, options, func(*Engine, *crdb.Options) {})
}

func open(fs vfs.FS, dir string, options store.Options, tune func(*Engine, *crdb.Options)) (_ *Engine, err error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{options: options, measures: store.NewMeasures(), dir: dir, patience: patienceTimer(), backoff: backoff,
		ended: make(chan struct{}), stopped: make(chan struct{})}
	e.measures.Cache = e.cache.asked
	e.fs = watch{fs, e}
	e.history.seed = maphash.MakeSeed()
	e.queue.wake = make(chan struct{}, 1)
	first := &group{done: make(chan struct{})}
	close(first.done)
	e.begun.Store(first)
	e.applied.Store(first)

	if err := makeDir(fs, dir); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if e.lock, err = crdb.LockDirectory(dir, fs); err != nil {
		return nil, fmt.Errorf("the store %s is in use by another process, or can't be locked: %v", dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.lock.Close())
		}
	}()
	tuned := e.dbOptions()
	tune(e, tuned)
	if err := e.guard(func() (err error) {
		e.db, err = crdb.Open(dir, tuned)
		return unavailable(err)
	}); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	if err := e.guard(e.start); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), e.guard(e.db.Close))
	}
	go e.commitAll()
	return e, nil
}

// guard runs do, which Pebble may end by a panic, or never, where it can't go on.
func (e *Engine) guard(do func() error) (err error) {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				e.fail(fmt.Errorf("the database gave up: %v", cause))
			}
		}()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-e.stopped:
		return e.failure()
	}
}

func (e *Engine) dbOptions() *crdb.Options {
	o := databaseOptions(e.fs, e.lock)
	o.Logger = logger{e}
	o.EventListener = &crdb.EventListener{BackgroundError: func(err error) { e.log("the store's background work failed", err) }}
	return o
}

// databaseOptions are those that every use of the database has in common.
func databaseOptions(fs vfs.FS, lock *crdb.Lock) *crdb.Options {
	o := &crdb.Options{
		FS:                          fs,
		Lock:                        lock,
		FormatMajorVersion:          crdb.FormatValueSeparation,
		CacheSize:                   16 << 20,
		MemTableSize:                4 << 20,
		MemTableStopWritesThreshold: 4,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		// Sealed values and packed rows do not compress.
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	return o
}

// start checks whose store this is, stamps it, and begins the stream.
func (e *Engine) start() error {
	b := e.db.NewBatch()
	defer b.Close()
	if err := e.migrate(b); err != nil {
		return err
	}
	var err error
	if e.stream, err = nextStream(e.db, b); err != nil {
		return err
	}
	return unavailable(e.db.Apply(b, crdb.Sync))
}

// migrate brings the store to this release's format, or refuses it by name.
func (e *Engine) migrate(b *crdb.Batch) error {
	stamp, closer, err := e.db.Get(formatKey)
	switch {
	case errors.Is(err, crdb.ErrNotFound):
		if _, closer, err := e.db.Get(unfinishedKey); err == nil {
			return errors.Join(store.ErrUnfinished, closer.Close())
		}
		it, err := e.db.NewIter(nil)
		if err != nil {
			return unavailable(err)
		}
		if it.First() {
			err = errors.New("the directory holds a database that is no store of Garrison's")
		}
		if err := errors.Join(err, it.Close()); err != nil {
			return err
		}
	case err != nil:
		return unavailable(err)
	default:
		stamp = bytes.Clone(stamp)
		closer.Close()
		if err := refuse(stamp, e.options.Release); err != nil {
			return err
		}
	}
	if now := append([]byte{format}, e.options.Release...); !bytes.Equal(stamp, now) {
		return b.Set(formatKey, now, nil)
	}
	return nil
}

// refuse is why a store with this stamp can't be opened by release.
func refuse(stamp []byte, release string) error {
	switch {
	case len(stamp) == 0 || stamp[0] == 0:
		return errors.New("the store's stamp is damaged")
	case stamp[0] > format || store.Newer(string(stamp[1:]), release):
		return fmt.Errorf("the store was written by release %s (format %d); this is release %s (format %d), which is older",
			stamp[1:], stamp[0], release, format)
	}
	return nil
}

func (e *Engine) log(what string, err error) { e.options.Log.Error(what, "err", err) }

// makeDir makes dir and what is missing above it, durably.
func makeDir(fs vfs.FS, dir string) error {
	var parents []string
	for d := dir; ; d = fs.PathDir(d) {
		if _, err := fs.Stat(d); err == nil || d == fs.PathDir(d) {
			break
		}
		parents = append(parents, fs.PathDir(d))
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncDir(fs, parent); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes durable which files dir holds.
func syncDir(fs vfs.FS, dir string) error {
	f, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// logger takes what Pebble logs.
type logger struct{ e *Engine }

func (l logger) Infof(string, ...any) {}

func (l logger) Errorf(format string, args ...any) {
	l.e.log("the store's database", fmt.Errorf(format, args...))
}

// Fatalf stops the engine and does not return, as Pebble expects. It may hold
// locks, or have released ones that its callers mean to release, so its
// goroutine can't be ended either.
func (l logger) Fatalf(format string, args ...any) {
	l.e.fail(fmt.Errorf(format, args...))
	select {}
}
