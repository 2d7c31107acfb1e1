package trail

import (
	"context"
	"time"

	"github.com/garrison-security/garrison/store"
)

// listAge is how long a list of streams serves a reader that is kept busy.
// Listing costs a look at each stream, and streams appear with processes.
const listAge = 100 * time.Millisecond

// tail paces a reader that goes on with what is added.
type tail struct {
	engine  store.Engine
	mark    uint64
	list    []store.Stream
	listed  time.Time
	current bool // list was made in this round
}

// streams begins a round: it lists the streams, newly unless that was just done.
func (t *tail) streams(ctx context.Context) ([]store.Stream, error) {
	if t.current = t.list == nil || time.Since(t.listed) >= listAge; !t.current {
		return t.list, nil
	}
	list, err := t.engine.Streams(ctx)
	if err == nil {
		t.list, t.listed = list, time.Now()
	}
	return list, err
}

// wait ends a round: it returns when there may be more, ctx's error when ctx ends.
// After a round on an old list that is at the latest when the list is to be made anew.
func (t *tail) wait(ctx context.Context) error {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if !t.current {
		limited, cancel = context.WithDeadline(ctx, t.listed.Add(listAge))
	}
	defer cancel()
	mark, err := t.engine.Wait(limited, t.mark)
	if err != nil && limited.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		t.mark = mark
	}
	return err
}
