package cloudtrail

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

const (
	// maxTail is how many events beyond the index a look-up reads. The consumer
	// is seldom more than a batch behind; if it is, look-ups wait for it.
	maxTail    = 10_000
	behindWait = 10 * time.Second
	behindStep = 500 * time.Millisecond
)

// hit is a record at its place. What the index points at and is no more has no event.
type hit struct {
	place place
	trail.Record
}

// errBehind means that there is too much beyond the index.
var errBehind = errors.New("cloudtrail: the index is behind")

// search answers the records that the query may show, newest first: the first
// want of them, or all. It shows what was durable when it began: what the index
// has, and what the record holds beyond, both from one moment on.
func (s *Service) search(ctx context.Context, q *query, want int) ([]hit, error) {
	ctx, cancel := context.WithTimeout(ctx, behindWait)
	defer cancel()
	for {
		found, err := s.searchNow(ctx, q, want)
		if !errors.Is(err, errBehind) {
			return found, err
		}
		select {
		case <-time.After(behindStep):
		case <-ctx.Done():
			return nil, &aws.Error{Kind: aws.Unavailable, Message: "Events are being indexed. Try again later."}
		}
	}
}

func (s *Service) searchNow(ctx context.Context, q *query, want int) ([]hit, error) {
	var places []place
	var indexed trail.After
	err := s.Trail.Engine.View(ctx, func(tx store.Tx) (err error) {
		if indexed, err = trail.Cursors(tx, follower); err != nil {
			return err
		}
		places, err = find(tx, q.account, termOf(q.region, q.by), q.below, q.oldest, want)
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := s.tail(ctx, q, indexed, want)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		found = append(found, hit{place: p})
	}
	found = firstOf(found, want)
	return found, s.fetch(ctx, found)
}

// firstOf are the newest want of found.
func firstOf(found []hit, want int) []hit {
	slices.SortFunc(found, func(a, b hit) int { return a.place.compare(b.place) })
	return found[:min(len(found), want)]
}

// tail answers the newest want records that the query shows beyond the index.
func (s *Service) tail(ctx context.Context, q *query, indexed trail.After, want int) (found []hit, err error) {
	read := 0
	for r, err := range s.Trail.Read(ctx, indexed, trail.Filter{}, false) {
		if err != nil {
			return nil, err
		}
		if read++; read > maxTail {
			return nil, errBehind
		}
		if !q.admits(&r) {
			continue
		}
		if found = append(found, hit{placeOf(&r), r}); len(found) >= 2*want {
			found = firstOf(found, want)
		}
	}
	return found, ctx.Err()
}

// nearby is how many events further a row is still reached by reading on.
const nearby = 64

// fetch reads the records that the index points at. It opens each row once,
// and leaves a hit without an event where its event was erased or cut.
func (s *Service) fetch(ctx context.Context, found []hit) error {
	var need []*hit
	for i := range found {
		if found[i].Event == nil {
			need = append(need, &found[i])
		}
	}
	slices.SortFunc(need, func(a, b *hit) int {
		return cmp.Or(cmp.Compare(a.place.stream, b.place.stream), cmp.Compare(a.place.number, b.place.number))
	})
	for len(need) > 0 {
		rest, err := s.fetchSome(ctx, need)
		if err != nil {
			return err
		}
		need = rest
	}
	return nil
}

// fetchSome fills in the first of need, and those that stand nearby; it answers the others.
func (s *Service) fetchSome(ctx context.Context, need []*hit) ([]*hit, error) {
	stream := need[0].place.stream
	for row, err := range s.Trail.Engine.Rows(ctx, stream, need[0].place.number-1) {
		if err != nil {
			return nil, err
		}
		here := func() bool { return len(need) > 0 && need[0].place.stream == stream }
		for here() && need[0].place.number < row.First {
			need = need[1:] // cut
		}
		if here() && need[0].place.number <= row.Last {
			records, err := s.Trail.Journal.Open(stream, row)
			if err != nil {
				return nil, err
			}
			for here() && need[0].place.number <= row.Last {
				need[0].Record = records[need[0].place.number-row.First]
				need = need[1:]
			}
		}
		if !here() || need[0].place.number > row.Last+nearby {
			return need, nil
		}
	}
	for len(need) > 0 && need[0].place.stream == stream { // beyond the last row: the stream was cut whole
		need = need[1:]
	}
	return need, nil
}
