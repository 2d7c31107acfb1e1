package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

func TestFirstStartsAtOnceMakeOneStore(t *testing.T) {
	t.Parallel()
	url, o := pgtest.URL(t), storetest.Options()
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			e, err := postgres.Open(t.Context(), url, o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(change(e, t, fmt.Sprint(i)), e.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	account(t, openWith(t, url, o, quiet), []string{"0", "1", "2", "3", "4", "5"})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sql string
		tuning    postgres.Tuning
		release   string
		want      string
	}{
		{"a store of a newer format", "UPDATE garrison_meta SET format = 99, release = 'v2.0.0'", quiet, "v0.1.0", "written by release v2.0.0 (format 99)"},
		{"a store of a newer release", "UPDATE garrison_meta SET release = 'v0.10.0'", quiet, "v0.9.3", "written by release v0.10.0"},
		{"a clock that is 31 s fast", "", postgres.Tuning{Now: func() time.Time { return time.Now().Add(31 * time.Second) }}, "v0.1.0", "31s from the database's"},
		{"a clock that is 31 s slow", "", postgres.Tuning{Now: func() time.Time { return time.Now().Add(-31 * time.Second) }}, "v0.1.0", "31s from the database's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, o := pgtest.URL(t), storetest.Options()
			openWith(t, url, o, quiet).Close()
			if c.sql != "" {
				if err := pgtest.Exec(url, c.sql); err != nil {
					t.Fatal(err)
				}
			}
			o.Release = c.release
			e, err := postgres.OpenTuned(t.Context(), url, o, c.tuning)
			if err == nil {
				e.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q", err, c.want)
			}
		})
	}
	fast := postgres.Tuning{Now: func() time.Time { return time.Now().Add(20 * time.Second) }}
	if e := open(t, pgtest.URL(t), fast); e.ClockOffset() < 18*time.Second || e.ClockOffset() > 22*time.Second {
		t.Errorf("ClockOffset = %v, want 20 s", e.ClockOffset())
	}
}

// TestAClockThatGoesWrongLater is noticed within a heartbeat, and said once.
func TestAClockThatGoesWrongLater(t *testing.T) {
	var off atomic.Int64
	var log lockedBuffer
	o := storetest.Options()
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	e := openWith(t, pgtest.URL(t), o, postgres.Tuning{
		Heartbeat: 20 * time.Millisecond, Now: func() time.Time { return time.Now().Add(time.Duration(off.Load())) },
	})
	for _, c := range []struct {
		off   time.Duration
		right bool
	}{{0, true}, {-time.Minute, false}, {25 * time.Second, true}, {time.Hour, false}, {0, true}} {
		off.Store(int64(c.off))
		for deadline := time.Now().Add(10 * time.Second); (e.ClockOffset() - c.off).Abs() > 2*time.Second; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("ClockOffset is %v, want %v", e.ClockOffset(), c.off)
			}
		}
		if e.ClockRight() != c.right {
			t.Errorf("%v off: right %t", c.off, e.ClockRight())
		}
	}
	time.Sleep(100 * time.Millisecond) // some heartbeats more
	if text := log.String(); strings.Count(text, "clock is wrong") != 2 || strings.Count(text, "clock is right again") != 2 {
		t.Errorf("the log says\n%s", text)
	}
}

// lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestURLsThatAreRefused(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"postgres://u:s3cret@db.example.com/g", "in the clear"},
		{"postgres://u:s3cret@db.example.com/g?sslmode=disable", "in the clear"},
		{"postgres://u:s3cret@db.example.com/g?sslmode=allow", "in the clear"},
		{"postgres://u:s3cret@127.0.0.1,db.example.com/g?sslmode=prefer", "in the clear"},
		{"postgres://u:s3cret@127.0.0.1.example.com/g?sslmode=disable", "in the clear"},
		{"postgres://u:s3cret@db.example.com/g?sslmode=nonsense", "sslmode"},
		{"postgres://u:s3cret@db.example.com:port/g?sslmode=require", "port"},
		{"mysql://u:s3cret@db.example.com", "not a URL"},
		{"postgres://u:s3cret@db.example.com/g?sslmode=require", ""},
		{"postgres://u:s3cret@db.example.com/g?sslmode=verify-full", ""},
		{"postgres://u:s3cret@127.0.0.1/g?sslmode=disable", ""},
		{"postgres://u@/g?host=/run/postgresql", ""},
	} {
		err := postgres.CheckURL(c.url)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("CheckURL(%q) = %v, want %q", c.url, err, c.want)
		}
	}
}

// TestCallsDoNotWaitForWhatChangesMuch commits a large transaction without
// events beside calls, and looks that no stream of its own is told of.
func TestCallsDoNotWaitForWhatChangesMuch(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	e := open(t, url, quiet)
	l := under(t, "x", e)
	for i := range 5 {
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			for j := range 2000 {
				if err := tx.Put(store.Key("test/index", "", fmt.Sprint(i, j)), nil); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	account(t, e, l.end())
	if streams, err := e.Streams(t.Context()); err != nil || len(streams) != 1 {
		t.Errorf("Streams = %v, %v", streams, err)
	}
	if got := pgtest.Query(t, url, "SELECT count(*)::text FROM garrison_streams WHERE NOT events AND seq > 0"); got[0] != "1" {
		t.Errorf("%s streams without events were written to", got[0])
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Query(t, url, "SELECT count(*)::text FROM garrison_streams WHERE NOT closed"); got[0] != "0" {
		t.Errorf("%s streams are open after Close", got[0])
	}
}

// TestADumpShowsNoValue looks for what was stored in what the database holds.
func TestADumpShowsNoValue(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	e := open(t, url, quiet)
	if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put(key("name"), []byte("plaintext-of-a-value")) }); err != nil {
		t.Fatal(err)
	}
	dump := strings.Join(pgtest.Query(t, url, "SELECT encode(k, 'escape') || encode(v, 'escape') FROM garrison_kv"), "\n")
	if !strings.Contains(dump, "name") || strings.Contains(dump, "plaintext") {
		t.Errorf("the database holds %q", dump)
	}
}
