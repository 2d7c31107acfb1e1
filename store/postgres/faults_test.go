package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

// TestALostConnectionLosesNoCommitAndDoublesNone breaks connections while they
// commit: before the server has heard of it, halfway, and after.
func TestALostConnectionLosesNoCommitAndDoublesNone(t *testing.T) {
	t.Parallel()
	w := new(wire)
	e := open(t, pgtest.URL(t), postgres.Tuning{Heartbeat: 50 * time.Millisecond, Dial: w.dial})
	l := under(t, "x", e)
	for range 30 {
		w.set(func(w *wire) {
			w.commit = func(c *cable, b []byte) error {
				switch rand.IntN(3) {
				case 0: // it never arrives
				case 1:
					_, _ = c.Conn.Write(b[:rand.IntN(len(b))])
				case 2: // it is carried out, and the answer is lost
					_, _ = c.Conn.Write(b)
				}
				return errors.Join(errCut, c.Conn.Close())
			}
		})
		l.more(t, 20)
	}
	w.cut() // all at once, too
	l.more(t, 20)
	acknowledged := l.end()
	if l.refused > 0 {
		t.Errorf("%d were refused, though the database could be reached", l.refused)
	}
	account(t, e, acknowledged)
}

// TestWhatBecameOfACommitIsToldOrNotAcknowledged keeps the database away after
// a commit's answer was lost.
func TestWhatBecameOfACommitIsToldOrNotAcknowledged(t *testing.T) {
	t.Parallel()
	for _, arrives := range []bool{true, false} {
		t.Run(fmt.Sprint("arrives ", arrives), func(t *testing.T) {
			w := new(wire)
			e := open(t, pgtest.URL(t), postgres.Tuning{Heartbeat: time.Hour, DoubtTime: 200 * time.Millisecond, Dial: w.dial})
			if err := change(e, t, "before"); err != nil {
				t.Fatal(err)
			}
			w.set(func(w *wire) {
				w.commit = func(c *cable, b []byte) error {
					if arrives {
						_, _ = c.Conn.Write(b)
					}
					w.set(func(w *wire) { w.down = true })
					return errors.Join(errCut, c.Conn.Close())
				}
			})
			if err := change(e, t, "doubtful"); !errors.Is(err, store.ErrUnknownFate) || !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("in doubt: %v, want ErrUnknownFate", err)
			}
			began := time.Now()
			if err := change(e, t, "meanwhile"); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("while the database is away: %v", err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("refused after %v", took)
			}
			w.set(func(w *wire) { w.down = false })
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				err := change(e, t, "after")
				if err == nil {
					break
				}
				if time.Now().After(deadline) || !errors.Is(err, store.ErrUnavailable) {
					t.Fatal(err)
				}
			}
			account(t, e, []string{"before", "after"})
			if got := stored(t, e); got["doubtful"] != arrives || got["meanwhile"] {
				t.Errorf("stored: %v", got)
			}
		})
	}
}

// TestACommitThatArrivesLateFails holds a commit up on its way until the node
// has asked what became of it.
func TestACommitThatArrivesLateFails(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	w := new(wire)
	e := open(t, url, postgres.Tuning{Heartbeat: time.Hour, Dial: w.dial})
	if err := change(e, t, "before"); err != nil {
		t.Fatal(err)
	}
	w.set(func(w *wire) {
		w.commit = func(c *cable, b []byte) error {
			held, late := c.Conn, slices.Clone(b)
			t.Cleanup(func() { held.Close() })
			c.Conn = closed{held} // the node's end is gone, the network's is not
			w.set(func(w *wire) {
				w.commit = func(c *cable, b []byte) error { // the second way, which the first overtakes
					_, err := held.Write(late)
					answer := make([]byte, 4096)
					n, err2 := held.Read(answer)
					if err := errors.Join(err, err2); err != nil || !strings.Contains(string(answer[:n]), "23514") {
						t.Errorf("the late commit was answered %q, %v, want a refusal", answer[:n], err)
					}
					_, err = c.Conn.Write(b)
					return err
				}
			})
			return errCut
		}
	})
	for _, name := range []string{"late", "after"} {
		if err := change(e, t, name); err != nil {
			t.Fatal(err)
		}
	}
	account(t, e, []string{"before", "late", "after"})
}

// closed is the end of a connection that is gone.
type closed struct{ net.Conn }

func (closed) Read([]byte) (int, error)         { return 0, errCut }
func (closed) Write([]byte) (int, error)        { return 0, errCut }
func (closed) Close() error                     { return nil }
func (closed) SetDeadline(time.Time) error      { return nil }
func (closed) SetReadDeadline(time.Time) error  { return nil }
func (closed) SetWriteDeadline(time.Time) error { return nil }

