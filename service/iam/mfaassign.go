package iam

import (
	"context"
	"errors"
	"slices"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

const (
	// syncSteps is how far a device's clock may be off when it is assigned or synchronised: twenty minutes.
	// Two codes in a row are asked for, so a wide window gives a guess no chance.
	syncSteps = 40
	// mfaDevicesPerUser is AWS's bound, of all kinds together.
	//
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	mfaDevicesPerUser = 8
)

// synchronise looks for two codes that follow each other, and takes the second
// for the code of now. A device that is off by a step is taken as being right:
// its codes are taken all the same. A device whose codes were sent late is
// thereby out of step, as on AWS.
func (d *MFADevice) synchronise(now int64, first, second string) error {
	for far := range int64(syncSteps + 1) {
		for _, step := range []int64{now - far, now + far} {
			if step > d.Used+1 && isCode(d.Seed, step, second) && isCode(d.Seed, step-1, first) {
				d.Used, d.Drift = step, step-now
				if far <= 1 {
					d.Drift = 0
				}
				return nil
			}
		}
	}
	return &iam.InvalidAuthenticationCodeException{Message: "Authentication code for device is not valid."}
}

// holderNamed finds the user that is to have a device, or has it. Root, who signs
// for itself, is named by its account's id, where no user has that name.
func holderNamed[In any](name func(*In) string) gateway.Target[In, *User] {
	return func(call *gateway.Call, in *In) (*User, error) {
		u, err := userNamed(name)(call, in)
		_, missing := errors.AsType[*iam.NoSuchEntityException](err)
		if missing && name(in) == call.Account && call.Principal.Kind == aws.Root {
			return roots.Get(call.Tx, call.Account)
		}
		return u, err
	}
}

// holderToBe finds the user that is to have a device.
func holderToBe(call *gateway.Call, in *iam.EnableMFADeviceInput) (*User, error) {
	u, err := holderNamed(func(in *iam.EnableMFADeviceInput) string { return in.UserName })(call, in)
	if err != nil || !u.root() {
		return u, err
	}
	by := call.Principal.Session
	if by == nil && len(u.MFA) > 0 || by != nil && by.MFAAt.IsZero() {
		return nil, errRootMFA
	}
	return u, nil
}

// errRootMFA keeps who has root's key, and not its device, from changing what its
// device is: a session that was opened with the device may.
var errRootMFA = denied("Root's MFA devices are changed in a session of its own that was authenticated by MFA.")

// enableMFADevice assigns a device to a user, or to root.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
func (s *Service) enableMFADevice(_ context.Context, call *gateway.Call, u *User, in *iam.EnableMFADeviceInput) (*iam.EnableMFADeviceOutput, error) {
	d, err := findMFADevice(call.Tx, call.Account, in.SerialNumber)
	switch {
	case err != nil:
		return nil, err
	case d.Holder != "":
		return nil, alreadyExists("MFA Device is already in use.")
	case len(u.MFA) >= mfaDevicesPerUser:
		return nil, limitExceeded("MFADevicesPerUser", mfaDevicesPerUser)
	}
	err = mfaDevices.Update(call.Tx, call.Account, func(d *MFADevice) error {
		d.Holder, d.Enabled = u.ID, new(second(call.Time))
		return d.synchronise(stepAt(call.Time), in.AuthenticationCode1, in.AuthenticationCode2)
	}, d.place())
	if err != nil {
		return nil, err
	}
	if err := editHolder(call, u, func(u *User) { u.MFA = append(u.MFA, d.Serial) }); err != nil {
		return nil, err
	}
	return nil, count(call.Tx, call.Account, countMFAInUse, d.Serial, "MFADevicesInUse", mfaDevicesPerUser*s.quotas(call.Account).Users)
}

// resyncMFADevice sets a device right by two of its codes, which prove that the
// caller has it: of root's key no session is asked, that a device which is off could not open.
func (s *Service) resyncMFADevice(_ context.Context, call *gateway.Call, u *User, in *iam.ResyncMFADeviceInput) (*iam.ResyncMFADeviceOutput, error) {
	d, err := u.mfaDevice(call, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	return nil, mfaDevices.Update(call.Tx, call.Account, func(d *MFADevice) error {
		return d.synchronise(stepAt(call.Time), in.AuthenticationCode1, in.AuthenticationCode2)
	}, d.place())
}

// deactivateMFADevice takes a device from its user. The device stays, with its
// seed, and with what codes of it were taken.
func (s *Service) deactivateMFADevice(_ context.Context, call *gateway.Call, u *User, in *iam.DeactivateMFADeviceInput) (*iam.DeactivateMFADeviceOutput, error) {
	if u.root() && call.Principal.Session == nil { // AssumeRoot's sessions may, too, as their task says
		return nil, errRootMFA
	}
	d, err := u.mfaDevice(call, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	err = mfaDevices.Update(call.Tx, call.Account, func(d *MFADevice) error {
		d.Holder, d.Enabled = "", nil
		return nil
	}, d.place())
	if err != nil {
		return nil, err
	}
	err = editHolder(call, u, func(u *User) {
		u.MFA = slices.DeleteFunc(u.MFA, func(serial string) bool { return serial == d.Serial })
	})
	if err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countMFAInUse, d.Serial)
}

// mfaDevice is the user's device of that serial number.
func (u *User) mfaDevice(call *gateway.Call, serial string) (*MFADevice, error) {
	d, err := findMFADevice(call.Tx, call.Account, serial)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.MFA, d.Serial) {
		return nil, noSuchEntity("MFA Device invalid for user.")
	}
	return d, nil
}
