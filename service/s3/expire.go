package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// What lifecycle rules ask for is done in passes: one over a bucket after each
// midnight UTC, since then it is that anything expires, and one when its rules
// were put. A pass goes a page at a time: it reads one in a transaction that
// writes nothing, so that no writer waits for it, then removes what is due in
// small transactions that look again at what they remove. Its place is kept:
// after a crash, or on another node, the next goes on there.
const (
	expireEvery = time.Minute
	expirePage  = 1000 // versions, or uploads, that are looked at together
	expireBatch = 50   // of them, removed in one transaction
)

// pass is a pass over a bucket, as it stands.
type pass struct {
	Account, Name string
	Next          time.Time // when it is to begin, or go on
	At            place
}

// place is how far a pass has come.
type place struct {
	Uploads bool   // the versions are done
	After   []byte // of uploads
	// Key and Sequence are the version that was looked at last; Since and Newer are
	// when it was made, and how many versions of its key that are not current were seen.
	Key      string
	Sequence uint64
	Since    time.Time
	Newer    int
}

// passes are the buckets that have rules, by their ids.
var (
	passesByNext = &store.Index[pass]{Name: "next", Of: func(p *pass, add func(parts ...string)) { add(timePart(p.Next)) }}
	passes       = store.NewTable[pass]("s3/lifecycle", passesByNext)
)

