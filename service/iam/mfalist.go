package iam

import (
	"context"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// listMFADevices lists a user's devices in the order in which they were assigned.
func (s *Service) listMFADevices(_ context.Context, call *gateway.Call, u *User, in *iam.ListMFADevicesInput) (*iam.ListMFADevicesOutput, error) {
	p, err := s.page(call, in.Marker, in.MaxItems, u.Arn)
	if err != nil {
		return nil, err
	}
	serials, err := slice(p, u.MFA, func(serial string) string { return serial })
	if err != nil {
		return nil, err
	}
	out := &iam.ListMFADevicesOutput{MFADevices: make([]iam.MFADevice, 0, len(serials))}
	for _, serial := range serials {
		d, err := findMFADevice(call.Tx, call.Account, serial)
		if err != nil {
			return nil, err
		}
		out.MFADevices = append(out.MFADevices, iam.MFADevice{UserName: u.Name, SerialNumber: d.Serial, EnableDate: *d.Enabled})
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

// getMFADevice answers a user's device. AWS documents it for security keys
// alone; here it is answered for every device that a user has.
func (s *Service) getMFADevice(_ context.Context, call *gateway.Call, u *User, in *iam.GetMFADeviceInput) (*iam.GetMFADeviceOutput, error) {
	d, err := u.mfaDevice(call, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	out := &iam.GetMFADeviceOutput{SerialNumber: d.Serial, EnableDate: d.Enabled}
	if !u.root() {
		out.UserName = new(u.Name)
	}
	return out, nil
}

// allMFADevices shows a denied caller what was asked for, as AWS does.
func allMFADevices(call *gateway.Call, _ *iam.ListVirtualMFADevicesInput) (gateway.Anything, error) {
	return gateway.Anything(entityARN(call, "mfa", "/", "")), nil
}

// listVirtualMFADevices lists devices by path and name, with those who have them.
func (s *Service) listVirtualMFADevices(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListVirtualMFADevicesInput) (*iam.ListVirtualMFADevicesOutput, error) {
	status := iam.AssignmentStatusTypeAny
	if in.AssignmentStatus != nil {
		status = *in.AssignmentStatus
	}
	p, err := s.page(call, in.Marker, in.MaxItems, string(status))
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, mfaDevices.List(call.Tx, call.Account, p.After), func(d *MFADevice) bool {
		return status == iam.AssignmentStatusTypeAny || (status == iam.AssignmentStatusTypeAssigned) == (d.Holder != "")
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListVirtualMFADevicesOutput{VirtualMFADevices: make([]iam.VirtualMFADevice, 0, len(found))}
	for _, d := range found {
		shown := iam.VirtualMFADevice{SerialNumber: d.Serial, EnableDate: d.Enabled}
		if d.Holder != "" {
			u, err := holderOf(call, d)
			if err != nil {
				return nil, err
			}
			shown.User = new(u.summary())
		}
		out.VirtualMFADevices = append(out.VirtualMFADevices, shown)
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

// holderOf is who has a device that is assigned: a user, or root.
func holderOf(call *gateway.Call, d *MFADevice) (*User, error) {
	if d.Holder == call.Account {
		return roots.Get(call.Tx, call.Account)
	}
	return users.Get(call.Tx, call.Account, d.Holder)
}
