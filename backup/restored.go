package backup

import (
	"bytes"
	"errors"
	"iter"

	"github.com/garrison-security/garrison/store"
)

// restored is in each store that was restored, and in none that a backup was made of: the stream alone holds
// it. So a store is finished together with what says that its record does not tell of that yet.
var restored = store.NewTable[Manifest]("backup/restored")

// Restored is the backup that the store was restored from, if its record does not tell so yet; nil otherwise.
func Restored(tx store.Tx) (*Manifest, error) {
	of, err := restored.Get(tx, "")
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return of, err
}

// Recorded is for the transaction that appends to the record what Restored has told.
func Recorded(tx store.Tx) error { return restored.Delete(tx, "") }

// with yields pairs in the order of their keys, and among them one more, instead of what is under its key.
func with(more store.Pair, pairs iter.Seq2[store.Pair, error]) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		given := false
		for pair, err := range pairs {
			order := bytes.Compare(pair.Key, more.Key)
			if err == nil && !given && order >= 0 {
				if given = true; !yield(more, nil) {
					return
				}
			}
			if err == nil && order == 0 {
				continue
			}
			if !yield(pair, err) || err != nil {
				return
			}
		}
		if !given {
			yield(more, nil)
		}
	}
}
