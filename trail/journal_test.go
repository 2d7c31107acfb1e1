package trail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/storetest"
)

// packed is n events of random accounts and sizes.
func packed(n int, accounts ...string) []store.Event {
	random := newRandom(uint64(n))
	events := make([]store.Event, n)
	for i := range events {
		e := event(i, accounts[random.IntN(len(accounts))])
		events[i] = store.Event{Scope: e.RecipientAccountID, Data: e.encode(nil)}
	}
	return events
}

func TestRowsOpenToTheEventsThatWerePacked(t *testing.T) {
	accounts := []string{alpha, beta, ""}
	for i := range 60 {
		accounts = append(accounts, fmt.Sprintf("%012d", i))
	}
	r := newRack(t, accounts...)
	for _, n := range []int{1, 2, 3, 16, 17, 64, 500} {
		for _, of := range [][]string{{alpha}, {alpha, beta}, accounts} {
			events := packed(n, of...)
			row, head, err := r.journal.Pack(9, 1000, bytes.Repeat([]byte{7}, hashSize), events)
			check(t, err)
			if again, err := r.journal.Head(row); err != nil || !bytes.Equal(again, head) {
				t.Errorf("Head = %x, %v; Pack said %x", again, err, head)
			}
			records, err := r.journal.Open(9, store.Row{First: 1000, Last: 999 + uint64(n), Data: row})
			check(t, err)
			for i, rec := range records {
				if want := (Position{9, 1000 + uint64(i)}); rec.Position != want || rec.Scope != events[i].Scope || number(t, rec.Event) != i {
					t.Fatalf("%d events: %v of %q, number %d", n, rec.Position, rec.Scope, number(t, rec.Event))
				}
			}
		}
	}
}

func TestTheChainIsOverEventsNotRows(t *testing.T) {
	journal := NewJournal(fixedSealer{storetest.NewSealer()})
	events := packed(20, alpha, beta)
	chainOf := func(sizes ...int) (heads []Head, leaves [][]byte) {
		var head []byte
		done := 0
		for _, n := range sizes {
			row, newHead, err := journal.Pack(1, uint64(done+1), head, events[done:done+n])
			check(t, err)
			p, err := parse(row)
			check(t, err)
			for i := range n {
				leaves = append(leaves, p.leaf(i))
			}
			head, done = newHead, done+n
			heads = append(heads, Head(head))
		}
		return heads, leaves
	}
	heads, leaves := chainOf(3, 7, 10)
	head := startHead(1)
	for i, leaf := range leaves {
		head = link(head, leaf)
		if i == 2 && head != heads[0] || i == 9 && head != heads[1] || i == 19 && head != heads[2] {
			t.Errorf("after event %d the head is not that of the leaves", i+1)
		}
	}
	if head != heads[2] {
		t.Error("the heads do not follow from the leaves alone")
	}
}

// TestTheChainIsAsDocumented makes leaves and head again by the words of chain.go alone.
func TestTheChainIsAsDocumented(t *testing.T) {
	sealer := storetest.NewSealer()
	events := packed(3, alpha)
	before := bytes.Repeat([]byte{7}, 32)
	row, head, err := NewJournal(sealer).Pack(5, 100, before, events)
	check(t, err)
	p, err := parse(row)
	check(t, err)
	b := &p.blocks[0]
	plain, err := sealer.Open(nil, alpha, blockKey(nil, 5, 100, 3, b.header), b.sealed)
	check(t, err)
	number := func(n int) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, byte(n)} }
	hash := func(parts ...[]byte) []byte {
		sum := sha256.Sum256(bytes.Join(parts, nil))
		return sum[:]
	}
	want := before
	for i, e := range events {
		salt := hash([]byte{4}, plain[1:33], number(100+i))[:16]
		leaf := hash([]byte{1}, salt, number(5), number(100+i), number(len(alpha)), []byte(alpha), e.Data)
		if !bytes.Equal(leaf, p.leaf(i)) {
			t.Errorf("leaf %d is not as documented", i)
		}
		want = hash([]byte{2}, want, leaf)
	}
	if !bytes.Equal(want, head) {
		t.Error("the head is not as documented")
	}
	if start := startHead(5); !bytes.Equal(start[:], hash([]byte{3}, number(5))) {
		t.Error("the first head is not as documented")
	}
}

