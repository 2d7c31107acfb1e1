package trail

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// node is one process's view of a store that it shares. While it is paused no
// transaction of it goes on: one that is under way stands still just before its commit.
type node struct {
	store.Engine
	record *Trail

	mu   sync.Mutex
	gate chan struct{} // under mu: closed when the node goes on; nil: it is not paused
	runs int           // under mu: transactions that were begun
}

func (n *node) Shared() bool { return true }

func (n *node) Update(ctx context.Context, fn func(store.Tx) error) error {
	return n.Engine.Update(ctx, func(tx store.Tx) error {
		err := fn(tx)
		n.mu.Lock()
		gate := n.gate
		n.runs++
		n.mu.Unlock()
		if gate != nil {
			<-gate
		}
		return err
	})
}

func (n *node) pause() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gate = make(chan struct{})
}

func (n *node) wake() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.gate)
	n.gate = nil
}

// begun is how many transactions the node has run up to their commit.
func (n *node) begun() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.runs
}

// cluster are nodes on one store.
type cluster struct {
	nodes []*node
	pace  pace
	added int
	stops []func() // end a node's follower and wait for it
}

const shares = "shares"

func (c *cluster) start(t *testing.T) {
	for _, n := range c.nodes {
		f := n.record.newFollower(shares, tally(t, shares))
		f.pace = c.pace
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := f.follow(ctx); ctx.Err() == nil {
				t.Error(err)
			}
		}()
		c.stops = append(c.stops, func() { cancel(); <-done })
	}
}

// add appends events on a node, and waits until all that were ever added are handled.
func (c *cluster) add(t *testing.T, on, n int) {
	t.Helper()
	for range n {
		check(t, c.nodes[on].Engine.Update(t.Context(), func(tx store.Tx) error { return Append(tx, event(c.added, alpha)) }))
		c.added++
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(c.pace.look / 4) {
		events, wrong := tallied(t, c.nodes[on].Engine, shares)
		if wrong > 0 || events > c.added || time.Now().After(deadline) {
			t.Fatalf("%d of %d events were handled, %d of them not once", events, c.added, wrong)
		}
		if events == c.added {
			return
		}
	}
}

func (c *cluster) holder() int {
	return slices.IndexFunc(c.nodes, func(n *node) bool { return n.record.Holds(shares) })
}

// epoch is how often the lease was taken.
func (c *cluster) epoch(t *testing.T) (epoch uint64) {
	t.Helper()
	check(t, c.nodes[0].Engine.View(t.Context(), func(tx store.Tx) error {
		l, err := leaseOf(tx, shares)
		epoch = l.epoch
		return err
	}))
	return epoch
}

// live pauses the holder in the midst of a transaction, lets it wake when another
// has gone on, and ends that one.
func (c *cluster) live(t *testing.T) {
	c.start(t)
	c.add(t, 0, 30)
	first := c.holder()
	time.Sleep(3 * c.pace.lapse) // while the holder beats, nobody takes over
	if again := c.holder(); first < 0 || again != first || c.epoch(t) != 1 {
		t.Fatalf("node %d held the lease, then node %d; epoch %d", first, again, c.epoch(t))
	}
	other := (first + 1) % len(c.nodes)
	old := c.nodes[first]
	old.pause()
	before, paused := old.begun(), time.Now()
	c.add(t, other, 20)
	if took := time.Since(paused); took < c.pace.lapse-c.pace.beat || took > c.pace.lapse+4*c.pace.look {
		t.Errorf("another went on after %v; the lease lapses after %v", took, c.pace.lapse)
	}
	if old.begun() == before {
		t.Error("the holder was not paused in a transaction")
	}
	if c.epoch(t) != 2 {
		t.Errorf("epoch %d after one takeover", c.epoch(t))
	}
	old.wake() // and tries to commit what others have done meanwhile
	c.add(t, other, 10)
	time.Sleep(2 * c.pace.beat)
	second := c.holder()
	if second == first || old.record.Holds(shares) {
		t.Fatalf("node %d holds the lease again that it lost", first)
	}
	c.add(t, second, 10)
	ended := time.Now()
	c.stops[second]() // which hands the lease back
	c.add(t, second, 10)
	if took := time.Since(ended); took > 3*c.pace.look {
		t.Errorf("a lease that was handed back was taken after %v", took)
	}
	for _, stop := range c.stops {
		stop()
	}
	if c.epoch(t) != 3 || c.holder() >= 0 {
		t.Errorf("in the end node %d holds epoch %d", c.holder(), c.epoch(t))
	}
}

func TestLeasesOutliveAPausedHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := keyring.New()
		journal := NewJournal(keys)
		engine, err := mem.Open(store.Options{Sealer: keys, Journal: journal, Release: "v0.1.0"})
		check(t, err)
		root, err := keyring.CreateRootFile(t.TempDir() + "/root.key")
		check(t, err)
		check(t, keys.Load(t.Context(), engine, root))
		check(t, keys.Ensure(t.Context(), alpha))
		c := &cluster{pace: usualPace}
		for range 3 {
			n := &node{Engine: engine}
			n.record = &Trail{Engine: n, Journal: journal}
			c.nodes = append(c.nodes, n)
		}
		c.live(t)
		if most := c.pace.lapse + 4*c.pace.look; most > 10*time.Second {
			t.Errorf("a takeover may take %v", most)
		}
	})
}

