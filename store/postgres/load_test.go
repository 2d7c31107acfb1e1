package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

func key(name string) []byte { return store.Key("test/row", "111122223333", name) }

// quiet is a Tuning without a heartbeat.
var quiet = postgres.Tuning{Heartbeat: time.Hour}

func open(t *testing.T, url string, tuning postgres.Tuning) *postgres.Engine {
	t.Helper()
	return openWith(t, url, storetest.Options(), tuning)
}

func openWith(t *testing.T, url string, o store.Options, tuning postgres.Tuning) *postgres.Engine {
	t.Helper()
	e, err := postgres.OpenTuned(t.Context(), url, o, tuning)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// change puts a key and appends an event, both of that name.
func change(e store.Engine, t *testing.T, name string) error {
	return e.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put(key(name), []byte(name)), tx.Append(store.Event{Scope: "111122223333", Data: []byte(name)}))
	})
}

// recorded are the events of all streams, by name, with how often each is
// there. Each stream's numbers must have no gap, and its chain must hold.
func recorded(t *testing.T, e store.Engine) map[string]int {
	t.Helper()
	streams, err := e.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, s := range streams {
		var head []byte
		next := uint64(1)
		for row, err := range e.Rows(t.Context(), s.ID, 0) {
			if err != nil {
				t.Fatal(err)
			}
			stream, first, want, events, err := storetest.Unpack(row.Data)
			if err != nil || stream != s.ID || first != next || row.First != next {
				t.Fatalf("stream %d: a row of stream %d from %d where %d comes next: %v", s.ID, stream, first, next, err)
			}
			if _, head, err = (storetest.Journal{}).Pack(stream, first, head, events); err != nil || string(head) != string(want) {
				t.Fatalf("stream %d: the chain does not hold at %d: %v", s.ID, first, err)
			}
			for _, event := range events {
				all[string(event.Data)]++
			}
			next = row.Last + 1
		}
	}
	return all
}

// stored are the names of the keys that are there.
func stored(t *testing.T, e store.Engine) map[string]bool {
	t.Helper()
	var names map[string]bool
	if err := e.View(t.Context(), func(tx store.Tx) error {
		names = map[string]bool{}
		from, to := store.Prefix("test/row", "111122223333")
		for p, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			names[string(p.Value)] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// account checks that what was acknowledged is there once, and nothing by half.
func account(t *testing.T, e store.Engine, acknowledged []string) {
	t.Helper()
	names, events := stored(t, e), recorded(t, e)
	for _, name := range acknowledged {
		if !names[name] || events[name] != 1 {
			t.Errorf("%s was acknowledged; stored %t, recorded %d times", name, names[name], events[name])
		}
	}
	for name, n := range events {
		if n != 1 || !names[name] {
			t.Errorf("%s is recorded %d times, stored %t", name, n, names[name])
		}
	}
	if len(names) != len(events) {
		t.Errorf("%d are stored, %d recorded", len(names), len(events))
	}
}

// load changes from several callers until it is told to stop, and gathers what was acknowledged.
type load struct {
	stop         atomic.Bool
	all          sync.WaitGroup
	mu           sync.Mutex
	acknowledged []string
	refused      int
}

func under(t *testing.T, prefix string, e store.Engine) *load {
	l := new(load)
	for c := range 8 {
		l.all.Go(func() {
			for i := 0; !l.stop.Load(); i++ {
				name := fmt.Sprintf("%s-%d-%d", prefix, c, i)
				err := change(e, t, name)
				l.mu.Lock()
				switch {
				case err == nil:
					l.acknowledged = append(l.acknowledged, name)
				case errors.Is(err, store.ErrUnavailable):
					l.refused++
				default:
					t.Errorf("%s: %v", name, err)
				}
				l.mu.Unlock()
				if err != nil {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	return l
}

func (l *load) end() []string {
	l.stop.Store(true)
	l.all.Wait()
	return l.acknowledged
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

// more waits until more was acknowledged.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	enough := l.count() + n
	for deadline := time.Now().Add(30 * time.Second); l.count() < enough; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is acknowledged any more")
		}
	}
}
