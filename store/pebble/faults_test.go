package pebble_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

// disk is a file system in memory that can lose what was not synced, and whose
// nth write, sync or change of a directory fails.
type disk struct {
	mem    *vfs.MemFS
	fs     vfs.FS
	at     int64 // which operation fails; 0: none
	onward bool  // and all after it
	count  atomic.Int64
	failed atomic.Bool
}

var errDisk = errors.New("the disk failed")

func newDisk(mem *vfs.MemFS, at int64, onward bool) *disk {
	d := &disk{mem: mem, at: at, onward: onward}
	d.fs = errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpLock {
			return nil
		}
		n := d.count.Add(1)
		if d.at > 0 && (n == d.at || d.onward && n > d.at) {
			d.failed.Store(true)
			return errDisk
		}
		return nil
	}))
	return d
}

// crash is the disk after a loss of power: what was synced, and some of the rest.
func (d *disk) crash(seed uint64) *vfs.MemFS {
	config := vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[seed%3], RNG: rand.New(rand.NewPCG(seed, 1))}
	return d.mem.CrashClone(config)
}

// ledger is what callers were told.
type ledger struct {
	mu           sync.Mutex
	tried        []string // under mu
	acknowledged []string // under mu
}

// work has four callers change two keys and record it, 12 times each, with
// values that fill memtables, and opens the store twice.
func work(t *testing.T, fs vfs.FS, options store.Options, l *ledger) {
	for life := range 2 {
		e, err := pebble.OpenOn(fs, options)
		if err != nil {
			return
		}
		var wg sync.WaitGroup
		for c := range 4 {
			wg.Go(func() {
				for i := range 6 {
					name := fmt.Sprintf("%d.%d.%d", life, c, i)
					l.mu.Lock()
					l.tried = append(l.tried, name)
					l.mu.Unlock()
					err := e.Update(t.Context(), func(tx store.Tx) error {
						n, err := tx.Get(key("count"))
						if err != nil && !errors.Is(err, store.ErrNotFound) {
							return err
						}
						return errors.Join(
							tx.Put(key("count"), append(n, 1)),
							tx.Put(key(name), []byte(strings.Repeat("x", 2000))),
							tx.Put(key(name+"'"), []byte(strings.Repeat("x", 2000))),
							tx.Append(store.Event{Data: []byte(name)}))
					})
					switch {
					case err == nil:
						l.mu.Lock()
						l.acknowledged = append(l.acknowledged, name)
						l.mu.Unlock()
					case !errors.Is(err, store.ErrUnavailable):
						t.Errorf("Update answers %v, which is no ErrUnavailable", err)
					}
				}
			})
		}
		wg.Wait()
		e.Close()
	}
}

func key(name string) []byte { return store.Key("test/row", "111122223333", name) }

// check opens the store on fs and holds it against what callers were told.
func (l *ledger) check(t *testing.T, fs vfs.FS, options store.Options) {
	t.Helper()
	e, err := pebble.OpenOn(fs, options)
	if err != nil {
		t.Fatal("opened after a crash: ", err)
	}
	defer e.Close()
	recorded := map[string]int{}
	streams, err := e.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range streams {
		next := uint64(1)
		for row, err := range e.Rows(t.Context(), s.ID, 0) {
			if err != nil {
				t.Fatal(err)
			}
			stream, first, _, events, err := storetest.Unpack(row.Data)
			if err != nil || stream != s.ID || first != next || row.First != next {
				t.Fatalf("row %d-%d of stream %d holds events from %d of %d, %v; %d was next", row.First, row.Last, s.ID, first, stream, err, next)
			}
			for _, ev := range events {
				recorded[string(ev.Data)]++
				next++
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := e.View(t.Context(), func(tx store.Tx) error {
		has := func(name string) bool {
			_, err := tx.Get(key(name))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		there := 0
		for _, name := range l.tried {
			if has(name) {
				there++
			}
			if has(name) != has(name+"'") || has(name) != (recorded[name] == 1) {
				t.Errorf("%s is half there: %t, %t, recorded %d times", name, has(name), has(name+"'"), recorded[name])
			}
		}
		for _, name := range l.acknowledged {
			if !has(name) {
				t.Errorf("%s was acknowledged and is gone", name)
			}
		}
		if n, err := tx.Get(key("count")); len(n) != there {
			t.Errorf("%d counted, %d there, %v", len(n), there, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put(key("after"), nil) }); err != nil {
		t.Error("the store does not work on: ", err)
	}
}

// TestAcknowledgedChangesOutliveFaults fails every write, sync and change of a
// directory in turn, once, or from there on, and then takes the power away.
func TestAcknowledgedChangesOutliveFaults(t *testing.T) {
	for _, onward := range []bool{false, true} {
		name := "one operation fails"
		if onward {
			name = "all fail from one on"
		}
		t.Run(name, func(t *testing.T) {
			stride, points := int64(1), 0
			if raceDetector { // some points each time; without it, all
				stride = 12
			}
			for at := 1 + rand.N(stride); ; at += stride {
				options, l := storetest.Options(), &ledger{}
				d := newDisk(vfs.NewCrashableMem(), at, onward)
				work(t, d.fs, options, l)
				l.check(t, d.crash(uint64(at)), options)
				if t.Failed() {
					t.Fatalf("operation %d, %d acknowledged of %d", at, len(l.acknowledged), len(l.tried))
				}
				if !d.failed.Load() {
					break
				}
				points++
			}
			t.Logf("%d operations failed in turn", points)
		})
	}
}
