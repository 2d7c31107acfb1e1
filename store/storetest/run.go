package storetest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/store"
)

// Medium is where an engine keeps what it is given.
type Medium struct {
	// Open opens the engine; after a Close it opens the same store again.
	Open func(store.Options) (store.Engine, error)
	// Volatile: what is closed is gone. The cases of re-opening do not apply.
	Volatile bool
	// Shared: what Open opens may be open several times at once, as by several processes. The cases of
	// nodes apply to it alone.
	Shared bool
	// Restore begins to restore a store there; nil: the engine's store can't be copied, and the cases of
	// copies do not apply.
	Restore func(store.Options) (store.Restoration, error)
}

// test is one clause of the contract.
type test struct {
	name string
	run  func(*rig)
}

// Run tests that an engine keeps the contract of store.Engine. medium makes a
// new and empty medium; it is called once a case.
func Run(t *testing.T, medium func(testing.TB) Medium) {
	for _, part := range []struct {
		name  string
		tests []test
	}{
		{"values", values},
		{"ranges", ranges},
		{"isolation", isolation},
		{"conflicts", conflicts},
		{"contexts", contexts},
		{"sealing", sealing},
		{"feed", feeds},
		{"streams", streams},
		{"life", life},
		{"copies", copies},
		{"nodes", nodes},
		{"nodes' feed", nodesFeed},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, c := range part.tests {
				t.Run(c.name, func(t *testing.T) {
					r := &rig{T: t, medium: medium(t), options: Options(), other: medium}
					r.open()
					defer func() { r.engine.Close() }()
					c.run(r)
				})
			}
		})
	}
}

// rig is an engine under test.
type rig struct {
	*testing.T
	medium  Medium
	options store.Options
	engine  store.Engine
	other   func(testing.TB) Medium // makes another medium
}

func (r *rig) open() {
	r.Helper()
	engine, err := r.medium.Open(r.options)
	if err != nil {
		r.Fatal("open: ", err)
	}
	r.engine = engine
}

// node opens the engine once more, as another process would, until the case ends.
func (r *rig) node() *rig {
	r.Helper()
	other := &rig{T: r.T, medium: r.medium, options: r.options}
	other.open()
	r.Cleanup(func() { other.engine.Close() })
	return other
}

// openWith replaces the engine by one with other options, on the same medium.
func (r *rig) openWith(change func(*store.Options)) {
	r.Helper()
	r.close()
	change(&r.options)
	r.open()
}

func (r *rig) close() {
	r.Helper()
	if err := r.engine.Close(); err != nil {
		r.Fatal("close: ", err)
	}
}

// reopen closes and opens the store.
func (r *rig) reopen() {
	r.Helper()
	r.close()
	r.open()
}

func (r *rig) update(fn func(store.Tx) error) {
	r.Helper()
	if err := r.engine.Update(r.Context(), fn); err != nil {
		r.Error("Update: ", err)
	}
}

func (r *rig) view(fn func(store.Tx) error) {
	r.Helper()
	if err := r.engine.View(r.Context(), fn); err != nil {
		r.Error("View: ", err)
	}
}

// put sets keys to values, given alternately.
func (r *rig) put(pairs ...string) {
	r.Helper()
	r.update(func(tx store.Tx) error { return put(tx, pairs...) })
}

func put(tx store.Tx, pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := tx.Put(key(pairs[i]), []byte(pairs[i+1])); err != nil {
			return err
		}
	}
	return nil
}

// want checks that the whole of the test's table holds exactly pairs.
func (r *rig) want(pairs ...string) {
	r.Helper()
	r.view(func(tx store.Tx) error {
		r.wantIn(tx, pairs...)
		return nil
	})
}

func (r *rig) wantIn(tx store.Tx, pairs ...string) {
	r.Helper()
	got, err := list(tx, false)
	if err != nil {
		r.Error(err)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", pairs) && len(got)+len(pairs) > 0 {
		r.Errorf("the store holds %q, want %q", got, pairs)
	}
}

// list is all keys of the test's table and their values, alternately.
func list(tx store.Tx, reverse bool) (pairs []string, err error) {
	from, to := store.Prefix(table, scope)
	for p, err := range tx.Scan(from, to, reverse) {
		if err != nil {
			return pairs, err
		}
		_, _, parts, _ := store.Parts(p.Key)
		pairs = append(pairs, parts[0], string(p.Value))
	}
	return pairs, nil
}

const (
	table = "storetest/row"
	scope = "111122223333"
)

func key(name string) []byte { return store.Key(table, scope, name) }

// get is the value of a key, "" if there is none.
func get(tx store.Tx, name string) (string, error) {
	v, err := tx.Get(key(name))
	if err == store.ErrNotFound {
		return "", nil
	}
	return string(v), err
}

// event is an event of the test's account.
func event(data string) store.Event { return store.Event{Scope: scope, Data: []byte(data)} }

// events are all events of a stream after a number, checked for gaps and for
// the journal's chain.
func (r *rig) events(stream, after uint64) (all []string) {
	r.Helper()
	next := after + 1
	for row, err := range r.engine.Rows(r.Context(), stream, after) {
		if err != nil {
			r.Fatal("Rows: ", err)
		}
		in, first, _, events, err := Unpack(row.Data)
		if err != nil || in != stream || first != row.First || row.Last != row.First+uint64(len(events))-1 {
			r.Fatalf("row %d-%d of stream %d holds %d events from %d of stream %d, %v",
				row.First, row.Last, stream, len(events), first, in, err)
		}
		if row.First > next || row.Last < next {
			r.Fatalf("row %d-%d where event %d comes next", row.First, row.Last, next)
		}
		for i, e := range events {
			if row.First+uint64(i) == next {
				all = append(all, string(e.Data))
				next++
			}
		}
	}
	return all
}

// own is this process's stream.
func (r *rig) own() uint64 {
	r.Helper()
	streams, err := r.engine.Streams(r.Context())
	if err != nil || len(streams) == 0 {
		r.Fatalf("Streams = %v, %v", streams, err)
	}
	last := streams[len(streams)-1]
	if last.Closed {
		r.Fatal("this process's own stream is closed")
	}
	return last.ID
}

// meeting lets n goroutines go on when all have arrived, or after a while, for
// an engine may let one wait for another.
type meeting struct {
	mu   sync.Mutex
	left int
	all  chan struct{}
}

func newMeeting(n int) *meeting { return &meeting{left: n, all: make(chan struct{})} }

func (m *meeting) arrive() {
	m.mu.Lock()
	if m.left--; m.left == 0 {
		close(m.all)
	}
	m.mu.Unlock()
	select {
	case <-m.all:
	case <-time.After(2 * time.Second):
	}
}

// together runs the functions at once and waits for all.
func together(fns ...func()) {
	var wg sync.WaitGroup
	for _, fn := range fns {
		wg.Go(fn)
	}
	wg.Wait()
}

func sameBytes(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
