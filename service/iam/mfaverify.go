package iam

import (
	"errors"
	"slices"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// VerifyMFA takes a one-time code of a device that the caller has, for
// service/sts and service/s3: the SerialNumber and TokenCode of GetSessionToken and AssumeRole,
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
	giveBack, err := s.guesses.take(d.Serial, now)
	if err != nil {
		return err
	}
	for step := stepAt(now) + d.Drift - 1; step <= stepAt(now)+d.Drift+1; step++ {
		if step > d.Used && isCode(d.Seed, step, code) {
			giveBack()
			return mfaDevices.Update(tx, caller.Account, func(d *MFADevice) error {
				d.Used = step
				return nil
			}, d.place())
		}
	}
	return denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

// mfaDeviceOf is the caller's own device; or store.ErrNotFound.
func mfaDeviceOf(tx store.Tx, caller *aws.Principal, serial string) (*MFADevice, error) {
	var u *User
	var err error
	switch {
	case caller.Kind == aws.User:
		u, err = users.Get(tx, caller.Account, caller.ID)
	case caller.Kind == aws.Root && caller.Session == nil:
		u, err = roots.Get(tx, caller.Account)
	default:
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.MFA, serial) {
		return nil, store.ErrNotFound
	}
	return findMFADevice(tx, caller.Account, serial)
}

func denied(message string) error { return &aws.Error{Kind: aws.AccessDenied, Message: message} }
