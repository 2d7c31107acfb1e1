package trail

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/store"
)

func TestFollowersShareWhatOneOpened(t *testing.T) {
	r := newRack(t, alpha, beta)
	r.add(t, newRandom(8), 0, 30, alpha, beta)
	row := r.rows[1][3]
	synctest.Test(t, func(t *testing.T) {
		var recent recent
		first, err := recent.Open(r.journal, 1, row)
		check(t, err)
		again, err := recent.Open(r.journal, 1, row)
		check(t, err)
		if &first[0] != &again[0] {
			t.Error("opened twice")
		}

		row.Data = slices.Clone(row.Data)
		row.Data[len(row.Data)/2] ^= 1
		if _, err := recent.Open(r.journal, 1, row); err == nil {
			t.Error("an altered row was answered as it was before")
		}
		row = r.rows[1][3]
		if _, err := recent.Open(r.journal, 2, row); err == nil {
			t.Error("a row of one stream was answered for another")
		}

		time.Sleep(2 * recentAge)
		synctest.Wait()
		if len(recent.rows) > 0 || len(recent.order) > 0 || recent.events != 0 || recent.bytes != 0 {
			t.Errorf("%d rows, %d in order, %d events of %d bytes stay", len(recent.rows), len(recent.order), recent.events, recent.bytes)
		}
	})
}

func TestWhatFollowersShareIsBounded(t *testing.T) {
	r := newRack(t, alpha)
	r.add(t, newRandom(9), 0, 3*recentEvents, alpha)
	var recent recent
	for _, row := range r.rows[1] {
		if _, err := recent.Open(r.journal, 1, row); err != nil {
			t.Fatal(err)
		}
		if recent.events > recentEvents {
			t.Fatalf("%d events kept", recent.events)
		}
	}
	if len(recent.rows) != len(recent.order) || recent.events < recentEvents/2 {
		t.Errorf("%d rows, %d in order, %d events", len(recent.rows), len(recent.order), recent.events)
	}
	for n := range uint64(20) { // few events, and large ones
		recent.of(Position{2, n + 1}, store.Row{First: n + 1, Last: n + 1, Data: make([]byte, recentBytes/8)})
		if recent.bytes > recentBytes {
			t.Fatalf("%d bytes kept", recent.bytes)
		}
	}
	if len(recent.rows) != 8 {
		t.Errorf("%d rows", len(recent.rows))
	}
}
