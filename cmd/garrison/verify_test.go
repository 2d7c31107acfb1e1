package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

// misplacing seals the rows called "moved" as others than they are stored as.
type misplacing struct{ store.Sealer }

func (m misplacing) Seal(dst []byte, scope string, key, plaintext []byte) ([]byte, error) {
	if bytes.Contains(key, []byte("moved")) {
		key = append(bytes.Clone(key), '!')
	}
	return m.Sealer.Seal(dst, scope, key, plaintext)
}

func TestVerifyNamesEveryValueThatDoesNotOpen(t *testing.T) {
	ctx := t.Context()
	root, err := fleetingRoot()
	if err != nil {
		t.Fatal(err)
	}
	keys := keyring.New()
	options := storetest.Options()
	options.Sealer = misplacing{keys}
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := keys.Load(ctx, engine, root); err != nil {
		t.Fatal(err)
	}
	const kept, erased = "111122223333", "444455556666"
	for _, account := range []string{kept, erased} {
		if err := keys.Ensure(ctx, account); err != nil {
			t.Fatal(err)
		}
	}
	err = engine.Update(ctx, func(tx store.Tx) error {
		for _, account := range []string{kept, erased} {
			for i := range valuesAtOnce + 7 {
				if err := tx.Put(store.Key("test", account, fmt.Sprintf("%05d", i)), []byte("x")); err != nil {
					return err
				}
			}
		}
		for _, name := range []string{"00003-moved", "00003-moved too", "01000-moved", "99999-moved"} {
			if err := tx.Put(store.Key("test", kept, name), []byte("x")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Destroy(ctx, erased, nil); err != nil {
		t.Fatal(err)
	}
	h := &house{engine: engine, keys: keys}
	var faults []string
	var text string
	err = h.verifyValues(context.Background(), func(line any) error {
		if l := line.(verifyLine); l.Fault != "" {
			faults = append(faults, l.Fault)
		} else {
			text = l.Text
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"00003-moved", "00003-moved too", "01000-moved", "99999-moved"} {
		if i >= len(faults) || !strings.Contains(faults[i], fmt.Sprintf("%q", name)) {
			t.Errorf("faults %q: want %d to be of %q", faults, i, name)
		}
	}
	if len(faults) != 4 {
		t.Errorf("%d faults, want 4", len(faults))
	}
	if !strings.HasSuffix(text, fmt.Sprintf("%d are of erased accounts", valuesAtOnce+7)) {
		t.Error(text)
	}
}
