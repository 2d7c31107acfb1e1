package keyring

import (
	"bytes"
	"errors"
	"iter"
	"testing"

	"github.com/garrison-security/garrison/store"
)

// masters are the rows of the store that NewStreamKey wants.
func (h *house) masters(t *testing.T) iter.Seq2[store.Pair, error] {
	t.Helper()
	var rows []store.Pair
	check(t, h.engine.View(t.Context(), func(tx store.Tx) error {
		rows = nil
		for pair, err := range tx.Scan(nil, nil, false) {
			if err != nil {
				return err
			}
			if from, to := MasterKeys(); bytes.Compare(pair.Key, from) >= 0 && bytes.Compare(pair.Key, to) < 0 {
				rows = append(rows, store.Pair{Key: bytes.Clone(pair.Key), Value: bytes.Clone(pair.Value)})
			}
		}
		return nil
	}))
	return func(yield func(store.Pair, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestAStreamsKeyOpensWithTheRootKeyAlone(t *testing.T) {
	words, err := Passphrase("words that nobody guesses")
	check(t, err)
	for name, root := range map[string]RootKey{"a file": fileRoot(t), "a passphrase": words} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			check(t, h.now.Load(t.Context(), h.engine, root))
			head, aead, err := h.now.NewStreamKey(h.masters(t))
			check(t, err)
			again, second, err := h.now.NewStreamKey(h.masters(t))
			check(t, err)
			sealed := aead.Seal(nil, nil, []byte("text"), []byte("bound"))
			opened, err := OpenStreamKey(root, head)
			check(t, err)
			if text, err := opened.Open(nil, nil, sealed, []byte("bound")); err != nil || string(text) != "text" {
				t.Errorf("%q, %v", text, err)
			}
			if _, err := second.Open(nil, nil, sealed, []byte("bound")); err == nil || bytes.Equal(head, again) {
				t.Error("two streams have one key")
			}
			if _, ok := errors.AsType[*WrongRootError](func() error { _, err := OpenStreamKey(fileRoot(t), head); return err }()); !ok {
				t.Error("another root key is not told so")
			}
			for i := range head {
				if root == words && i%20 != 0 { // each costs a derivation
					continue
				}
				altered := bytes.Clone(head)
				altered[i] ^= 1
				if _, err := OpenStreamKey(root, altered); err == nil {
					t.Errorf("the head with its byte %d altered is taken", i)
				}
				if _, err := OpenStreamKey(root, head[:i]); err == nil {
					t.Errorf("the first %d bytes of a head are taken", i)
				}
			}
		})
	}
}

func TestAStreamOfAStoreThatIsUnderAnotherRootKeyGetsNone(t *testing.T) {
	h, _ := loaded(t)
	other, _ := loaded(t)
	if _, _, err := h.now.NewStreamKey(other.masters(t)); err == nil {
		t.Error("a stream is sealed under a root key that doesn't open what is in it")
	}
	if _, _, err := New().NewStreamKey(h.masters(t)); !errors.Is(err, ErrLocked) {
		t.Errorf("a locked keyring: %v", err)
	}
}
