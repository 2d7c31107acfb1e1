package kms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

const (
	// sweepPause is how often the calendar is looked at. Calls mind deletion and expiry to the second all the same.
	sweepPause = 10 * time.Second
	// sweepBatch is how many keys one transaction of a sweep looks after.
	sweepBatch = 20
	// grantBatch is how many grants of a key one transaction of a deletion removes: all together stay far below store.MaxChanges.
	grantBatch = 100
)

// Run does what the calendar asks for, until ctx ends.
func (s *Service) Run(ctx context.Context, engine store.Engine, clock func() time.Time) error {
	tick := time.NewTicker(sweepPause)
	defer tick.Stop()
	for {
		for {
			more, err := s.Sweep(ctx, engine, clock())
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Sweep looks after some of the keys whose time has come, in one transaction:
// it deletes keys, removes material that has expired, and rotates. More tells
// whether there may be others. Stopped anywhere, the next goes on.
func (s *Service) Sweep(ctx context.Context, engine store.Engine, now time.Time) (more bool, err error) {
	var due []*Key
	err = engine.View(ctx, func(tx store.Tx) error {
		due = nil
		for entry, err := range keys.ListBy(tx, keysByDate, "", nil) {
			if err != nil {
				return err
			}
			if entry.Value.next().After(now) || len(due) == sweepBatch {
				return nil
			}
			due = append(due, entry.Value)
		}
		return nil
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	err = engine.Update(ctx, func(tx store.Tx) error {
		for _, k := range due {
			if err := s.attend(tx, k, now); err != nil {
				return fmt.Errorf("look after key %s: %w", k.Arn, err)
			}
		}
		return nil
	})
	return err == nil, err
}

// attend does what a key's dates ask for, as they are now.
func (s *Service) attend(tx store.Tx, k *Key, now time.Time) error {
	k, err := edit(tx, k)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || k.next().IsZero() || k.next().After(now) {
		return err
	}
	if k.gone(now) {
		return s.erase(tx, k, now)
	}
	for i := range k.Materials {
		m := &k.Materials[i]
		if !m.Imported || m.thereAt(now) {
			continue
		}
		if err := dropSecret(tx, k, m.ID); err != nil {
			return err
		}
		k.forget(m.ID)
		if err := note(tx, k, "DeleteExpiredKeyMaterial", now); err != nil {
			return err
		}
	}
	if next := k.Rotation.Next; k.State == kms.KeyStateEnabled && !next.IsZero() && !now.Before(next) {
		k.Rotation.Next = next.Add(time.Duration(k.Rotation.Period) * day)
		if !now.Before(k.Rotation.Next) { // it was disabled for long: once now, then by its period
			k.Rotation.Next = second(now).Add(time.Duration(k.Rotation.Period) * day)
		}
		if err := s.renew(tx, k, kms.RotationTypeAutomatic, now); err != nil {
			return err
		}
		return note(tx, k, "RotateKey", now)
	}
	return k.save(tx)
}

// erase deletes a key with all that belongs to it. Grants may be many: a key
// that has more than a transaction removes is erased by the next sweeps.
func (s *Service) erase(tx store.Tx, k *Key, now time.Time) error {
	removed := 0
	for entry, err := range grants.List(tx, k.Account, nil, k.Region, k.ID) {
		if err != nil {
			return err
		}
		if removed++; removed > grantBatch {
			return k.save(tx)
		}
		if err := dropGrant(tx, entry.Value); err != nil {
			return err
		}
	}
	for _, name := range k.Aliases {
		if err := aliases.Delete(tx, k.Account, k.Region, name); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for i := range k.Materials {
		if err := dropSecret(tx, k, k.Materials[i].ID); err != nil {
			return err
		}
	}
	if err := k.doom(tx); err != nil {
		return err
	}
	if err := forgetUse(tx, k); err != nil {
		return err
	}
	if err := k.unlink(tx, func(primary *Key) { primary.schedule(now) }); err != nil {
		return err
	}
	if err := uncountKey(tx, k); err != nil {
		return err
	}
	if err := keys.Delete(tx, k.Account, k.Region, k.ID); err != nil {
		return err
	}
	return note(tx, k, "DeleteKey", now)
}

// note records what KMS did of itself.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-delete-key.html
func note(tx store.Tx, k *Key, name string, now time.Time) error {
	e := k.event(name, now)
	e.EventType, e.ServiceEventDetails = trail.ServiceEvent, []byte(`{"keyId":"`+k.ID+`"}`)
	return trail.Append(tx, e)
}

// event is an event of a key's account that no call makes.
func (k *Key) event(name string, now time.Time) *trail.Event {
	return &trail.Event{
		UserIdentity: trail.UserIdentity{AccountID: k.Account, InvokedBy: "AWS Internal"}, EventTime: now,
		EventSource: "kms.amazonaws.com", EventName: name, AWSRegion: k.Region, SourceIPAddress: "AWS Internal", UserAgent: "AWS Internal",
		ManagementEvent: true, RecipientAccountID: k.Account, Resources: []trail.Resource{{ARN: k.Arn, AccountID: k.Account, Type: keyType}},
	}
}

// noteCreate records the making of a replica in the replica's Region.
func noteCreate(call *gateway.Call, k *Key) error {
	e := k.event("CreateKey", call.Time)
	e.UserIdentity = trail.Identity(call.Principal)
	e.UserIdentity.InvokedBy = "AWS Internal"
	return trail.Append(call.Tx, e)
}
