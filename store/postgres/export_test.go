package postgres

import (
	"context"
	"net"
	"time"

	"github.com/garrison-security/garrison/store"
)

// Tuning is what tests change of an engine. What is zero stays as it is.
type Tuning struct {
	Heartbeat, Lease, CommitTime, DoubtTime time.Duration
	Now                                     func() time.Time
	Dial                                    func(ctx context.Context, network, address string) (net.Conn, error)
}

// OpenTuned is Open with other times, or another way to the database.
func OpenTuned(ctx context.Context, url string, options store.Options, t Tuning) (*Engine, error) {
	return open(ctx, url, options, func(e *Engine) {
		for _, d := range []struct {
			to   *time.Duration
			from time.Duration
		}{{&e.heartbeat, t.Heartbeat}, {&e.lease, t.Lease}, {&e.commitTime, t.CommitTime}, {&e.doubtTime, t.DoubtTime}} {
			if d.from != 0 {
				*d.to = d.from
			}
		}
		if t.Now != nil {
			e.now = t.Now
		}
		if t.Dial != nil {
			e.dialer.config.DialFunc = t.Dial
		}
	})
}

// RestoreBy is Restore by another way to the database.
func RestoreBy(ctx context.Context, url string, options store.Options, dial func(ctx context.Context, network, address string) (net.Conn, error)) (store.Restoration, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	config.DialFunc = dial
	return restore(ctx, config, options)
}
