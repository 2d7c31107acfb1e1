package pebble_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

// TestARestoreThatCannotBegin because one of the first writes fails says so, and does not end the process.
func TestARestoreThatCannotBegin(t *testing.T) {
	refused := 0
	for at := int64(1); ; at++ {
		d := newDisk(vfs.NewCrashableMem(), at, false)
		to, err := pebble.RestoreOn(d.fs, storetest.Options())
		if !d.failed.Load() {
			if err != nil {
				t.Fatal(err)
			}
			to.Abort()
			break
		}
		if err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no write was needed")
	}
}
