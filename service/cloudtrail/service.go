// Package cloudtrail serves CloudTrail's LookupEvents over the trail, from an
// index that a consumer keeps: account, day, Region and attribute to the places
// of the events that have it. The index holds no event; the trail does.
//
// It records nothing: package trail does that for all services.
package cloudtrail

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// Options are what a Service is made of.
type Options struct {
	Trail  *trail.Trail
	Tokens store.Tokens
	Clock  func() time.Time // nil is time.Now
	Log    *slog.Logger
}

// Service is CloudTrail. It is safe for concurrent use.
type Service struct{ Options }

// New makes the service. Its index is kept while Run runs.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Service{o}
}

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return []gateway.Operation{
		// Read outside the call's transaction, which would else conflict with whatever is indexed meanwhile.
		gateway.Prepare(cloudtrail.LookupEvents, gateway.Account, s.lookupEvents, answerLookup),
	}
}

const (
	follower   = "cloudtrail/index"
	retryFirst = time.Second
	retryLast  = time.Minute
	sweepEvery = time.Hour
)

// Run keeps the index until ctx ends, and returns its error, or
// store.ErrClosed. What hinders it otherwise is logged and tried again: calls
// read on from the record itself, and are refused once that would be too much.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.insist(ctx, func() error { return s.Trail.Follow(ctx, follower, s.index) })
	})
	group.Go(func() error {
		return s.insist(ctx, func() error { return s.sweepAlways(ctx) })
	})
	return group.Wait()
}

// insist runs work again whenever it fails, after a pause that doubles.
func (s *Service) insist(ctx context.Context, work func() error) error {
	for pause := retryFirst; ; pause = min(2*pause, retryLast) {
		began := time.Now()
		err := work()
		if ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
			return err
		}
		s.Log.Error("the index of events is not kept", "error", err, "again", pause.String())
		if time.Since(began) > retryLast {
			pause = retryFirst
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
