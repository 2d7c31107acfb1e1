package pebble

import (
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// private makes files that their owner alone can read.
type private struct{ vfs.FS }

func (p private) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := p.FS.Create(name, category)
	return f, restrict(name, f, err)
}

func (p private) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := p.FS.OpenReadWrite(name, category, opts...)
	return f, restrict(name, f, err)
}

func (p private) Lock(name string) (io.Closer, error) {
	f, err := p.FS.Lock(name)
	return f, restrict(name, f, err)
}

func (p private) MkdirAll(dir string, _ os.FileMode) error {
	if err := p.FS.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// Unwrap implements vfs.FS.
func (p private) Unwrap() vfs.FS { return p.FS }

// restrict leaves the file that f holds open to its owner alone, or closes it.
func restrict(name string, f io.Closer, err error) error {
	if err != nil {
		return err
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

// watch stops the engine when the database can't write its log, its
// manifest, its markers or a directory. Pebble would panic then, in places with
// the wrong locks held, which ends the process; so it is never told, and waits
// for ever. A table it writes again, at once, and again; so it is told after a
// while, and while the engine is closed, which waits for tables, not at all.
type watch struct {
	vfs.FS
	e *Engine
}

// backoff is what a failed table costs its writer in time.
const backoff = time.Second

// checked is err, if Pebble may know of it.
func (w watch) checked(err error, table bool) error {
	switch {
	case err == nil:
		return err
	case table && w.e.failure() == nil && !w.e.closing.Load():
		time.Sleep(w.e.backoff)
		return err
	}
	w.e.fail(err)
	select {}
}

// watched is f with its errors checked.
func (w watch) watched(name string, f vfs.File, err error) (vfs.File, error) {
	ext := path.Ext(name)
	table := ext == ".sst" || ext == ".blob"
	if err := w.checked(err, table); err != nil {
		return nil, err
	}
	return watched{f, w, table}, nil
}

// Create implements vfs.FS. A marker names the current manifest, by a file name
// of its own; before it is made, the manifest's name is made durable. Pebble syncs
// both names at once, and a file system may keep the second alone.
func (w watch) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(w.PathBase(name), "marker.") {
		if err := w.checked(syncDir(w.FS, w.PathDir(name)), false); err != nil {
			return nil, err
		}
	}
	f, err := w.FS.Create(name, category)
	return w.watched(name, f, err)
}

func (w watch) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.ReuseForWrite(old, name, category)
	return w.watched(name, f, err)
}

func (w watch) OpenDir(name string) (vfs.File, error) {
	f, err := w.FS.OpenDir(name)
	return w.watched(name, f, err)
}

// Unwrap implements vfs.FS.
func (w watch) Unwrap() vfs.FS { return w.FS }

// watched is a file whose errors are checked.
type watched struct {
	vfs.File
	watch watch
	table bool
}

func (f watched) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	return n, f.watch.checked(err, f.table)
}

func (f watched) Close() error { return f.watch.checked(f.File.Close(), f.table) }

func (f watched) Sync() error { return f.watch.checked(f.File.Sync(), f.table) }

func (f watched) SyncData() error { return f.watch.checked(f.File.SyncData(), f.table) }

func (f watched) SyncTo(length int64) (fullSync bool, err error) {
	fullSync, err = f.File.SyncTo(length)
	return fullSync, f.watch.checked(err, f.table)
}
