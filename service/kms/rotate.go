package kms

import (
	"context"
	"slices"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// defaultPeriod is the period of automatic rotation where none is given, in days.
const defaultPeriod = 365

// rotating is a key whose automatic rotation is to be enabled.
type rotating struct {
	*named
	period int
}

// Describe implements gateway.Described.
func (r *rotating) Describe(x *policy.Context) {
	r.named.Describe(x)
	x.SetNumber("kms:RotationPeriodInDays", float64(r.period))
}

func (s *Service) keyToRotate(call *gateway.Call, in *kms.EnableKeyRotationInput) (*rotating, error) {
	n, err := s.own(call, in.KeyId)
	if n == nil {
		return nil, err
	}
	r := &rotating{n, defaultPeriod}
	if in.RotationPeriodInDays != nil {
		r.period = int(*in.RotationPeriodInDays)
	}
	return r, err
}

// rotates refuses a key that has no automatic rotation.
func (k *Key) rotates() error {
	switch {
	case k.external() || k.Store != "":
		return k.wrongOrigin()
	case !k.Spec.Symmetric():
		return &kms.UnsupportedOperationException{}
	}
	return nil
}

// wrongOrigin refuses what keys of another origin can do.
func (k *Key) wrongOrigin() error {
	return unsupported("%s origin is %s which is not valid for this operation.", k.Arn, k.Origin)
}

// schedules refuses a key whose automatic rotation can't be set.
func (n *named) schedules(call *gateway.Call) error {
	if err := n.rotates(); err != nil {
		return err
	}
	if err := n.customers(call); err != nil {
		return err
	}
	if n.replica() {
		return unsupported("%s is not a multi-region primary key.", n.Arn)
	}
	return n.usable(call.Time)
}

func (s *Service) enableKeyRotation(_ context.Context, call *gateway.Call, r *rotating, _ *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	if err := r.schedules(call); err != nil {
		return nil, err
	}
	next := second(call.Time).Add(time.Duration(r.period) * day)
	return nil, r.setRotation(call.Tx, Rotation{Enabled: true, Period: r.period, Next: next})
}

func (s *Service) disableKeyRotation(_ context.Context, call *gateway.Call, n *named, _ *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	if err := n.schedules(call); err != nil {
		return nil, err
	}
	return nil, n.setRotation(call.Tx, Rotation{Period: n.Rotation.Period})
}

// setRotation sets the automatic rotation of a key and of its replicas. The primary alone has a date.
func (n *named) setRotation(tx store.Tx, to Rotation) error {
	k, err := edit(tx, n.Key)
	if err != nil {
		return err
	}
	k.Rotation = to
	if err := k.save(tx); err != nil {
		return err
	}
	return eachReplica(tx, k, func(r *Key) error {
		r.Rotation = Rotation{Enabled: to.Enabled, Period: to.Period}
		return nil
	})
}

func (s *Service) getKeyRotationStatus(_ context.Context, call *gateway.Call, n *named, _ *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	if n.Spec.Symmetric() && n.stateAt(call.Time) == kms.KeyStatePendingImport || n.Store != "" {
		return nil, n.wrongOrigin()
	}
	out := &kms.GetKeyRotationStatusOutput{KeyId: &n.Arn, KeyRotationEnabled: new(n.Rotation.Enabled && n.notPendingDeletion() == nil)}
	if !*out.KeyRotationEnabled {
		return out, nil
	}
	next, err := n.rotationDate(call.Tx)
	if err != nil {
		return nil, err
	}
	out.RotationPeriodInDays, out.NextRotationDate = new(int32(n.Rotation.Period)), &next
	return out, nil
}

// rotationDate is when a key is rotated next: of a replica, with its primary.
func (k *Key) rotationDate(tx store.Tx) (time.Time, error) {
	if !k.replica() {
		return k.Rotation.Next, nil
	}
	primary, err := keys.Get(tx, k.Account, k.Primary, k.ID)
	if err != nil {
		return time.Time{}, err
	}
	return primary.Rotation.Next, nil
}

func (s *Service) rotateKeyOnDemand(_ context.Context, call *gateway.Call, n *named, _ *kms.RotateKeyOnDemandInput) (*kms.RotateKeyOnDemandOutput, error) {
	if n.Store != "" {
		return nil, n.wrongOrigin()
	}
	if err := n.usable(call.Time); err != nil {
		return nil, err
	}
	if !n.Spec.Symmetric() {
		return nil, &kms.UnsupportedOperationException{}
	}
	if err := n.customers(call); err != nil {
		return nil, err
	}
	if n.replica() {
		return nil, unsupported("%s is not a multi-region primary key.", n.Arn)
	}
	if n.OnDemand >= onDemandRotations {
		return nil, limitExceeded("The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: %s", n.Arn)
	}
	k, err := edit(call.Tx, n.Key)
	if err != nil {
		return nil, err
	}
	k.OnDemand++
	if k.external() {
		err = k.advance(call.Tx, call.Time)
	} else {
		err = s.renew(call.Tx, k, kms.RotationTypeOnDemand, call.Time)
	}
	if err != nil {
		return nil, err
	}
	return &kms.RotateKeyOnDemandOutput{KeyId: &n.Arn}, note(call.Tx, k, "RotateKey", call.Time)
}

// renew rotates a key, and its replicas, to new material.
func (s *Service) renew(tx store.Tx, k *Key, why kms.RotationType, now time.Time) error {
	secret, err := material.Generate(k.Spec)
	if err != nil {
		return err
	}
	defer clear(secret)
	m := Material{Rotated: second(now), Rotation: why}
	if err := s.newMaterial(tx, k, secret, m); err != nil {
		return err
	}
	if err := k.save(tx); err != nil {
		return err
	}
	return eachReplica(tx, k, func(r *Key) error { return s.newMaterial(tx, r, secret, m) })
}

// advance rotates a key with imported material, and its replicas, to the material that waits for it.
func (k *Key) advance(tx store.Tx, now time.Time) error {
	at := slices.IndexFunc(k.Materials, func(m Material) bool { return m.State == kms.KeyMaterialStatePendingRotation && m.Imported })
	if at < 0 {
		return invalidState("No available key material pending rotation for the key: %s.", k.Arn)
	}
	next := k.Materials[at].ID
	to := func(k *Key) error {
		for i := range k.Materials {
			switch m := &k.Materials[i]; {
			case m.ID == next:
				m.State, m.Rotated, m.Rotation = kms.KeyMaterialStateCurrent, second(now), kms.RotationTypeOnDemand
			case m.State == kms.KeyMaterialStateCurrent:
				m.State = kms.KeyMaterialStateNonCurrent
			}
		}
		k.Current = next
		return nil
	}
	_ = to(k)
	if err := k.save(tx); err != nil {
		return err
	}
	return eachReplica(tx, k, to)
}

func (s *Service) listKeyRotations(_ context.Context, call *gateway.Call, n *named, in *kms.ListKeyRotationsInput) (*kms.ListKeyRotationsOutput, error) {
	if !n.Spec.Symmetric() {
		return nil, &kms.UnsupportedOperationException{}
	}
	if n.Store != "" {
		return nil, n.wrongOrigin()
	}
	all := in.IncludeKeyMaterial != nil && *in.IncludeKeyMaterial == kms.IncludeKeyMaterialAllKeyMaterial
	filter := n.Arn
	if all {
		filter += " all"
	}
	p, err := s.page(call, in.Marker, in.Limit, defaultLimit, 1000, filter)
	if err != nil {
		return nil, err
	}
	var list []kms.RotationsListEntry
	for i := range n.Materials {
		if m := &n.Materials[i]; all || !m.Rotated.IsZero() {
			list = append(list, n.rotationEntry(m, call.Time))
		}
	}
	found, err := slice(p, list)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = []kms.RotationsListEntry{}
	}
	return &kms.ListKeyRotationsOutput{Rotations: found, NextMarker: p.Next, Truncated: p.More()}, nil
}

// rotationEntry is a material as ListKeyRotations lists it.
func (k *Key) rotationEntry(m *Material, now time.Time) kms.RotationsListEntry {
	e := kms.RotationsListEntry{KeyId: &k.Arn, KeyMaterialId: &m.ID, KeyMaterialState: &m.State}
	if !m.Rotated.IsZero() {
		e.RotationDate, e.RotationType = &m.Rotated, &m.Rotation
	}
	if !k.external() {
		return e
	}
	if m.Description != "" {
		e.KeyMaterialDescription = &m.Description
	}
	e.ImportState = new(kms.ImportStatePendingImport)
	if m.thereAt(now) {
		e.ImportState, e.ExpirationModel = new(kms.ImportStateImported), new(m.expirationModel())
		if !m.ValidTo.IsZero() {
			e.ValidTo = &m.ValidTo
		}
	}
	return e
}
