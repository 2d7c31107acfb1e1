package trail

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/store"
)

// tally is a consumer that counts, in its transaction, how often it was given each event.
func tally(t testing.TB, name string) func(tx store.Tx, records []Record) error {
	return func(tx store.Tx, records []Record) error {
		for i := range records {
			key := store.Key("tally", "", name, records[i].Position.String())
			var n uint64
			if value, err := tx.Get(key); err == nil {
				n = binary.BigEndian.Uint64(value)
			}
			if err := tx.Put(key, binary.BigEndian.AppendUint64(nil, n+1)); err != nil {
				return err
			}
		}
		return nil
	}
}

// tallied is how many events a consumer was given, and how many of them not just once.
func (r *rack) tallied(t testing.TB, name string) (events, wrong int) {
	t.Helper()
	return tallied(t, r.Engine, name)
}

func tallied(t testing.TB, e store.Engine, name string) (events, wrong int) {
	t.Helper()
	check(t, e.View(t.Context(), func(tx store.Tx) error {
		events, wrong = 0, 0
		from, to := store.Prefix("tally", "", name)
		for pair, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			events++
			if binary.BigEndian.Uint64(pair.Value) != 1 {
				wrong++
			}
		}
		return nil
	}))
	return events, wrong
}

// followAll follows until all that there is was handled.
func (r *rack) followAll(t testing.TB, name string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	return r.trail().newFollower(name, tally(t, name)).pass(ctx)
}

func TestFollowersSeeEveryEventOnceDespiteStops(t *testing.T) {
	r := newRack(t, alpha)
	random := newRandom(11)
	total := 0
	for life := range 60 {
		r.add(t, random, total, 25, alpha, "")
		total += 25
		for _, name := range []string{"a", "b"} { // two consumers, each with its own place
			r.stopAt, r.after = 1+random.IntN(3), random.IntN(2) == 0
			if err := r.followAll(t, name); err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			r.stopAt = 0
		}
		if life%3 == 0 {
			r.restart()
		}
	}
	for _, name := range []string{"a", "b"} {
		check(t, r.followAll(t, name))
		if n, wrong := r.tallied(t, name); n != total || wrong > 0 {
			t.Errorf("%s was given %d of %d events, %d of them not once", name, n, total, wrong)
		}
	}
}

func TestARowMayTakeSeveralBatches(t *testing.T) {
	r := newRack(t, alpha)
	const total = 2*followBatch + 500
	check(t, r.Update(t.Context(), func(tx store.Tx) error {
		for n := range total {
			if err := Append(tx, event(n, alpha)); err != nil {
				return err
			}
		}
		return nil
	}))
	for stop := 1; stop < 5; stop++ {
		for _, after := range []bool{false, true} {
			r.stopAt, r.after = stop, after
			r.followAll(t, "f")
			r.stopAt = 0
		}
	}
	check(t, r.followAll(t, "f"))
	if n, wrong := r.tallied(t, "f"); n != total || wrong > 0 {
		t.Errorf("%d of %d events, %d not once", n, total, wrong)
	}
}

func TestFollowersOfOneNameShareTheWork(t *testing.T) {
	r := newRack(t, alpha)
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if err := r.trail().Follow(ctx, "shared", tally(t, "shared")); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	random, total := newRandom(13), 0
	for range 20 {
		r.add(t, random, total, 20, alpha, "")
		total += 20
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if n, _ := r.tallied(t, "shared"); n == total || time.Now().After(deadline) {
			break
		}
	}
	cancel()
	wait.Wait()
	if n, wrong := r.tallied(t, "shared"); n != total || wrong > 0 {
		t.Errorf("%d of %d events, %d not once", n, total, wrong)
	}
}

func TestLagsAreWhatFollowersHaveYetToHandle(t *testing.T) {
	r := newRack(t, alpha)
	register(t, r, "behind")
	register(t, r, "f")
	r.add(t, newRandom(5), 0, 20, alpha)
	check(t, r.followAll(t, "f"))
	r.restart()
	r.add(t, newRandom(5), 20, 7, "")
	got, err := r.trail().Lags(t.Context())
	if err != nil || len(got) != 2 || got["f"] != 7 || got["behind"] != 27 {
		t.Errorf("%v, %v; want 7 of f, 27 of behind", got, err)
	}
	check(t, r.followAll(t, "f"))
	if got, err = r.trail().Lags(t.Context()); err != nil || got["f"] != 0 {
		t.Errorf("%v, %v after f has passed", got, err)
	}
}

