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
	for from := store.Key(postingTable, ""); from != nil; {
		var next []byte
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

// sweepSome removes some old postings of the first account that has a posting
// at from or beyond, and answers where to go on; nil: nowhere.
func sweepSome(tx store.Tx, from []byte, oldest int64) (next []byte, err error) {
	var old [][]byte
	var account string
	for pair, err := range tx.Scan(from, tableEnd(), false) {
		if err != nil {
			return nil, err
		}
		_, scope, parts, ok := store.Parts(pair.Key)
		if !ok || len(parts) != 3 || len(parts[0]) != 4 {
			return nil, errors.New("cloudtrail: a damaged key in the index")
		}
		if account == "" {
			account = scope
		}
		if scope != account || int64(binary.BigEndian.Uint32([]byte(parts[0]))) >= oldest {
			_, next = store.Prefix(postingTable, account)
			break
		}
		if len(old) == sweepStep {
			next = bytes.Clone(pair.Key)
			break
		}
		old = append(old, bytes.Clone(pair.Key))
	}
	for _, key := range old {
		if err := tx.Delete(key); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// tableEnd is beyond all keys of the index.
func tableEnd() []byte {
	table := store.Key(postingTable, "")
	end := table[:len(table)-2] // without the empty scope
	end[len(end)-1]++           // the end mark of the table's name
	return end
}
