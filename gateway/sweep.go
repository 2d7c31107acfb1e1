package gateway

import (
	"context"
	"time"

	"github.com/garrison-security/garrison/store"
)

const (
	sweepEvery = 30 * time.Minute
	sweepStep  = 500 // records that one transaction removes at most
)

// Run removes, now and then, what is kept for client tokens whose time is
// over, until ctx ends; it returns ctx's error, or the store's. Several
// processes may do so at once. Calls do not wait for it: what is over counts
// as gone before it is removed.
func (g *Gateway) Run(ctx context.Context) error {
	for {
		for removed := sweepStep; removed == sweepStep; {
			err := g.Engine.Update(ctx, func(tx store.Tx) (err error) {
				removed, err = sweep(tx, g.Clock())
				return err
			})
			if err != nil {
				return err
			}
		}
		select {
		case <-time.After(sweepEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sweep removes some of the answers whose hour is over at now. It reads what it
// removes, and one answer more.
func sweep(tx store.Tx, now time.Time) (removed int, err error) {
	var over []store.Entry[answered]
	for entry, err := range answers.ListBy(tx, answersByEnd, "", nil) {
		if err != nil {
			return 0, err
		}
		if len(over) == sweepStep || hourOf(entry.Value.Until) >= hourOf(now) {
			break
		}
		over = append(over, entry)
	}
	for _, entry := range over {
		if err := answers.Delete(tx, entry.Scope, entry.Parts...); err != nil {
			return 0, err
		}
	}
	return len(over), nil
}
