package iam

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/garrison-security/garrison/aws"
)

// Wrong codes of an MFA device, or wrong old passwords of a user: ten at once,
// then one every five minutes. A code that is guessed has three chances in a
// million, so who has a user's key but not the device needs three years on average.
const (
	guessesAtOnce = 10
	guessEvery    = 5 * time.Minute
)

// guesses counts them, by a device's serial number or a user's unique id. It is
// kept in memory, for a refused call writes nothing; it holds no more than the
// devices and users there are.
type guesses struct {
	mu    sync.Mutex // guards what follows
	by    map[string]*rate.Limiter
	sweep int // how many there are before those that are full again are forgotten
}

// take takes a guess before it is known whether it is right, so that many at
// once are no more than many one after another. It is refused as throttled where
// there is none left. Who was right gives it back.
func (g *guesses) take(what string, now time.Time) (giveBack func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.by[what]
	if l == nil {
		if len(g.by) >= max(g.sweep, 1000) {
			for what, l := range g.by {
				if l.TokensAt(now) >= guessesAtOnce {
					delete(g.by, what)
				}
			}
			g.sweep = 2 * len(g.by)
		}
		if g.by == nil {
			g.by = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(guessEvery), guessesAtOnce)
		g.by[what] = l
	}
	taken := l.ReserveN(now, 1)
	if taken.DelayFrom(now) > 0 {
		taken.CancelAt(now)
		return nil, &aws.Error{Kind: aws.Throttled, Message: "Rate exceeded"}
	}
	return func() { taken.CancelAt(now) }, nil
}
