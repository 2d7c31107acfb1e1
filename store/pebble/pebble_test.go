package pebble_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

// medium is a new directory.
func medium(t testing.TB) storetest.Medium {
	dir := t.TempDir()
	return storetest.Medium{
		Open:    func(o store.Options) (store.Engine, error) { return pebble.Open(dir, o) },
		Restore: func(o store.Options) (store.Restoration, error) { return pebble.Restore(dir, o) },
	}
}

func inMemory(testing.TB) storetest.Medium {
	return storetest.Medium{Volatile: true, Open: func(o store.Options) (store.Engine, error) { return mem.Open(o) }}
}

func TestContract(t *testing.T) { storetest.Run(t, medium) }

// Small memtables, so that the programs read tables, too.
func TestRandomOperationsAgreeWithMem(t *testing.T) {
	storetest.Compare(t, func(testing.TB) storetest.Medium {
		fs := vfs.NewMem()
		return storetest.Medium{Open: func(o store.Options) (store.Engine, error) { return pebble.OpenOn(fs, o) }}
	}, inMemory, 20)
}