// TestAFencedNodeCommitsNothingInItsOldStream closes the stream of a node that
// writes, as others do when its lease has ended.
func TestAFencedNodeCommitsNothingInItsOldStream(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	e := open(t, url, quiet)
	l := under(t, "x", e)
	for range 10 {
		l.more(t, 20)
		if err := pgtest.Exec(url, "UPDATE garrison_streams SET closed = true"); err != nil {
			t.Fatal(err)
		}
		ended := pgtest.Query(t, url, "SELECT id || ':' || last FROM garrison_streams WHERE closed ORDER BY id")
		l.more(t, 20)
		now := pgtest.Query(t, url, "SELECT id || ':' || last FROM garrison_streams WHERE closed ORDER BY id")
		if !slices.Equal(ended, now) {
			t.Fatalf("closed streams went on: %v, then %v", ended, now)
		}
	}
	acknowledged := l.end()
	if l.refused > 0 {
		t.Errorf("%d were refused", l.refused)
	}
	account(t, e, acknowledged)
	streams, err := e.Streams(t.Context())
	if err != nil || len(streams) < 11 || streams[len(streams)-1].Closed {
		t.Errorf("Streams = %v, %v", streams, err)
	}
}

// TestASilentNodesStreamIsClosedByAnother lets one node's lease end.
func TestASilentNodesStreamIsClosedByAnother(t *testing.T) {
	t.Parallel()
	url, o := pgtest.URL(t), storetest.Options()
	silent := openWith(t, url, o, quiet)
	if err := change(silent, t, "a"); err != nil {
		t.Fatal(err)
	}
	old, err := silent.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	living := openWith(t, url, o, postgres.Tuning{Heartbeat: 20 * time.Millisecond, Lease: 400 * time.Millisecond})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		streams, err := living.Streams(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if streams[0].ID != old[0].ID {
			t.Fatalf("Streams = %v", streams)
		}
		if streams[0].Closed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the silent node's stream stays open")
		}
	}
	time.Sleep(500 * time.Millisecond) // the living node renews its own lease
	if err := errors.Join(change(silent, t, "b"), change(living, t, "c")); err != nil {
		t.Fatal(err)
	}
	account(t, living, []string{"a", "b", "c"})
	account(t, silent, []string{"a", "b", "c"})
	// The silent node's second may be closed by now like its first: it keeps silent.
	if streams, err := living.Streams(t.Context()); err != nil || len(streams) != 3 || streams[2].Closed || !streams[0].Closed {
		t.Errorf("Streams = %v, %v: want the silent node's two, and the living one's open", streams, err)
	}
}

// TestNothingIsAnsweredWithoutTheDatabase asks for what the cache holds.
func TestNothingIsAnsweredWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*wire){
		"refused": func(w *wire) { w.down = true },
		"silent":  func(w *wire) { w.silent = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := new(wire)
			e := open(t, pgtest.URL(t), postgres.Tuning{Heartbeat: time.Hour, CommitTime: time.Second, DoubtTime: time.Second, Dial: w.dial})
			if err := change(e, t, "a"); err != nil {
				t.Fatal(err)
			}
			read := func(tx store.Tx) error { _, err := tx.Get(key("a")); return err }
			if err := e.View(t.Context(), read); err != nil {
				t.Fatal(err)
			}
			w.set(breaks)
			if name == "refused" {
				w.cut()
			}
			var all sync.WaitGroup
			for _, do := range map[string]func() error{
				"a view": func() error { return e.View(t.Context(), read) },
				"a refusal": func() error {
					return e.Update(t.Context(), func(tx store.Tx) error { return errors.Join(read(tx), errCut) })
				},
				"a change":     func() error { return change(e, t, "b") },
				"the streams":  func() error { _, err := e.Streams(t.Context()); return err },
				"a large read": func() error { return e.View(t.Context(), func(tx store.Tx) error { return scanAll(tx) }) },
			} {
				all.Go(func() {
					began := time.Now()
					if err := do(); !errors.Is(err, store.ErrUnavailable) {
						t.Errorf("answered %v, want ErrUnavailable", err)
					}
					if took := time.Since(began); took > 12*time.Second {
						t.Errorf("refused after %v", took)
					}
				})
			}
			all.Wait()
			w.set(func(w *wire) { w.down, w.silent = false, false })
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				err := change(e, t, "c")
				if err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("it does not come back: ", err)
				}
			}
		})
	}
}

func scanAll(tx store.Tx) error {
	for _, err := range tx.Scan(nil, nil, false) {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestAKilledServerLosesNothingAcknowledged kills PostgreSQL under load.
func TestAKilledServerLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, "fsync=on")
	o := storetest.Options()
	nodes := []*postgres.Engine{openWith(t, server.URL(), o, postgres.Tuning{}), openWith(t, server.URL(), o, postgres.Tuning{})}
	var acknowledged []string
	for round := range 3 {
		loads := []*load{under(t, fmt.Sprint("a", round), nodes[0]), under(t, fmt.Sprint("b", round), nodes[1])}
		loads[0].more(t, 30)
		server.Kill()
		time.Sleep(50 * time.Millisecond)
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
		for _, l := range loads {
			l.more(t, 30)
			acknowledged = append(acknowledged, l.end()...)
		}
		account(t, nodes[round%2], acknowledged)
	}
}
