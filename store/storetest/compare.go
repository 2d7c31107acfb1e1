package storetest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/garrison-security/garrison/store"
)

// Compare runs programs of random operations on two engines and compares what
// each operation answers. A medium that is not volatile is re-opened now and then.
func Compare(t *testing.T, a, b func(testing.TB) Medium, programs int) {
	for range programs {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("program %d", seed), func(t *testing.T) {
			machines := [2]*machine{newMachine(t, a(t), seed), newMachine(t, b(t), seed)}
			for step := range 60 {
				gotA, gotB := machines[0].step(), machines[1].step()
				for i := range max(len(gotA), len(gotB)) {
					if i >= len(gotA) || i >= len(gotB) || gotA[i] != gotB[i] {
						t.Fatalf("step %d, operation %d:\n%q\n%q", step, i, gotA[min(i, len(gotA)):], gotB[min(i, len(gotB)):])
					}
				}
			}
			for _, m := range machines {
				m.rig.close()
			}
		})
	}
}

// machine runs one program on one engine.
type machine struct {
	rig  *rig
	rand *rand.Rand
	said []string
}

func newMachine(t *testing.T, medium Medium, seed uint64) *machine {
	r := &rig{T: t, medium: medium, options: Options()}
	r.open()
	return &machine{rig: r, rand: rand.New(rand.NewPCG(seed, 0))}
}

func (m *machine) say(format string, args ...any) {
	m.said = append(m.said, fmt.Sprintf(format, args...))
}

var errGivenUp = errors.New("given up")

// step runs one transaction, and tells what everything in it answered.
func (m *machine) step() []string {
	m.said = nil
	if m.rand.IntN(12) == 0 && !m.rig.medium.Volatile {
		m.rig.reopen()
	}
	script := rand.New(rand.NewPCG(m.rand.Uint64(), 0))
	ops := script.IntN(12)
	run := func(tx store.Tx) error {
		for range ops {
			m.operate(script, tx)
		}
		if script.IntN(6) == 0 {
			return errGivenUp
		}
		return nil
	}
	if script.IntN(4) == 0 {
		m.say("View: %v", m.rig.engine.View(m.rig.Context(), run))
	} else {
		m.say("Update: %v", m.rig.engine.Update(m.rig.Context(), run))
	}
	m.tellEvents()
	return m.said
}

func (m *machine) operate(script *rand.Rand, tx store.Tx) {
	k := randomKey(script)
	switch op := script.IntN(20); {
	case op < 6:
		m.say("Put %q: %v", k, refused(tx.Put(k, []byte(hex.EncodeToString(fmt.Append(nil, script.Uint32()))))))
	case op < 8:
		m.say("Delete %q: %v", k, refused(tx.Delete(k)))
	case op < 11:
		v, err := tx.Get(k)
		m.say("Get %q: %q %v", k, v, err)
	case op < 13:
		v, err := tx.Load(k, func(b []byte) (any, error) { return string(b), nil })
		m.say("Load %q: %q %v", k, v, err)
	case op < 17:
		m.scan(script, tx)
	case op < 18:
		m.say("Append: %v", refused(tx.Append(event(fmt.Sprint(script.Uint32())))))
	case op < 19:
		m.replace(script, tx)
	default:
		tx.Discard()
		m.say("Discard")
	}
}

// refused tells errors apart by what the contract says of them.
func refused(err error) string {
	for _, known := range []error{store.ErrNotFound, store.ErrTooLarge, store.ErrKey} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if err != nil {
		return "refused"
	}
	return "ok"
}

func (m *machine) scan(script *rand.Rand, tx store.Tx) {
	from, to := randomKey(script), randomKey(script)
	switch script.IntN(3) {
	case 0:
		from, to = store.Prefix(table, scope)
	case 1:
		to = nil
	}
	reverse, limit := script.IntN(2) == 0, script.IntN(8)
	m.say("Scan %q %q %t", from, to, reverse)
	for p, err := range tx.Scan(from, to, reverse) {
		m.say("%q %q %v", p.Key, p.Value, err)
		if limit--; limit < 0 {
			break
		}
	}
}

// replace rewrites or removes a row, found by its rank over all streams.
func (m *machine) replace(script *rand.Rand, tx store.Tx) {
	rank, remove := script.IntN(20), script.IntN(2) == 0
	streams, err := m.rig.engine.Streams(m.rig.Context())
	if err != nil {
		m.rig.Fatal(err)
	}
	for _, s := range streams {
		for row := range m.rig.engine.Rows(m.rig.Context(), s.ID, 0) {
			if rank--; rank >= 0 {
				continue
			}
			data := row.Data
			if remove {
				data = nil
			}
			m.say("ReplaceRow: %s", refused(m.rig.engine.ReplaceRow(tx, s.ID, row.Last, data)))
			return
		}
	}
}

// tellEvents tells all events of all streams, in order.
func (m *machine) tellEvents() {
	streams, err := m.rig.engine.Streams(m.rig.Context())
	if err != nil {
		m.rig.Fatal(err)
	}
	for _, s := range streams {
		for row, err := range m.rig.engine.Rows(m.rig.Context(), s.ID, 0) {
			_, _, _, events, unpackErr := Unpack(row.Data)
			for _, e := range events {
				m.say("event %q %v %v", e.Data, err, unpackErr)
			}
		}
	}
}

func randomKey(script *rand.Rand) []byte {
	if script.IntN(40) == 0 {
		return [][]byte{nil, {0}, {0, 0, 1}, {0, 1}, {255, 255}, make([]byte, store.MaxKey+1)}[script.IntN(6)]
	}
	parts := []string{"", "a", "\x00", "\xff", "ab", "b\x00", "b"}
	account := []string{scope, ""}[script.IntN(2)]
	if script.IntN(3) == 0 {
		return store.Key(table, account, parts[script.IntN(len(parts))], parts[script.IntN(len(parts))])
	}
	return store.Key(table, account, parts[script.IntN(len(parts))])
}
