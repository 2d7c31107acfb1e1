package kms

import (
	"context"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

const (
	defaultWindow = 30 // days
	day           = 24 * time.Hour
)

// deletion is a key that is to be deleted.
type deletion struct {
	*named
	window int
}

// Describe implements gateway.Described.
func (d *deletion) Describe(x *policy.Context) {
	d.named.Describe(x)
	x.SetNumber("kms:ScheduleKeyDeletionPendingWindowInDays", float64(d.window))
}

func (s *Service) keyToDelete(call *gateway.Call, in *kms.ScheduleKeyDeletionInput) (*deletion, error) {
	n, err := unused(s, func(in *kms.ScheduleKeyDeletionInput) string { return in.KeyId })(call, in)
	if n == nil {
		return nil, err
	}
	d := &deletion{n, defaultWindow}
	if in.PendingWindowInDays != nil {
		d.window = int(*in.PendingWindowInDays)
	}
	return d, err
}

func (s *Service) scheduleKeyDeletion(_ context.Context, call *gateway.Call, d *deletion, _ *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	if err := d.customers(call); err != nil {
		return nil, err
	}
	if err := d.notPendingDeletion(); err != nil {
		return nil, err
	}
	out := &kms.ScheduleKeyDeletionOutput{KeyId: &d.Arn, PendingWindowInDays: new(int32(d.window))}
	return out, change(call.Tx, d.Key, func(k *Key) error {
		k.Window = d.window
		if k.primary() && len(k.Replicas) > 0 {
			k.State = kms.KeyStatePendingReplicaDeletion
		} else {
			k.schedule(call.Time)
			out.DeletionDate = &k.DeletionDate
		}
		out.KeyState = &k.State
		return nil
	})
}

// schedule begins the waiting period of a key's deletion.
func (k *Key) schedule(now time.Time) {
	k.State = kms.KeyStatePendingDeletion
	k.DeletionDate = second(now).Add(time.Duration(k.Window) * day)
}

func (s *Service) cancelKeyDeletion(_ context.Context, call *gateway.Call, n *named, _ *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	if n.notPendingDeletion() == nil {
		return nil, invalidState("%s is not pending deletion.", n.Arn)
	}
	return &kms.CancelKeyDeletionOutput{KeyId: &n.Arn}, change(call.Tx, n.Key, func(k *Key) error {
		k.State, k.Window, k.DeletionDate = kms.KeyStateDisabled, 0, time.Time{}
		if k.external() && k.lacks(call.Time) {
			k.State = kms.KeyStatePendingImport
		}
		return nil
	})
}
