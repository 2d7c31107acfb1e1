package iam

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	qr "github.com/piglig/go-qr"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// MFADevice is a virtual MFA device, as stored under its path and name. The
// store seals it like every record; codes can't be checked without the seed itself.
type MFADevice struct {
	Name, Path string
	Serial     string // its ARN
	Seed       []byte
	Tags       []Tag      `cbor:",omitempty"`
	Holder     string     `cbor:",omitempty"` // unique id of the user; "" = assigned to nobody
	Enabled    *time.Time `cbor:",omitempty"` // when it was assigned
	Drift      int64      `cbor:",omitempty"` // steps that the device's clock is ahead
	Used       int64      `cbor:",omitempty"` // the step of the last code that was taken; none up to it is taken again

	tags lazyTags
}

var mfaDevices = store.NewTable[MFADevice]("iam/mfa-device")

// ARN implements gateway.Resource.
func (d *MFADevice) ARN() string { return d.Serial }

// ResourceTags implements gateway.Tagged.
func (d *MFADevice) ResourceTags() map[string]string { return d.tags.of(d.Tags) }

// place names the record. Names are unique whatever their case.
func (d *MFADevice) place() string { return fold(d.Path + d.Name) }

// serialLength bounds a device's ARN, by which everything but its making names it.
const serialLength = 256

// findMFADevice is the account's device of that serial number, like findUser.
func findMFADevice(tx store.Tx, account, serial string) (*MFADevice, error) {
	_, place, ok := strings.Cut(serial, ":mfa/")
	if ok {
		d, err := mfaDevices.Get(tx, account, fold("/"+place))
		if err == nil && d.Serial == serial {
			return d, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return &MFADevice{Serial: serial}, noSuchEntity("VirtualMFADevice with serial number %s does not exist.", serial)
}

// mfaDeviceNamed finds the device that the input names.
func mfaDeviceNamed[In any](serial func(*In) string) gateway.Target[In, *MFADevice] {
	return func(call *gateway.Call, in *In) (*MFADevice, error) {
		return findMFADevice(call.Tx, call.Account, serial(in))
	}
}

// mfaCreation is a device about to be made.
type mfaCreation struct {
	*creation
	account string // as the QR code names it: the account's alias, else its id
}

func mfaDeviceToCreate(call *gateway.Call, in *iam.CreateVirtualMFADeviceInput) (*mfaCreation, error) {
	c, err := creating(call, "mfa", "iam:TagMFADevice", in.VirtualMFADeviceName, in.Path, in.Tags, nil)
	if err != nil {
		return nil, err
	}
	if strings.Contains(c.path, "//") {
		return nil, validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	if len(c.arn) > serialLength {
		return nil, validation("1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length less than or equal to %d", max(0, len(in.VirtualMFADeviceName)-len(c.arn)+serialLength))
	}
	m := &mfaCreation{creation: c, account: call.Account}
	switch alias, err := aliases.Get(call.Tx, call.Account); {
	case err == nil:
		m.account = alias.Name
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	return m, nil
}

// drawnSeed is a new seed and its picture.
type drawnSeed struct{ seed, png []byte }

// drawSeed is done outside transactions: a picture takes milliseconds.
func (s *Service) drawSeed(_ context.Context, _ *gateway.Call, on *mfaCreation, _ *iam.CreateVirtualMFADeviceInput) (*drawnSeed, error) {
	seed := newSeed()
	label := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + on.name + "@" + on.account, RawQuery: "secret=" + base32Seed(seed)}
	code, err := qr.EncodeText(label.String(), qr.Medium)
	if err != nil {
		return nil, err
	}
	png, err := code.ToPNGBytes(qr.NewQrCodeImgConfig(4, 4))
	return &drawnSeed{seed, png}, err
}

// createVirtualMFADevice answers the seed, as base32 and as a QR code: once, and never again.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateVirtualMFADevice.html
func (s *Service) createVirtualMFADevice(_ context.Context, call *gateway.Call, on *mfaCreation, _ *iam.CreateVirtualMFADeviceInput, drawn *drawnSeed) (*iam.CreateVirtualMFADeviceOutput, error) {
	d := &MFADevice{Name: on.name, Path: on.path, Serial: on.arn, Seed: drawn.seed, Tags: on.tags}
	err := mfaDevices.Insert(call.Tx, call.Account, d, d.place())
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("MFADevice entity at the same path and name already exists.")
	}
	if err != nil {
		return nil, err
	}
	// AWS allows as many as users.
	if err := count(call.Tx, call.Account, countMFADevices, d.Serial, "VirtualMFADevicesPerAccount", s.quotas(call.Account).Users); err != nil {
		return nil, err
	}
	return &iam.CreateVirtualMFADeviceOutput{VirtualMFADevice: &iam.VirtualMFADevice{
		SerialNumber: d.Serial, Base32StringSeed: []byte(base32Seed(d.Seed)), QRCodePNG: drawn.png, Tags: apiTags(d.Tags),
	}}, nil
}

func (s *Service) deleteVirtualMFADevice(_ context.Context, call *gateway.Call, d *MFADevice, _ *iam.DeleteVirtualMFADeviceInput) (*iam.DeleteVirtualMFADeviceOutput, error) {
	if d.Holder != "" {
		return nil, deleteConflict("MFA VirtualDevice in use. Must deactivate first.")
	}
	if err := mfaDevices.Delete(call.Tx, call.Account, d.place()); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countMFADevices, d.Serial)
}

func (s *Service) tagMFADevice(_ context.Context, call *gateway.Call, d *MFADevice, in *iam.TagMFADeviceInput) (*iam.TagMFADeviceOutput, error) {
	return nil, d.retag(call, in.Tags, nil)
}

func (s *Service) untagMFADevice(_ context.Context, call *gateway.Call, d *MFADevice, in *iam.UntagMFADeviceInput) (*iam.UntagMFADeviceOutput, error) {
	return nil, d.retag(call, nil, in.TagKeys)
}

func (d *MFADevice) retag(call *gateway.Call, set []iam.Tag, drop []string) error {
	return mfaDevices.Update(call.Tx, call.Account, func(d *MFADevice) (err error) {
		d.Tags, err = asWritten.retagged(d.Tags, set, drop)
		return err
	}, d.place())
}

func (s *Service) listMFADeviceTags(_ context.Context, call *gateway.Call, d *MFADevice, in *iam.ListMFADeviceTagsInput) (*iam.ListMFADeviceTagsOutput, error) {
	p, tags, err := s.tagPage(call, d.Serial, d.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListMFADeviceTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}
