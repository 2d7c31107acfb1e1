//go:build unix

package pebble_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"

	crdb "github.com/cockroachdb/pebble/v2"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

// callers runs do from 1 and from 64 goroutines. It tells calls a second by ns/op.
func callers(b *testing.B, do func(b *testing.B, n uint64)) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", n), func(b *testing.B) {
			var calls atomic.Uint64
			b.ReportAllocs()
			began := cpu()
			defer func() { b.ReportMetric(float64(cpu()-began)/1e3/float64(calls.Load()), "cpu-µs/op") }()
			b.SetParallelism(max(1, n/2)) // of GOMAXPROCS 2
			if n == 1 {
				for b.Loop() {
					do(b, calls.Add(1))
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					do(b, calls.Add(1))
				}
			})
		})
	}
}

// cpu is the time that the process has computed, in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func benchEngine(b *testing.B) store.Engine {
	e, err := pebble.Open(b.TempDir(), storetest.Options())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	if err := e.Update(b.Context(), func(tx store.Tx) error {
		for i := range 10_000 {
			if err := tx.Put(numbered(uint64(i)), make([]byte, 300)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return e
}

func numbered(n uint64) []byte { return key(string(binary.BigEndian.AppendUint64(nil, n))) }

func keep(v []byte) (any, error) { return v, nil }

var eventData = make([]byte, 576) // a binary event's size, see PATH

// A read and its event: what GetCallerIdentity asks of the store.
func BenchmarkUpdateEventOnly(b *testing.B) {
	e := benchEngine(b)
	callers(b, func(b *testing.B, n uint64) {
		if err := e.Update(b.Context(), func(tx store.Tx) error {
			for i := range uint64(3) {
				if _, err := tx.Load(numbered(i), keep); err != nil {
					return err
				}
			}
			return tx.Append(store.Event{Scope: "1", Data: eventData})
		}); err != nil {
			b.Error(err)
		}
	})
}

// Three reads, three keys and an event: what CreateUser asks of the store.
func BenchmarkUpdate3Keys(b *testing.B) {
	e := benchEngine(b)
	value := make([]byte, 300)
	callers(b, func(b *testing.B, n uint64) {
		if err := e.Update(b.Context(), func(tx store.Tx) error {
			for i := range uint64(3) {
				if _, err := tx.Load(numbered(i), keep); err != nil {
					return err
				}
			}
			return errors.Join(tx.Put(numbered(1e6+3*n), value), tx.Put(numbered(1e6+3*n+1), value),
				tx.Put(numbered(1e6+3*n+2), value), tx.Append(store.Event{Scope: "1", Data: eventData}))
		}); err != nil {
			b.Error(err)
		}
	})
}

// All change one key.
func BenchmarkUpdateContended(b *testing.B) {
	e := benchEngine(b)
	callers(b, func(b *testing.B, n uint64) {
		if err := e.Update(b.Context(), func(tx store.Tx) error {
			v, err := tx.Get(numbered(0))
			if err != nil {
				return err
			}
			v[0]++
			return errors.Join(tx.Put(numbered(0), v), tx.Append(store.Event{Scope: "1", Data: eventData}))
		}); err != nil {
			b.Error(err)
		}
	})
}

func BenchmarkView(b *testing.B) {
	e := benchEngine(b)
	for name, read := range map[string]func(store.Tx, []byte) error{
		"Load": func(tx store.Tx, k []byte) error { _, err := tx.Load(k, keep); return err },
		"Get":  func(tx store.Tx, k []byte) error { _, err := tx.Get(k); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := e.View(b.Context(), func(tx store.Tx) error { return read(tx, numbered(rand.Uint64N(10_000))) }); err != nil {
					b.Error(err)
				}
			}
		})
	}
}

func BenchmarkOpenEmpty(b *testing.B) {
	for b.Loop() {
		e, err := pebble.Open(b.TempDir(), storetest.Options())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		e.Close()
		b.StartTimer()
	}
}

// Pebble alone, with the bytes of BenchmarkUpdate3Keys: its own group commit.
func BenchmarkBarePebble(b *testing.B) {
	for _, c := range []struct {
		name string
		keys uint64
	}{{"event", 0}, {"3 keys and event", 3}} {
		b.Run(c.name, func(b *testing.B) {
			db, err := crdb.Open(b.TempDir(), &crdb.Options{Logger: quiet{}, MemTableSize: 4 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			value := make([]byte, 330)
			callers(b, func(b *testing.B, n uint64) {
				batch := db.NewBatch()
				for i := range c.keys {
					batch.Set(numbered(1e6+3*n+i), value, nil)
				}
				batch.Set(numbered(n), eventData, nil)
				if err := batch.Commit(crdb.Sync); err != nil {
					b.Error(err)
				}
			})
		})
	}
}
