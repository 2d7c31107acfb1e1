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
// sweeper removes its use and then it. What a crash left of an upload nobody ever
// named: the sweeper finds it by asking of every old blob whether a use does. While a
// backup is under way nothing is removed: it holds every blob that has a use.
const (
	keepGarbage  = time.Hour
	sweepEvery   = time.Minute
	orphansEvery = time.Hour
	firstOrphans = 5 * time.Minute // after the start, which asks of no blob
	sweepBatch   = 500
)

// trash is a blob that no version names any more; or the parts of an upload
// that was given up, or whose object was.
type trash struct{ Account, Bucket, Upload string }

var garbage = store.NewTable[trash]("s3/garbage")

func timePart(t time.Time) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())))
}

// discard gives a blob up.
func discard(tx store.Tx, now time.Time, id blob.ID) error {
	return garbage.Put(tx, "", &trash{}, timePart(now), string(id))
}

// discardParts gives up all parts of an upload.
func discardParts(tx store.Tx, now time.Time, b *Bucket, upload string) error {
	return garbage.Put(tx, "", &trash{b.Account, b.ID, upload}, timePart(now), upload)
}

// Run sweeps until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	orphans := s.Clock().Add(firstOrphans - orphansEvery)
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
		var whole []trash
		err := s.Engine.View(ctx, func(tx store.Tx) error {
			batch, whole = nil, nil
			for entry, err := range garbage.List(tx, "", nil) {
				if err != nil || entry.Parts[0] >= until || len(batch) == sweepBatch {
					return err
				}
				batch, whole = append(batch, entry.Parts), append(whole, *entry.Value)
			}
			return nil
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		err = s.Engine.Update(ctx, func(tx store.Tx) error {
			if err := s.free(tx); err != nil {
				return err
			}
			for i, parts := range batch {
				if whole[i].Upload != "" {
					continue
				}
				if err := uses.Delete(tx, "", parts[1]); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, errHeld) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, parts := range batch {
			if whole[i].Upload != "" {
				err = s.sweepParts(ctx, whole[i])
			} else {
				err = s.Blobs.Remove(ctx, blob.ID(parts[1]))
			}
			if errors.Is(err, errHeld) {
				return nil
			}
			if err != nil {
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

var errHeld = errors.New("s3: a backup holds what was given up")

// free answers errHeld while blobs are to stay.
func (s *Service) free(tx store.Tx) error {
	if s.Held == nil {
		return nil
	}
	held, err := s.Held(tx)
	if err == nil && held {
		err = errHeld
	}
	return err
}

// sweepParts removes the parts of an upload: of each batch the rows first, in a
// transaction that no backup holds up, then the blobs, which nobody names by then. What a crash leaves of them
// is found with the orphans.
func (s *Service) sweepParts(ctx context.Context, t trash) error {
	for {
		var batch []*Part
		err := s.Engine.Update(ctx, func(tx store.Tx) error {
			batch = nil
			if err := s.free(tx); err != nil {
				return err
			}
			for entry, err := range parts.List(tx, t.Account, nil, t.Bucket, t.Upload) {
				if err != nil {
					return err
				}
				if batch = append(batch, entry.Value); len(batch) == sweepBatch {
					break
				}
			}
			for _, p := range batch {
				for _, err := range []error{parts.Delete(tx, t.Account, t.Bucket, t.Upload, partPart(p.Number)), uses.Delete(tx, "", string(p.Blob))} {
					if err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
				}
			}
			return nil
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, p := range batch {
			if err := s.Blobs.Remove(ctx, p.Blob); err != nil {
				return err
			}
		}
	}
}

// SweepOrphans removes the blobs that are old and that no row names, and what was begun of others.
func (s *Service) SweepOrphans(ctx context.Context) error {
	if err := s.Blobs.Tidy(ctx); err != nil {
		return err
	}
	old := s.Clock().Add(-keepGarbage)
	for info, err := range s.Blobs.All(ctx, "") {
		if err != nil {
			return err
		}
		if info.Kept.After(old) {
			continue
		}
		known := false
		err := s.Engine.View(ctx, func(tx store.Tx) (err error) {
			if err = s.free(tx); err == nil {
				known, err = uses.Has(tx, "", string(info.ID))
			}
			return err
		})
		if errors.Is(err, errHeld) {
			return nil
		}
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