func TestLeasesOutliveAPausedHolderOnPostgreSQL(t *testing.T) {
	url := pgtest.URL(t)
	root, err := keyring.CreateRootFile(t.TempDir() + "/root.key")
	check(t, err)
	c := &cluster{pace: pace{beat: 100 * time.Millisecond, lapse: 600 * time.Millisecond, look: 100 * time.Millisecond}}
	for range 3 {
		keys := keyring.New()
		journal := NewJournal(keys)
		engine, err := postgres.Open(t.Context(), url, store.Options{Sealer: keys, Journal: journal, Release: "v0.1.0"})
		check(t, err)
		t.Cleanup(func() { engine.Close() })
		check(t, keys.Load(t.Context(), engine, root))
		check(t, keys.Ensure(t.Context(), alpha))
		n := &node{Engine: engine}
		n.record = &Trail{Engine: n, Journal: journal}
		c.nodes = append(c.nodes, n)
	}
	c.live(t)
}

// TestAContenderThatWasAwayLooksAgain lets a contender miss the time in which the
// holder gave signs of life: what counts is that the same sign is there when it looks.
func TestAContenderThatWasAwayLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, alpha)
		f := r.trail().newFollower(shares, nil)
		first, err := f.await(t.Context())
		check(t, err)
		away := &awayEngine{Engine: r}
		contender := (&Trail{Engine: away}).newFollower(shares, nil)
		held, end := context.WithCancelCause(t.Context())
		var all sync.WaitGroup
		all.Go(func() { f.beats(held, first, end) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		if _, err := contender.await(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a contender took a lease whose holder lives: %v", err)
		}
		cancel()
		end(nil)
		all.Wait()
		second, err := contender.await(t.Context())
		if err != nil || second.epoch != first.epoch+1 {
			t.Errorf("epoch %d after %d, %v", second.epoch, first.epoch, err)
		}
		err = r.Engine.Update(t.Context(), func(tx store.Tx) error { return f.fence(tx, first) })
		if !errors.Is(err, errLost) {
			t.Errorf("the old lease still counts: %v", err)
		}
	})
}

// awayEngine is away for 7 seconds before each look.
type awayEngine struct{ store.Engine }

func (e *awayEngine) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := sleep(ctx, usualPace.lapse+time.Second); err != nil {
		return err
	}
	return e.Engine.View(ctx, fn)
}