func TestFollowersFindStreamsThatBeginLater(t *testing.T) {
	r := newRack(t, alpha)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- r.trail().Follow(ctx, "f", tally(t, "f")) }()
	total := 0
	for life := range 4 {
		if life > 0 {
			r.restart()
		}
		for range 5 {
			r.add(t, newRandom(1), total, 10, alpha)
			total += 10
			time.Sleep(time.Millisecond)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if n, _ := r.tallied(t, "f"); n == total || time.Now().After(deadline) {
			break
		}
	}
	if n, wrong := r.tallied(t, "f"); n != total || wrong > 0 {
		t.Errorf("%d of %d events, %d not once", n, total, wrong)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFollowKeepsOrderAndStartsWhereItStopped(t *testing.T) {
	r := lived(t)
	var seen []Position
	fails := errors.New("no more")
	handle := func(tx store.Tx, records []Record) error {
		if len(seen) > 100 {
			return fails
		}
		for _, rec := range records {
			seen = append(seen, rec.Position)
		}
		return nil
	}
	if err := r.trail().Follow(t.Context(), "order", handle); !errors.Is(err, fails) {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(seen, func(a, b Position) int {
		if a.Stream != b.Stream {
			return int(a.Stream) - int(b.Stream)
		}
		return int(a.Number) - int(b.Number)
	}) || seen[0] != (Position{1, 1}) {
		t.Errorf("seen %v", seen)
	}
	var at After
	check(t, r.View(t.Context(), func(tx store.Tx) (err error) {
		at, err = Cursors(tx, "order")
		return err
	}))
	if last := seen[len(seen)-1]; at[last.Stream] != last.Number || at[1] != 61 {
		t.Errorf("cursors %v after %v", at, last)
	}
}

// register makes name a follower that has handled nothing.
func register(t *testing.T, r *rack, name string) {
	t.Helper()
	check(t, r.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(store.Key(table, "", "follower", name), []byte{1})
	}))
}

func TestFollowersHoldTheCutAndForgetStreamsThatAreGone(t *testing.T) {
	r := lived(t)
	tr := r.trail()
	register(t, r, "slow")
	everything := Cut{Before: noon.Add(time.Hour), Reason: "r", Now: noon.Add(time.Hour)}
	if cut, err := tr.Cut(t.Context(), everything); err != nil || cut.Events != 0 || cut.HeldBy != "slow" {
		t.Errorf("cut %+v, %v, before the follower has read", cut, err)
	}
	check(t, r.followAll(t, "slow"))
	if cut, err := tr.Cut(t.Context(), everything); err != nil || cut.Events < 61*2 {
		t.Errorf("cut %+v, %v", cut, err)
	}
	check(t, r.followAll(t, "slow"))
	cursors := func() (at After) {
		check(t, r.View(t.Context(), func(tx store.Tx) (err error) {
			at, err = Cursors(tx, "slow")
			return err
		}))
		return at
	}
	if at := cursors(); len(at) != 1 || at[3] == 0 {
		t.Errorf("cursors %v", at)
	}
	check(t, tr.Forget(t.Context(), "slow"))
	if at := cursors(); len(at) != 0 {
		t.Errorf("cursors %v", at)
	}
	if found := r.faults(t); len(found) > 0 {
		t.Errorf("%q", found)
	}
}

func TestFollowPassesErasedEventsOver(t *testing.T) {
	r := newRack(t, alpha, beta)
	r.add(t, newRandom(1), 0, 40, alpha, beta)
	check(t, r.keys.Destroy(t.Context(), beta, nil))
	check(t, r.followAll(t, "f"))
	n, _ := r.tallied(t, "f")
	if n == 0 || n == 40 {
		t.Errorf("%d of 40", n)
	}
}

func TestFollowStopsAtARecordThatWasAltered(t *testing.T) {
	r := newRack(t, alpha)
	r.add(t, newRandom(1), 0, 40, alpha)
	r.rows[1][2].Data[rowFixed+80] ^= 1
	if err := r.followAll(t, "f"); err == nil {
		t.Error("followed on")
	}
}

func TestReadFollowsAndFilters(t *testing.T) {
	r := newRack(t, alpha, beta)
	check(t, r.Update(t.Context(), func(tx store.Tx) error {
		for n := range 10 {
			e := event(n, []string{alpha, beta}[n%2])
			if n%5 == 0 {
				e.ErrorCode, e.EventName = "AccessDenied", "DeleteUser"
			}
			if n == 9 {
				e.UserIdentity = UserIdentity{Type: "AssumedRole", PrincipalID: "AROAX:s", ARN: "arn:aws:sts::" + beta + ":assumed-role/r/s",
					SessionContext: &SessionContext{SessionIssuer: &SessionIssuer{Type: "Role", ARN: "arn:aws:iam::" + beta + ":role/r", UserName: "r"}}}
			}
			if err := Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, c := range []struct {
		name   string
		filter Filter
		after  After
		want   []int
	}{
		{"everything", Filter{}, nil, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"after a position", Filter{}, After{1: 8}, []int{8, 9}},
		{"by name", Filter{Name: "deleteuser"}, nil, []int{0, 5}},
		{"by service and name", Filter{Name: "iam:DeleteUser"}, nil, []int{0, 5}},
		{"by service", Filter{Name: "sts:*"}, nil, nil},
		{"by account", Filter{Account: alpha}, nil, []int{0, 2, 4, 6, 8}},
		{"by user", Filter{Principal: "alice", Account: beta}, nil, []int{1, 3, 5, 7}},
		{"by role", Filter{Principal: "arn:aws:iam::" + beta + ":role/r"}, nil, []int{9}},
		{"by key", Filter{Principal: "AKIAIOSFODNN7EXAMPLE", Error: "none", Account: alpha}, nil, []int{2, 4, 6, 8}},
		{"by any error", Filter{Error: "*"}, nil, []int{0, 5}},
		{"by error", Filter{Error: "AccessDenied", Account: alpha}, nil, []int{0}},
		{"by time", Filter{Since: noon.Add(3 * time.Second), Until: noon.Add(6 * time.Second)}, nil, []int{3, 4, 5}},
	} {
		var got []int
		for rec, err := range r.trail().Read(t.Context(), c.after, c.filter, false) {
			check(t, err)
			got = append(got, number(t, rec.Event))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for n := 10; n < 15; n++ {
			r.Update(ctx, func(tx store.Tx) error { return Append(tx, event(n, alpha)) })
		}
	}()
	next := 8
	for rec, err := range r.trail().Read(ctx, After{1: 8}, Filter{}, true) {
		check(t, err)
		if number(t, rec.Event) != next {
			t.Fatalf("%v, want %d", rec.Position, next)
		}
		if next++; next == 15 {
			cancel() // which ends it, without an error
		}
	}
	rec, err := r.trail().At(t.Context(), Position{1, 4})
	if err != nil || number(t, rec.Event) != 3 {
		t.Errorf("At: %v, %v", rec, err)
	}
	for _, p := range []Position{{1, 0}, {1, 99}, {9, 1}} {
		if _, err := r.trail().At(t.Context(), p); !errors.Is(err, ErrNoRecord) {
			t.Errorf("At %v: %v", p, err)
		}
	}
}

func TestEndFindsTheLastRow(t *testing.T) {
	r := newRack(t)
	if _, ok, err := r.trail().end(t.Context(), 1); ok || err != nil {
		t.Errorf("an empty stream: %v, %v", ok, err)
	}
	random := newRandom(17)
	for n := range 200 {
		r.add(t, random, n, 1+random.IntN(3), "")
		if n%17 == 16 {
			r.rows[1] = r.rows[1][random.IntN(len(r.rows[1])):]
		}
		want := r.rows[1][len(r.rows[1])-1]
		row, ok, err := r.trail().end(t.Context(), 1)
		if err != nil || !ok || row.Last != want.Last {
			t.Fatalf("end = %d, %v, %v; want %d", row.Last, ok, err, want.Last)
		}
	}
}

func TestPositionsAreReadAsTheyAreWritten(t *testing.T) {
	for _, p := range []Position{{}, {1, 2}, {1<<64 - 1, 1<<64 - 1}} {
		if got, err := ParsePosition(p.String()); err != nil || got != p {
			t.Errorf("%v: %v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"", "1", ":", "1:", ":1", "-1:2", "1:2:3", "1: 2", "18446744073709551616:1"} {
		if p, err := ParsePosition(bad); err == nil {
			t.Errorf("%q is %v", bad, p)
		}
	}
}
