package trail

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/store"
)

// Lags is how many durable events each follower has yet to handle, by its
// name. It reads as many rows as it takes to find the streams' ends.
func (t *Trail) Lags(ctx context.Context) (map[string]uint64, error) {
	places := map[string]map[uint64]cursor{}
	err := t.Engine.View(ctx, func(tx store.Tx) error {
		clear(places)
		from, to := store.Prefix(table, "", "follower")
		for pair, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			_, _, parts, _ := store.Parts(pair.Key)
			if len(parts) != 2 {
				return errors.New("trail: a damaged follower")
			}
			if places[parts[1]], err = cursorsOf(tx, parts[1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	streams, err := t.Engine.Streams(ctx)
	if err != nil {
		return nil, err
	}
	lags := map[string]uint64{}
	for name := range places {
		lags[name] = 0
	}
	for _, stream := range streams {
		last, ok, err := t.end(ctx, stream.ID)
		if err != nil {
			return nil, err
		}
		for name, at := range places {
			if here := at[stream.ID].number; ok && last.Last > here {
				lags[name] += last.Last - here
			}
		}
	}
	return lags, nil
}
