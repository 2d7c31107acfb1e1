package s3

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/store"
)

// A blob goes in two steps: the transaction that gives it up writes it among
// what is garbage; an hour later, when nobody can be reading it any more, the
// sweeper removes it. What a crash left of an upload nobody ever named: the
// sweeper finds it by asking of every old blob whether a row does.
const (
	keepGarbage  = time.Hour
	sweepEvery   = time.Minute
	orphansEvery = time.Hour
	sweepBatch   = 500
)

// trash is a blob that no version names any more.
type trash struct{}

var garbage = store.NewTable[trash]("s3/garbage")

func timePart(t time.Time) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())))
}

// discard gives a blob up.
func discard(tx store.Tx, now time.Time, id blob.ID) error {
	return errors.Join(uses.Delete(tx, "", string(id)), garbage.Put(tx, "", &trash{}, timePart(now), string(id)))
}

// Run sweeps until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var orphans time.Time
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("blobs that were given up are not removed", "error", err)
		}
		if now := s.Clock(); now.Sub(orphans) >= orphansEvery {
			orphans = now
			if err := s.SweepOrphans(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("blobs that nobody names are not removed", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(sweepEvery):
		}
	}
}

// Sweep removes the blobs that were given up an hour ago or earlier.
func (s *Service) Sweep(ctx context.Context) error {
	until := timePart(s.Clock().Add(-keepGarbage))
	for {
		var batch [][]string
		err := s.Engine.View(ctx, func(tx store.Tx) error {
			batch = nil
			for entry, err := range garbage.List(tx, "", nil) {
				if err != nil || entry.Parts[0] >= until || len(batch) == sweepBatch {
					return err
				}
				batch = append(batch, entry.Parts)
			}
			return nil
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, parts := range batch {
			if err := s.Blobs.Remove(ctx, blob.ID(parts[1])); err != nil {
				return err
			}
		}
		err = s.Engine.Update(ctx, func(tx store.Tx) error {
			for _, parts := range batch {
				if err := garbage.Delete(tx, "", parts...); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// SweepOrphans removes the blobs that are old and that no row names.
func (s *Service) SweepOrphans(ctx context.Context) error {
	old := time.Now().Add(-keepGarbage) // the file system's clock, not ours
	for info, err := range s.Blobs.All(ctx, "") {
		if err != nil {
			return err
		}
		if info.Kept.After(old) {
			continue
		}
		known := false
		err := s.Engine.View(ctx, func(tx store.Tx) (err error) {
			known, err = uses.Has(tx, "", string(info.ID))
			return err
		})
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if err := s.Blobs.Remove(ctx, info.ID); err != nil {
			return err
		}
	}
	return nil
}