// Expire carries lifecycle rules out until ctx ends. Two processes that do so at once do the same work twice, and no harm.
func (s *Service) Expire(ctx context.Context) error {
	for {
		if err := s.ExpireDue(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("lifecycle rules are not carried out", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(expireEvery):
		}
	}
}

// ExpireDue makes all passes that are due, a page of each in turn. One that fails hinders no other.
func (s *Service) ExpireDue(ctx context.Context) error {
	failed := map[string]error{}
	for {
		due, err := s.duePasses(ctx, s.Clock(), failed)
		if err != nil {
			return err
		}
		if len(due) == 0 {
			return errors.Join(slices.Collect(maps.Values(failed))...)
		}
		for _, id := range due {
			if err := s.expirePage(ctx, id); err != nil {
				failed[id] = fmt.Errorf("bucket %s: %w", id, err)
			}
		}
	}
}

// duePasses are some of the buckets whose pass is due, without those that failed.
func (s *Service) duePasses(ctx context.Context, now time.Time, failed map[string]error) (ids []string, err error) {
	err = s.Engine.View(ctx, func(tx store.Tx) error {
		ids = nil
		for entry, err := range passes.ListBy(tx, passesByNext, "", nil) {
			if err != nil || entry.Value.Next.After(now) || len(ids) == sweepBatch {
				return err
			}
			if failed[entry.Parts[0]] == nil {
				ids = append(ids, entry.Parts[0])
			}
		}
		return nil
	})
	return ids, err
}

// dated is something that is due.
type dated struct {
	key    string
	v      *Version
	before *Version // that took its place; nil: v is current
	upload *Upload  // instead
}

// expirePage looks at a page of a bucket and removes what is due of it.
func (s *Service) expirePage(ctx context.Context, id string) error {
	now := s.Clock()
	var p *pass
	var due []dated
	var next place
	var done bool
	err := s.Engine.View(ctx, func(tx store.Tx) (err error) {
		if p, err = passes.Get(tx, "", id); err != nil {
			return err
		}
		b, all, err := p.bucket(tx, id)
		if err != nil {
			return err
		}
		if p.At.Uploads {
			due, next, done, err = all.dueUploads(tx, b, p.At, now)
		} else {
			due, next, err = all.dueVersions(tx, b, p.At, now)
		}
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound): // the bucket is gone, or its rules are
		return s.endPass(ctx, id)
	case err != nil:
		return err
	}
	left, err := s.expireAll(ctx, p, id, due)
	if err != nil {
		return err
	}
	moved := *p
	moved.At = next
	if done {
		moved.At, moved.Next = place{}, midnight(now, 0)
	}
	if left { // busier than a transaction bears: once more in a while
		moved.At, moved.Next = p.At, now.Add(expireEvery)
	}
	return s.Engine.Update(ctx, func(tx store.Tx) error {
		current, err := passes.Get(tx, "", id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !current.Next.Equal(p.Next) {
			return nil // the rules were deleted, or are others by now
		}
		if err != nil {
			return err
		}
		return passes.Put(tx, "", &moved, id)
	})
}

// endPass forgets a bucket that has no rules any more.
func (s *Service) endPass(ctx context.Context, id string) error {
	return s.Engine.Update(ctx, func(tx store.Tx) error {
		p, err := passes.Get(tx, "", id)
		if err == nil {
			_, _, err = p.bucket(tx, id)
			if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			err = passes.Delete(tx, "", id)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
}

// bucket is the bucket of a pass with its rules, or store.ErrNotFound.
func (p *pass) bucket(tx store.Tx, id string) (*Bucket, rules, error) {
	b, err := buckets.Get(tx, p.Account, p.Name)
	if err != nil {
		return nil, nil, err
	}
	if b.ID != id || !b.Expires {
		return nil, nil, store.ErrNotFound
	}
	all, err := b.rules(tx)
	return b, all, err
}

// dueVersions finds what is due among the versions behind a place.
func (all rules) dueVersions(tx store.Tx, b *Bucket, at place, now time.Time) (due []dated, next place, err error) {
	prefix, any := all.prefix((*rule).ofVersions)
	if !any {
		return nil, place{Uploads: true}, nil
	}
	var last *Version
	if at.Key != "" {
		last = &Version{Sequence: at.Sequence, Modified: at.Since}
	}
	page, more, err := b.versionPage(tx, prefix, "", at.Key, last, expirePage)
	if err != nil {
		return nil, at, err
	}
	for i := range page {
		e := &page[i]
		if e.key != at.Key {
			at, last = place{Key: e.key}, nil
		}
		sole := i+1 < len(page) && page[i+1].key != e.key || i+1 == len(page)
		if all.due(e.key, e.v, last, at.Newer, sole, now) {
			due = append(due, dated{key: e.key, v: e.v, before: last})
		}
		if last != nil {
			at.Newer++
		}
		at.Sequence, at.Since, last = e.v.Sequence, e.v.Modified, e.v
	}
	if !more {
		at = place{Uploads: true}
	}
	return due, at, nil
}

// due tells whether a version is to go at now: the current one (before is nil), of
// which sole says that there is no other, or one whose place another took.
func (all rules) due(key string, v, before *Version, newer int, sole bool, now time.Time) bool {
	switch {
	case before != nil:
		return !v.Lock.keeps(now) && all.outdated(key, v, before.Modified, newer, now)
	case v.Marker:
		return sole && all.useless(key, v, now)
	}
	return all.expired(key, v, now)
}

// dueUploads finds what is due among the uploads behind a place.
func (all rules) dueUploads(tx store.Tx, b *Bucket, at place, now time.Time) (due []dated, next place, done bool, err error) {
	if _, any := all.prefix((*rule).ofUploads); !any {
		return nil, at, true, nil
	}
	seen := 0
	for entry, err := range uploads.List(tx, b.Account, at.After, b.ID) {
		if err != nil {
			return nil, at, false, err
		}
		if seen++; seen > expirePage {
			return due, at, false, nil
		}
		at.After = entry.At
		if when, by := all.abort(entry.Parts[1], entry.Value); by != nil && !when.After(now) {
			due = append(due, dated{key: entry.Parts[1], upload: entry.Value})
		}
	}
	return due, at, true, nil
}

// expireAll removes what is due, in small transactions. Left says that something
// was not removed, since others write there all the time.
func (s *Service) expireAll(ctx context.Context, p *pass, id string, due []dated) (left bool, err error) {
	for size := expireBatch; len(due) > 0; {
		batch := due[:min(size, len(due))]
		err := s.Engine.Update(ctx, func(tx store.Tx) error {
			b, all, err := p.bucket(tx, id)
			if err != nil {
				return err
			}
			for i := range batch {
				if err := all.expire(&gateway.Call{Tx: tx, Time: s.Clock()}, b, &batch[i]); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, store.ErrNotFound):
			return false, nil
		case errors.Is(err, store.ErrConflict):
			if len(batch) > 1 {
				size = 1
				continue
			}
			left = true
		case err != nil:
			return left, err
		}
		due = due[len(batch):]
	}
	return left, nil
}
