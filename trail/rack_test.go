package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
)

// rack is an engine whose stream of events lies open to the test: it can be
// restarted, which begins a stream, stopped at any write, and tampered with.
// Everything else is store/mem's.
type rack struct {
	store.Engine
	keys    *keyring.Keyring
	journal *Journal

	mu      sync.Mutex
	streams []store.Stream
	rows    map[uint64][]store.Row
	head    []byte
	more    chan struct{}
	added   uint64

	before func() // run once, before rows are next read
	stopAt int    // updates until the process dies; 0: never
	after  bool
}

type rackTx struct {
	store.Tx
	events   []store.Event
	replaced map[rowName][]byte
}

type rowName struct{ stream, last uint64 }

func (t *rackTx) Append(e store.Event) error {
	t.events = append(t.events, store.Event{Scope: e.Scope, Data: bytes.Clone(e.Data)})
	return nil
}

func newRack(t testing.TB, scopes ...string) *rack {
	t.Helper()
	r := &rack{keys: keyring.New(), rows: map[uint64][]store.Row{}, more: make(chan struct{})}
	r.journal = NewJournal(r.keys)
	engine, err := mem.Open(store.Options{Sealer: r.keys, Journal: r.journal, Release: "v0.1.0"})
	check(t, err)
	t.Cleanup(func() { engine.Close() })
	r.Engine = engine
	root, err := keyring.CreateRootFile(t.TempDir() + "/root.key")
	check(t, err)
	check(t, r.keys.Load(t.Context(), engine, root))
	for _, s := range scopes {
		check(t, r.keys.Ensure(t.Context(), s))
	}
	r.restart()
	return r
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// restart ends the stream and begins another, as the next process does.
func (r *rack) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.streams {
		r.streams[i].Closed = true
	}
	r.streams = append(r.streams, store.Stream{ID: uint64(len(r.streams)) + 1})
	r.head, r.stopAt = nil, 0
	close(r.more)
	r.more = make(chan struct{})
}

func (r *rack) trail() *Trail { return &Trail{Engine: r, Journal: r.journal} }

var errKilled = errors.New("killed")

func (r *rack) Update(ctx context.Context, fn func(store.Tx) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	dies := false
	if r.stopAt > 0 {
		if r.stopAt--; r.stopAt == 0 {
			dies, r.stopAt = true, 1 // and stays dead
			if !r.after {
				return errKilled
			}
		}
	}
	tx := &rackTx{}
	err := r.Engine.Update(ctx, func(inner store.Tx) error {
		*tx = rackTx{Tx: inner, replaced: map[rowName][]byte{}}
		return fn(tx)
	})
	if err != nil {
		return err
	}
	for name, data := range tx.replaced {
		rows := r.rows[name.stream]
		at := slices.IndexFunc(rows, func(row store.Row) bool { return row.Last == name.last })
		if data == nil {
			r.rows[name.stream] = slices.Delete(slices.Clone(rows), at, at+1)
		} else {
			rows[at].Data = data
		}
	}
	if len(tx.events) > 0 {
		r.pack(tx.events)
	}
	if dies {
		r.after = false
		return errKilled
	}
	return nil
}

// pack adds a row. The caller holds mu.
func (r *rack) pack(events []store.Event) {
	id := r.streams[len(r.streams)-1].ID
	var first uint64 = 1
	if rows := r.rows[id]; len(rows) > 0 {
		first = rows[len(rows)-1].Last + 1
	}
	data, head, err := r.journal.Pack(id, first, r.head, events)
	if err != nil {
		panic(err)
	}
	r.head = head
	r.rows[id] = append(slices.Clone(r.rows[id]), store.Row{First: first, Last: first + uint64(len(events)) - 1, Data: data})
	r.added++
	close(r.more)
	r.more = make(chan struct{})
}

func (r *rack) Streams(context.Context) ([]store.Stream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var here []store.Stream
	for i, s := range r.streams {
		if len(r.rows[s.ID]) > 0 || i == len(r.streams)-1 {
			here = append(here, s)
		}
	}
	return here, nil
}

func (r *rack) Rows(ctx context.Context, stream, after uint64) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		if before := r.before; before != nil {
			r.before = nil
			before()
		}
		r.mu.Lock()
		rows := r.rows[stream]
		r.mu.Unlock()
		for _, row := range rows {
			if row.Last > after && !yield(row, ctx.Err()) {
				return
			}
		}
	}
}

func (r *rack) Wait(ctx context.Context, mark uint64) (uint64, error) {
	for {
		r.mu.Lock()
		added, more := r.added, r.more
		r.mu.Unlock()
		if added > mark {
			return added, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return mark, ctx.Err()
		}
	}
}

func (r *rack) ReplaceRow(tx store.Tx, stream, last uint64, data []byte) error {
	if !slices.ContainsFunc(r.rows[stream], func(row store.Row) bool { return row.Last == last }) {
		return store.ErrNotFound
	}
	tx.(*rackTx).replaced[rowName{stream, last}] = data
	return nil
}

// copyRows is the disk as it is now, to be put back.
func (r *rack) copyRows() map[uint64][]store.Row {
	all := maps.Clone(r.rows)
	for id, rows := range all {
		all[id] = slices.Clone(rows)
		for i := range rows {
			all[id][i].Data = bytes.Clone(rows[i].Data)
		}
	}
	return all
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// event is the n-th event of a test, of an account, n seconds after noon.
func event(n int, account string) *Event {
	return &Event{
		UserIdentity: UserIdentity{
			Type: "IAMUser", PrincipalID: "AIDACKCEVSQ6C2EXAMPLE", ARN: "arn:aws:iam::" + account + ":user/alice",
			AccountID: account, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", UserName: "alice",
		},
		EventTime: noon.Add(time.Duration(n) * time.Second), EventSource: "iam.amazonaws.com", EventName: "CreateUser",
		AWSRegion: "us-east-1", SourceIPAddress: "192.0.2.7", UserAgent: "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/linux",
		RequestParameters: fmt.Appendf(nil, `{"userName":"user-%d"}`, n), RequestID: NewID(), EventID: NewID(),
		ManagementEvent: true, RecipientAccountID: account,
	}
}

// number is which of the test's events e is.
func number(t testing.TB, e *Event) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(string(e.RequestParameters), `{"userName":"user-%d"}`, &n); err != nil {
		t.Fatalf("parameters %s: %v", e.RequestParameters, err)
	}
	return n
}

// add appends events from number on, in groups of random sizes, each event of a random one of accounts.
func (r *rack) add(t testing.TB, random *rand.Rand, from, n int, accounts ...string) {
	t.Helper()
	for done := 0; done < n; {
		group := min(1+random.IntN(9), n-done)
		check(t, r.Update(t.Context(), func(tx store.Tx) error {
			for i := range group {
				if err := Append(tx, event(from+done+i, accounts[random.IntN(len(accounts))])); err != nil {
					return err
				}
			}
			return nil
		}))
		done += group
	}
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func addr(t testing.TB, s string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(s)
	check(t, err)
	return a
}
