package pebble_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/storetest"
)

// TestNothingLeavesBeforeItIsDurable holds up the syncs of the log while a
// change is applied, which others then see.
func TestNothingLeavesBeforeItIsDurable(t *testing.T) {
	var holding atomic.Bool
	release := make(chan struct{})
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		if holding.Load() && sync && strings.HasSuffix(op.Path, ".log") {
			<-release
		}
		return nil
	}))
	e, err := pebble.OpenOn(disk, storetest.Options())
	if err != nil {
		t.Fatal(err)
	}
	streams, _ := e.Streams(t.Context())
	holding.Store(true)
	answers := make(chan string, 10)
	answer := func(what string, err error) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		answers <- what
	}
	go func() {
		answer("the change", e.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Put(key("a"), nil), tx.Append(store.Event{Data: []byte("e")}))
		}))
	}()
	applied := func(tx store.Tx) error {
		_, err := tx.Get(key("a"))
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if time.Now().After(deadline) {
			t.Fatal("no view has waited for the change")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if err := e.View(ctx, applied); errors.Is(err, context.DeadlineExceeded) {
			cancel()
			break // it sees the change, and waits
		}
		cancel()
	}
	refusal := errors.New("refused")
	go func() { answer("a view of it", e.View(t.Context(), applied)) }()
	go func() { answer("an update that only reads it", e.Update(t.Context(), applied)) }()
	go func() {
		err := e.Update(t.Context(), func(tx store.Tx) error { return errors.Join(applied(tx), refusal) })
		if errors.Is(err, refusal) {
			err = nil
		}
		answer("a refusal for it", err)
	}()
	go func() {
		_, err := e.Wait(t.Context(), 0)
		answer("its event", err)
	}()
	time.Sleep(20 * time.Millisecond)
	left := 5
	select {
	case what := <-answers:
		t.Errorf("%s left before the change was durable", what)
		left--
	default:
	}
	for row := range e.Rows(t.Context(), streams[0].ID, 0) {
		t.Errorf("row %d-%d is to be read before it is durable", row.First, row.Last)
	}
	holding.Store(false)
	close(release)
	for range left {
		<-answers
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
