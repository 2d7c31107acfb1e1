package bucket

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/garrison-security/garrison/blob"
)

// ErrTaken means that the place is another installation's: each would take the
// other's blobs for garbage.
var ErrTaken = errors.New("blob/bucket: another installation keeps its blobs here; name another bucket or prefix")

var errUnclaimed = errors.New("blob/bucket: nobody has claimed the place")

// ownerKey is the object, below the prefix, that says whose a place is.
const ownerKey = "owner"

// maxOwner bounds an owner's name, in bytes.
const maxOwner = 128

// Own says whose the place is to be, in 1 to 128 bytes. Nothing is done with a
// place that is not known to be its owner's.
func (s *Store) Own(owner string) {
	s.claiming.Lock()
	defer s.claiming.Unlock()
	if len(owner) <= maxOwner {
		s.owner = owner
	}
}

// Claim makes the place its owner's if it is nobody's, or finds out that it is. Where
// the object store can't be asked it answers blob.ErrUnavailable, and what is asked
// of the place afterwards claims it first.
func (s *Store) Claim(ctx context.Context) error { return s.ready(ctx) }

// Plan says what a start would do with the place, and does nothing.
func (s *Store) Plan(ctx context.Context) (string, error) {
	switch _, err := s.ownerOf(ctx); {
	case errors.Is(err, blob.ErrNotFound):
		return "nobody's; a start makes it this installation's", nil
	case err != nil:
		return "", err
	}
	return "an installation's; a start finds out whether it is this one's", nil
}

// claimPause is how long a failed try stands for those that come after it.
const claimPause = time.Second

// ready claims the place unless that is done.
func (s *Store) ready(ctx context.Context) error {
	if s.claimed.Load() {
		return nil
	}
	s.claiming.Lock()
	defer s.claiming.Unlock()
	switch {
	case s.claimed.Load():
		return nil
	case s.owner == "":
		return errUnclaimed
	case s.failed != nil && time.Since(s.tried) < claimPause:
		return s.failed
	}
	err := s.claim(ctx)
	s.claimed.Store(err == nil)
	if s.failed = err; ctx.Err() != nil {
		s.failed = nil // the caller's own
	}
	s.tried = time.Now()
	return err
}

func (s *Store) claim(ctx context.Context) error {
	owner, err := s.ownerOf(ctx)
	if errors.Is(err, blob.ErrNotFound) {
		key := aws.String(s.options.Prefix + ownerKey)
		// Of two at once one wins, and both read who it was.
		if err := s.put(ctx, key, string(blob.NewID()), strings.NewReader(s.owner), int64(len(s.owner))); err != nil && !errors.Is(err, errThere) {
			return err
		}
		owner, err = s.ownerOf(ctx)
	}
	if err == nil && owner != s.owner {
		err = ErrTaken
	}
	return err
}

func (s *Store) ownerOf(ctx context.Context) (string, error) {
	limited, cancel := s.within(ctx, 0)
	defer cancel()
	out, err := s.client.GetObject(limited, &s3.GetObjectInput{Bucket: &s.options.Bucket, Key: aws.String(s.options.Prefix + ownerKey)})
	if err != nil {
		return "", failure(ctx, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxOwner+1))
	return string(text), failure(ctx, err)
}
