package backup

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/blob"
	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// document is a row with content in a blob.
type document struct {
	Blob blob.ID
	Sum  [sha256.Size]byte
}

// tally counts documents.
type tally struct{ Documents, Changes int }

type use struct{}

var (
	documents = store.NewTable[document]("test/document")
	tallies   = store.NewTable[tally]("test/tally")
	inUse     = store.NewTable[use]("test/blob")
)

const account = "111122223333"

func names(key []byte) (blob.ID, bool) {
	table, _, parts, ok := store.Parts(key)
	if !ok || table != "test/blob" {
		return "", false
	}
	return blob.ID(parts[0]), true
}

// plant is an engine with blobs beside it.
type plant struct {
	testing.TB
	engine  store.Engine
	blobs   *blobmem.Store
	options store.Options
	given   chan blob.ID // blobs that were given up
}

// medium is where an engine may be opened, or restored.
type medium struct {
	open    func(store.Options) (store.Engine, error)
	restore func(store.Options) (store.Restoration, error)
}

func onPebble(t testing.TB) medium {
	dir := t.TempDir()
	return medium{
		func(o store.Options) (store.Engine, error) { return pebble.Open(dir, o) },
		func(o store.Options) (store.Restoration, error) { return pebble.Restore(dir, o) },
	}
}

func onPostgres(t testing.TB) medium {
	url := pgtest.URL(t)
	return medium{
		func(o store.Options) (store.Engine, error) { return postgres.Open(context.Background(), url, o) },
		func(o store.Options) (store.Restoration, error) {
			return postgres.Restore(context.Background(), url, o)
		},
	}
}

func open(t testing.TB, on medium, options store.Options, blobs *blobmem.Store) *plant {
	t.Helper()
	engine, err := on.open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return &plant{TB: t, engine: engine, blobs: blobs, options: options, given: make(chan blob.ID, 1000)}
}

// put makes a document, or gives another content to one.
func (p *plant) put(ctx context.Context, name string, content []byte) error {
	d := document{blob.NewID(), sha256.Sum256(content)}
	w, err := p.blobs.Create(ctx, d.Blob)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Commit(ctx)
	}
	if err != nil {
		return err
	}
	return p.change(ctx, name, &d)
}

// change sets a document (nil: deletes it), and gives up the blob of the one before.
func (p *plant) change(ctx context.Context, name string, d *document) error {
	var old blob.ID
	err := p.engine.Update(ctx, func(tx store.Tx) error {
		old = ""
		n, err := tallies.Edit(tx, account, "all")
		if errors.Is(err, store.ErrNotFound) {
			n, err = &tally{}, nil
		}
		if err != nil {
			return err
		}
		n.Changes++
		was, err := documents.Get(tx, account, name)
		switch {
		case err == nil:
			old = was.Blob
			n.Documents--
			err = inUse.Delete(tx, "", string(old))
		case errors.Is(err, store.ErrNotFound):
			err = nil
		}
		if err == nil && d != nil {
			n.Documents++
			err = errors.Join(documents.Put(tx, account, d, name), inUse.Put(tx, "", &use{}, string(d.Blob)))
		} else if err == nil && old != "" {
			err = documents.Delete(tx, account, name)
		}
		return errors.Join(err, tallies.Put(tx, account, n, "all"),
			tx.Append(store.Event{Scope: account, Data: []byte(strconv.Itoa(n.Changes))}))
	})
	if err == nil && old != "" {
		p.given <- old
	}
	return err
}

