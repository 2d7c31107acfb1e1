package main

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// commitsPerSecond is how many synced commits of size bytes a bare Pebble makes for so many callers.
func commitsPerSecond(dir string, callers, size int, span time.Duration) (float64, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: silent{}})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	value := make([]byte, size)
	rand.Read(value)
	var number, done atomic.Int64
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	until := time.Now().Add(span)
	for range callers {
		all.Go(func() {
			for time.Now().Before(until) {
				if err := db.Set(binary.BigEndian.AppendUint64(nil, uint64(number.Add(1))), value, pebble.Sync); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / span.Seconds(), nil
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}
