package iam

import (
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// VerifyMFA takes a one-time code of a device that the caller has, for
// service/sts: the SerialNumber and TokenCode of GetSessionToken and AssumeRole,
// "" where one is absent. Nil means that the caller is authenticated by MFA at
// now. A code is taken once: that it was is written in tx, so a call that is
// refused later on has not used it up. Codes of the step before and after now's
// are taken too (RFC 6238, section 5.2), none of a step before one that was taken.
//
// What it refuses is an *aws.Error as AWS words it: access denied where serial
// number, holder or code is wrong; throttled where too many codes were.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func (s *Service) VerifyMFA(tx store.Tx, now time.Time, caller *aws.Principal, serial, code string) error {
	if serial == "" || code == "" {
		return denied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	}
	d, err := mfaDeviceOf(tx, caller, serial)
	if errors.Is(err, store.ErrNotFound) {
		return denied("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	}
	if err != nil {
		return err
	}
	if !s.guesses.allowed(d.Serial, now) {
		return &aws.Error{Kind: aws.Throttled, Message: "Rate exceeded"}
	}
	for step := stepAt(now) + d.Drift - 1; step <= stepAt(now)+d.Drift+1; step++ {
		if step > d.Used && isCode(d.Seed, step, code) {
			return mfaDevices.Update(tx, caller.Account, func(d *MFADevice) error {
				d.Used = step
				return nil
			}, d.place())
		}
	}
	s.guesses.failed(d.Serial, now)
	return denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

// mfaDeviceOf is the caller's own device; or store.ErrNotFound.
func mfaDeviceOf(tx store.Tx, caller *aws.Principal, serial string) (*MFADevice, error) {
	if caller.Kind != aws.User {
		return nil, store.ErrNotFound
	}
	u, err := users.Get(tx, caller.Account, caller.ID)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.MFA, serial) {
		return nil, store.ErrNotFound
	}
	return findMFADevice(tx, caller.Account, serial)
}

func denied(message string) error { return &aws.Error{Kind: aws.AccessDenied, Message: message} }

// Wrong codes that a device may have: ten at once, then one every five minutes.
// A guess has three chances in a million, so who has a user's key but not the
// device needs three years on average.
const (
	guessesAtOnce = 10
	guessEvery    = 5 * time.Minute
)

// guesses counts wrong codes by device. It is kept in memory, for a refused call
// writes nothing; it holds no more than the devices there are.
type guesses struct {
	mu    sync.Mutex // guards what follows
	by    map[string]*rate.Limiter
	sweep int // how many there are before those that are full again are forgotten
}

func (g *guesses) allowed(serial string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.by[serial]
	return l == nil || l.TokensAt(now) >= 1
}

func (g *guesses) failed(serial string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.by[serial]
	if l == nil {
		if len(g.by) >= max(g.sweep, 1000) {
			for serial, l := range g.by {
				if l.TokensAt(now) >= guessesAtOnce {
					delete(g.by, serial)
				}
			}
			g.sweep = 2 * len(g.by)
		}
		if g.by == nil {
			g.by = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(guessEvery), guessesAtOnce)
		g.by[serial] = l
	}
	l.AllowN(now, 1)
}
