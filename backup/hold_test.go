package backup

import (
	"context"
	"errors"
	"testing"
	"time"

	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/storetest"
)

func (p *plant) held(now time.Time) (held bool) {
	p.Helper()
	if err := p.engine.View(p.Context(), func(tx store.Tx) (err error) {
		held, err = Held(tx, now)
		return err
	}); err != nil {
		p.Error(err)
	}
	return held
}

func TestAHoldLastsAsLongAsItsBackup(t *testing.T) {
	p := open(t, onPebble(t), storetest.Options(), blobmem.New())
	if p.held(time.Now()) {
		t.Error("held before any backup")
	}
	wrong := errors.New("wrong")
	err := Hold(t.Context(), p.engine, func(context.Context) error {
		if !p.held(time.Now()) || p.held(time.Now().Add(usualPace.lapse)) {
			t.Error("a backup under way holds for a while")
		}
		return wrong
	})
	if err != wrong || p.held(time.Now()) {
		t.Errorf("%v; held afterwards: %t", err, p.held(time.Now()))
	}
}

func TestAHoldIsRenewedAndLapses(t *testing.T) {
	p := open(t, onPebble(t), storetest.Options(), blobmem.New())
	quick := pace{lapse: 300 * time.Millisecond, renew: 20 * time.Millisecond}
	err := quick.hold(t.Context(), p.engine, func(ctx context.Context) error {
		time.Sleep(2 * quick.lapse)
		if !p.held(time.Now()) {
			t.Error("not renewed")
		}
		return ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
	// One that is not renewed lapses, and its backup ends; so does one that another has taken for dead.
	for name, do := range map[string]func(store.Tx) error{
		"it was taken for dead": func(tx store.Tx) error {
			for entry, err := range holds.List(tx, "", nil) {
				if err := errors.Join(err, holds.Delete(tx, "", entry.Parts...)); err != nil {
					return err
				}
			}
			return nil
		},
		"it has lapsed": func(tx store.Tx) error {
			for entry, err := range holds.List(tx, "", nil) {
				if err := errors.Join(err, holds.Put(tx, "", &hold{time.Now().Add(-time.Second)}, entry.Parts...)); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		err := quick.hold(t.Context(), p.engine, func(ctx context.Context) error {
			if err := p.engine.Update(ctx, do); err != nil {
				t.Error(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
			}
			return ctx.Err()
		})
		if !errors.Is(err, ErrLapsed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatABackupThatDiedHeld is free after a while, and its hold is removed by the next.
func TestWhatABackupThatDiedHeld(t *testing.T) {
	p := open(t, onPebble(t), storetest.Options(), blobmem.New())
	if err := (pace{lapse: time.Millisecond}).take(t.Context(), p.engine, "dead"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
	if p.held(time.Now()) {
		t.Error("held by the dead")
	}
	if err := Hold(t.Context(), p.engine, func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := p.engine.View(t.Context(), func(tx store.Tx) error {
		for entry, err := range holds.List(tx, "", nil) {
			t.Errorf("left: %v, %v", entry.Parts, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
