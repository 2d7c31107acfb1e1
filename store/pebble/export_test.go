package pebble

import (
	"time"

	crdb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/store"
)

// RestoreOn restores a store on a file system of the test's.
func RestoreOn(fs vfs.FS, options store.Options) (store.Restoration, error) {
	return restore(fs, "store", options)
}

// OpenOn opens a store on a file system of the test's, with small memtables so
// that flushes and compactions come soon.
func OpenOn(fs vfs.FS, options store.Options) (*Engine, error) {
	return open(fs, "store", options, func(e *Engine, o *crdb.Options) {
		e.backoff = time.Millisecond
		o.MemTableSize = 64 << 10
		o.L0CompactionThreshold = 2
		o.CacheSize = 1 << 20
	})
}
