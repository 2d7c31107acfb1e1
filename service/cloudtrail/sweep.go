package cloudtrail

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/garrison-security/garrison/store"
)

// retention is how long events can be looked up.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
const retention = 90 * 24 * time.Hour

// sweepStep is how many postings one transaction removes at most.
const sweepStep = 500

// sweepAlways sweeps now and then, until ctx ends.
func (s *Service) sweepAlways(ctx context.Context) error {
	for {
		if err := s.sweep(ctx, s.Clock()); err != nil {
			return err
		}
		select {
		case <-time.After(sweepEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sweep removes the days of the index that are older than can be looked up at
// now. It looks at one posting of each account, and at those it removes.
func (s *Service) sweep(ctx context.Context, now time.Time) error {
	oldest := dayOf(now.Add(-retention).UnixNano())
	from := store.Key(postingTable, "")
	for from != nil {
		err := s.Trail.Engine.Update(ctx, func(tx store.Tx) (err error) {
			next, err = sweepSome(tx, from, oldest)
			return err
		})
		if err != nil {
			return err
		}
		from = next
	}
	return nil
}
