package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
)

// life is one process on a data directory.
type life struct {
	Trail
	keys   *keyring.Keyring
	engine *pebble.Engine
}

func live(t *testing.T, dir string) *life {
	t.Helper()
	l := &life{keys: keyring.New()}
	l.Journal = NewJournal(l.keys)
	var err error
	l.engine, err = pebble.Open(filepath.Join(dir, "store"), store.Options{Sealer: l.keys, Journal: l.Journal, Release: "v0.1.0"})
	check(t, err)
	l.Engine = l.engine
	root, err := keyring.RootFile(filepath.Join(dir, "root.key"), true)
	check(t, err)
	check(t, l.keys.Load(t.Context(), l.engine, root))
	check(t, l.keys.Ensure(t.Context(), alpha))
	check(t, l.keys.Ensure(t.Context(), beta))
	check(t, l.Begin(t.Context(), noon))
	return l
}

// TestTheRecordOnDisk lives several lives on the engine that installations
// use: each writes, follows and ends; the record holds, and nothing that was
// sealed can be read off the disk.
func TestTheRecordOnDisk(t *testing.T) {
	dir := t.TempDir()
	random := newRandom(23)
	total := 0
	var heads []KnownHead
	for range 4 {
		l := live(t, dir)
		for range 20 {
			n := 1 + random.IntN(20)
			check(t, l.Engine.Update(t.Context(), func(tx store.Tx) error {
				for i := range n {
					account := []string{alpha, beta, ""}[i%3]
					if err := Append(tx, event(total+i, account)); err != nil {
						return err
					}
				}
				return tx.Put(store.Key("iam/user", alpha, fmt.Sprint(total)), []byte("the-secret-of-a-user"))
			}))
			total += n
		}
		f := l.newFollower("f", tally(t, "f"))
		check(t, f.pass(t.Context()))
		report, err := l.Verify(t.Context(), heads)
		check(t, err)
		if len(report.Faults) > 0 || report.Compared != len(heads) {
			t.Fatalf("%+v", report)
		}
		var file bytes.Buffer
		check(t, report.WriteHeads(&file, noon))
		heads, err = ReadHeads(&file)
		check(t, err)
		check(t, l.engine.Close())
	}
	l := live(t, dir)
	defer l.engine.Close()
	seen, followed := 0, 0
	for rec, err := range l.Read(t.Context(), nil, Filter{Name: "CreateUser"}, false) {
		check(t, err)
		if number(t, rec.Event) != seen {
			t.Fatalf("%v is event %d, want %d", rec.Position, number(t, rec.Event), seen)
		}
		seen++
	}
	check(t, l.Engine.View(t.Context(), func(tx store.Tx) error {
		followed = 0
		from, to := store.Prefix("tally", "", "f")
		for _, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			followed++
		}
		return nil
	}))
	if seen != total || followed != total+4 { // and each life's OpenStream
		t.Errorf("%d read, %d followed, of %d", seen, followed, total)
	}

	check(t, l.keys.Destroy(t.Context(), beta, nil))
	cut, err := l.Cut(t.Context(), Cut{Before: noon.Add(1e9 * 60), Reason: "r", Now: noon})
	check(t, err)
	report, err := l.Verify(t.Context(), heads)
	check(t, err)
	if len(report.Faults) > 0 || cut.Events == 0 {
		t.Errorf("cut %+v, %+v", cut, report)
	}
	if err := l.Follow(cancelled(t), "f", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, secret := range []string{"the-secret-of-a-user", "alice", "CreateUser", "AKIAIOSFODNN7EXAMPLE", "aws-cli"} {
		if at := onDisk(t, filepath.Join(dir, "store"), secret); at != "" {
			t.Errorf("%q can be read in %s", secret, at)
		}
	}
	if at := onDisk(t, filepath.Join(dir, "store"), "iam/user"); at == "" {
		t.Error("the search of the disk finds nothing")
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// onDisk is the first file under dir that holds text.
func onDisk(t *testing.T, dir, text string) (at string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || at != "" {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			at = path
		}
		return err
	}))
	return at
}