func TestARowCoversEachEventOnce(t *testing.T) {
	row := func(blocks ...block) []byte {
		b := append([]byte{rowVersion}, make([]byte, rowFixed-1)...)
		b[16] = 1
		b = append(b, 2, byte(len(blocks)))
		for _, blk := range blocks {
			b = append(blk.appendHeader(b, 2), 0)
		}
		return append(b, make([]byte, 2*hashSize+1)...)
	}
	if _, err := parse(row(block{scope: alpha, events: []int{0}}, block{scope: beta, events: []int{1}})); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"an event twice":  row(block{scope: alpha, events: []int{0, 1}}, block{scope: beta, events: []int{0}}),
		"an event not":    row(block{scope: alpha, events: []int{0}}),
		"no event":        row(block{scope: alpha, events: []int{0, 1}}, block{scope: beta}),
		"an event beyond": row(block{scope: alpha, events: []int{0}}, block{scope: beta, events: []int{2}}),
	} {
		if _, err := parse(bad); !errors.Is(err, ErrRow) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// fixedSealer is a sealer of which no scope was ever destroyed.
type fixedSealer struct{ *storetest.Sealer }

func TestPackRefuses(t *testing.T) {
	r := newRack(t, alpha)
	for name, pack := range map[string]func() error{
		"no events": func() error { _, _, err := r.journal.Pack(1, 1, nil, nil); return err },
		"an account without a key": func() error {
			_, _, err := r.journal.Pack(1, 1, nil, []store.Event{{Scope: beta, Data: []byte("x")}})
			return err
		},
		"a head of another length": func() error {
			_, _, err := r.journal.Pack(1, 1, []byte{1}, packed(1, alpha))
			return err
		},
	} {
		if pack() == nil {
			t.Errorf("packed %s", name)
		}
	}
	for _, row := range [][]byte{nil, {1}, make([]byte, 200)} {
		if _, err := r.journal.Head(row); !errors.Is(err, ErrRow) {
			t.Errorf("head of %x: %v", row, err)
		}
	}
}

func TestRowsAreSealed(t *testing.T) {
	r := newRack(t, alpha)
	row, _, err := r.journal.Pack(1, 1, nil, packed(5, alpha))
	check(t, err)
	for _, secret := range []string{"alice", "user-", "CreateUser", "AKIA", "aws-cli"} {
		if bytes.Contains(row, []byte(secret)) {
			t.Errorf("%q stands in the row", secret)
		}
	}
}

func FuzzParseRow(f *testing.F) {
	r := newRack(f, alpha, beta)
	for _, n := range []int{1, 3, 40} {
		row, _, err := r.journal.Pack(1, 1, nil, packed(n, alpha, beta))
		check(f, err)
		f.Add(row)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parse(data)
		if err != nil {
			return
		}
		if len(p.leaves) != p.count*hashSize {
			t.Errorf("%d leaves of %d events", len(p.leaves)/hashSize, p.count)
		}
		p.chain(Head{})
		r.journal.Open(p.stream, store.Row{First: p.first, Last: p.last(), Data: data})
	})
}

func FuzzReadHeads(f *testing.F) {
	f.Add([]byte("garrison-heads 1\n2026-11-24T09:00:00Z 3:1207 " + fmt.Sprintf("%064x", 1) + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		heads, err := ReadHeads(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, h := range heads {
			if p, err := ParsePosition(h.Position.String()); err != nil || p != h.Position {
				t.Errorf("%v: %v", h, err)
			}
		}
	})
}

// discard is a transaction that takes events and forgets them.
type discard struct{ store.Tx }

func (discard) Append(store.Event) error { return nil }

func BenchmarkAppend(b *testing.B) {
	e := event(1, alpha)
	b.ReportAllocs()
	for b.Loop() {
		if err := Append(discard{}, e); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkPack(b *testing.B, n int, accounts ...string) {
	r := newRack(b, append(accounts, "")...)
	events := packed(n, accounts...)
	plain, size := 0, 0
	for _, e := range events {
		plain += len(e.Data)
	}
	b.ReportAllocs()
	for b.Loop() {
		row, _, err := r.journal.Pack(1, 1, nil, events)
		check(b, err)
		size = len(row)
	}
	b.ReportMetric(float64(size)/float64(n), "B/event")
	b.ReportMetric(float64(plain)/float64(n), "plainB/event")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
}

func BenchmarkPack1(b *testing.B)             { benchmarkPack(b, 1, alpha) }
func BenchmarkPack20(b *testing.B)            { benchmarkPack(b, 20, alpha) }
func BenchmarkPack64(b *testing.B)            { benchmarkPack(b, 64, alpha) }
func BenchmarkPack64TwoAccounts(b *testing.B) { benchmarkPack(b, 64, alpha, beta) }

func BenchmarkDecode(b *testing.B) {
	data := event(1, alpha).encode(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	e, dst := event(1, alpha), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		e.AppendJSON(dst)
	}
}