// sweep removes what was given up, unless a backup is under way.
func (p *plant) sweep(ctx context.Context) {
	for id := range p.given {
		for {
			held := false
			err := p.engine.View(ctx, func(tx store.Tx) (err error) {
				held, err = Held(tx, time.Now())
				return err
			})
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				p.Error(err)
				return
			}
			if !held {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if err := p.blobs.Remove(ctx, id); err != nil && ctx.Err() == nil {
			p.Error(err)
		}
	}
}

// whole checks that the store is of one moment and holds all that it names.
func (p *plant) whole() (n tally) {
	p.Helper()
	err := p.engine.View(p.Context(), func(tx store.Tx) error {
		found, err := tallies.Get(tx, account, "all")
		if err != nil {
			return err
		}
		n = *found
		listed := 0
		for entry, err := range documents.List(tx, account, nil) {
			if err != nil {
				return err
			}
			listed++
			if has, err := inUse.Has(tx, "", string(entry.Value.Blob)); err != nil || !has {
				p.Errorf("%s names a blob that is not in use, %v", entry.Parts, err)
			}
			content, err := p.content(entry.Value.Blob)
			if err != nil || sha256.Sum256(content) != entry.Value.Sum {
				p.Errorf("%s: %v", entry.Parts, err)
			}
		}
		if listed != n.Documents {
			p.Errorf("%d documents are listed, %d counted", listed, n.Documents)
		}
		return nil
	})
	if err != nil {
		p.Error(err)
	}
	return n
}

// changes is how many there were.
func (p *plant) changes() (n int) {
	p.Helper()
	if err := p.engine.View(p.Context(), func(tx store.Tx) error {
		found, err := tallies.Get(tx, account, "all")
		if err == nil {
			n = found.Changes
		}
		return err
	}); err != nil {
		p.Error(err)
	}
	return n
}

func (p *plant) content(id blob.ID) ([]byte, error) {
	r, err := p.blobs.Open(p.Context(), id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

// newestEvent is the last one of all streams.
func (p *plant) newestEvent() (newest int) {
	p.Helper()
	streams, err := p.engine.Streams(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, s := range streams {
		for row, err := range p.engine.Rows(p.Context(), s.ID, 0) {
			if err != nil {
				p.Fatal(err)
			}
			_, _, _, events, err := storetest.Unpack(row.Data)
			if err != nil {
				p.Fatal(err)
			}
			for _, e := range events {
				n, _ := strconv.Atoi(string(e.Data))
				newest = max(newest, n)
			}
		}
	}
	return newest
}

func newAEAD(t testing.TB) cipher.AEAD {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

var head = []byte("how to come by the key")

// backUp writes a backup under a hold.
func (p *plant) backUp(w io.Writer, aead cipher.AEAD) (counts Counts, err error) {
	err = Hold(p.Context(), p.engine, func(ctx context.Context) error {
		at, err := p.engine.(store.Archived).Snapshot(ctx)
		if err != nil {
			return err
		}
		defer at.Close()
		counts, err = Write(ctx, w, Source{
			Manifest: Manifest{Release: "v0.1.0", Time: time.Now()}, Store: at, Blobs: p.blobs, Names: names, Sealer: p.options.Sealer, Head: head, AEAD: aead,
		})
		return err
	})
	return counts, err
}

// restore restores a stream, or aborts.
func restore(t testing.TB, on medium, options store.Options, aead cipher.AEAD, from io.Reader) (*blobmem.Store, Counts, error) {
	t.Helper()
	target := Target{Blobs: blobmem.New()}
	_, counts, err := Reader{
		Release: "v0.1.0", Names: names,
		Key: func(got []byte) (cipher.AEAD, error) {
			if !bytes.Equal(got, head) {
				return nil, errors.New("another head")
			}
			return aead, nil
		},
		Begin: func(Manifest) (_ Target, err error) {
			target.Store, err = on.restore(options)
			return target, err
		},
	}.Read(t.Context(), from)
	if err != nil && target.Store != nil {
		target.Store.Abort()
	}
	return target.Blobs.(*blobmem.Store), counts, err
}

// slow is a reader's end that takes its time.
type slow struct {
	w     io.Writer
	every time.Duration
}

func (s slow) Write(b []byte) (int, error) {
	time.Sleep(s.every)
	return s.w.Write(b)
}

// TestABackupUnderLoadIsOneMoment backs up while documents are made, overwritten and
// deleted and their blobs swept, for a slow reader, and restores it into each engine.
func TestABackupUnderLoadIsOneMoment(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to func(testing.TB) medium
	}{
		{"pebble to postgres", onPebble, onPostgres},
		{"postgres to pebble", onPostgres, onPebble},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			options := storetest.Options()
			p := open(t, c.from(t), options, blobmem.New())
			content := func(n int) []byte { return bytes.Repeat([]byte(strconv.Itoa(n)+" "), 1+n%17*3000) }
			for i := range 60 {
				if err := p.put(t.Context(), fmt.Sprint("d", i), content(i)); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var all, sweeping sync.WaitGroup
			for w := range 3 {
				all.Go(func() {
					for n := w; ctx.Err() == nil; n += 3 {
						err := p.put(ctx, fmt.Sprint("d", n%80), content(n))
						if n%5 == 0 && err == nil {
							err = p.change(ctx, fmt.Sprint("d", n%60), nil)
						}
						if err != nil && ctx.Err() == nil {
							t.Error(err)
						}
					}
				})
			}
			sweeping.Go(func() { p.sweep(ctx) })
			aead := newAEAD(t)
			var stream bytes.Buffer
			before := p.changes()
			counts, err := p.backUp(slow{&stream, time.Millisecond}, aead)
			if err != nil {
				t.Fatal(err)
			}
			after := p.changes()
			cancel()
			all.Wait()
			close(p.given)
			sweeping.Wait()

			to := c.to(t)
			blobs, restored, err := restore(t, to, options, aead, &stream)
			if err != nil {
				t.Fatal(err)
			}
			q := open(t, to, options, blobs)
			n := q.whole()
			if n.Changes < before || n.Changes > after || q.newestEvent() != n.Changes || restored != counts {
				t.Errorf("begun at change %d, over at %d: restored %d with %d events; %+v of %+v", before, after, n.Changes, q.newestEvent(), restored, counts)
			}
			if after == before {
				t.Error("nothing was changed meanwhile")
			}
			kept := 0
			for range blobs.All(t.Context(), "") {
				kept++
			}
			if kept != n.Documents || uint64(kept) != counts.Blobs {
				t.Errorf("%d blobs are restored for %d documents, %d counted", kept, n.Documents, counts.Blobs)
			}
			if err := q.put(t.Context(), "new", []byte("one more")); err != nil {
				t.Error(err)
			}
		})
	}
}