// TestWhoLostTheLeaseWritesNothing lets a follower go on that has not noticed yet.
func TestWhoLostTheLeaseWritesNothing(t *testing.T) {
	r := newRack(t, alpha)
	f := r.trail().newFollower(shares, tally(t, shares))
	mine, err := f.await(t.Context())
	check(t, err)
	f.lease = &mine
	r.add(t, newRandom(1), 0, 10, alpha)
	check(t, f.pass(t.Context()))
	r.add(t, newRandom(1), 10, 10, alpha)
	check(t, r.Engine.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(leaseKey(shares), lease{mine.epoch + 1, "another"}.value())
	}))
	if err := f.pass(t.Context()); !errors.Is(err, errLost) {
		t.Errorf("it went on: %v", err)
	}
	f.at = nil
	if err := f.pass(t.Context()); !errors.Is(err, errLost) {
		t.Errorf("it read the cursors again and went on: %v", err)
	}
	if n, _ := r.tallied(t, shares); n != 10 {
		t.Errorf("%d events were handled", n)
	}
	f.release(t.Context())
	check(t, r.View(t.Context(), func(tx store.Tx) error {
		l, err := leaseOf(tx, shares)
		if l.holder != "another" {
			t.Errorf("it handed back another's lease: %v", l)
		}
		return err
	}))
}

func TestLeasesThatCantBeReadAreRefused(t *testing.T) {
	r := newRack(t)
	for _, value := range [][]byte{{}, {0}, {2, 1}, {1}, {1, 0x80}, slices.Repeat([]byte{0xff}, 20)} {
		check(t, r.Engine.Update(t.Context(), func(tx store.Tx) error { return tx.Put(leaseKey(shares), value) }))
		if l, err := r.trail().newFollower(shares, nil).await(t.Context()); err == nil {
			t.Errorf("%x is %v", value, l)
		}
	}
}

// TestOneAloneWorks lets three nodes want the same work, and ends or pauses who does it.
func TestOneAloneWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, alpha)
		var mu sync.Mutex
		working, begun := map[int]bool{}, 0
		at := func() (who []int) {
			mu.Lock()
			defer mu.Unlock()
			for i := range working {
				who = append(who, i)
			}
			return who
		}
		nodes := make([]*node, 3)
		ends := make([]context.CancelFunc, 3)
		var all sync.WaitGroup
		for i := range nodes {
			nodes[i] = &node{Engine: r.Engine}
			record := &Trail{Engine: nodes[i]}
			ctx, cancel := context.WithCancel(t.Context())
			ends[i] = cancel
			all.Go(func() {
				err := record.Alone(ctx, shares, func(ctx context.Context) error {
					mu.Lock()
					working[i], begun = true, begun+1
					mu.Unlock()
					<-ctx.Done()
					mu.Lock()
					delete(working, i)
					mu.Unlock()
					return ctx.Err()
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("node %d: %v", i, err)
				}
			})
		}
		for range 2 {
			time.Sleep(time.Minute)
			who := at()
			if len(who) != 1 {
				t.Fatalf("nodes %v work", who)
			}
			ends[who[0]]()
		}
		time.Sleep(time.Minute)
		last := at()
		if len(last) != 1 || begun != 3 {
			t.Fatalf("nodes %v work, the %d. tenure", last, begun)
		}
		nodes[last[0]].pause() // it beats no more, but nobody else is there
		time.Sleep(time.Minute)
		nodes[last[0]].wake()
		time.Sleep(time.Minute)
		if who := at(); len(who) != 1 || begun != 3 {
			t.Errorf("nodes %v work, the %d. tenure", who, begun)
		}
		ends[last[0]]()
		all.Wait()
	})
	own := &Trail{Engine: newRack(t, alpha).Engine}
	want := errors.New("at once")
	if err := own.Alone(t.Context(), shares, func(context.Context) error { return want }); err != want {
		t.Error(err)
	}
}
