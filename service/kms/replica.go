package kms

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// replica tells a multi-Region key that is not the primary one.
func (k *Key) replica() bool { return k.MultiRegion && k.Primary != k.Region }

// eachReplica changes all replicas of a primary key; of any other key there are none to change.
func eachReplica(tx store.Tx, k *Key, change func(*Key) error) error {
	if !k.primary() {
		return nil
	}
	for _, region := range k.Replicas {
		if err := keys.Update(tx, k.Account, change, region, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// related are a multi-Region key's primary and replicas, itself among them.
func (k *Key) related(tx store.Tx) ([]*Key, error) {
	if !k.MultiRegion {
		return []*Key{k}, nil
	}
	var all []*Key
	for _, region := range append([]string{k.Primary}, k.Replicas...) {
		r, err := keys.Get(tx, k.Account, region, k.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// replication is a key that is to be replicated.
type replication struct {
	*named
	tags []Tag
	more []gateway.Authorization
}

// Further implements gateway.Compound: a replica needs the right to make keys, and tags the right to tag.
func (r *replication) Further() []gateway.Authorization { return r.more }

func (s *Service) keyToReplicate(call *gateway.Call, in *kms.ReplicateKeyInput) (*replication, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	n, missing := s.own(call, in.KeyId)
	if n == nil {
		return nil, missing
	}
	call.Condition("kms:ReplicaRegion", in.ReplicaRegion)
	r := &replication{named: n, tags: tags, more: []gateway.Authorization{{Action: "kms:CreateKey", On: gateway.Anything("")}}}
	if len(tags) > 0 {
		tagConditions(call, tags)
		r.more = append(r.more, gateway.Authorization{Action: "kms:TagResource", On: untouchedKey(call)})
	}
	return r, missing
}

func (s *Service) replicateKey(_ context.Context, call *gateway.Call, r *replication, in *kms.ReplicateKeyInput) (*kms.ReplicateKeyOutput, error) {
	if !r.MultiRegion {
		return nil, unsupported("%s is not a multi-region key.", r.Arn)
	}
	if r.Key.replica() {
		return nil, unsupported("%s is not a multi-region primary key.", r.Arn)
	}
	if err := r.usable(call.Time); err != nil {
		return nil, err
	}
	if !slices.Contains(s.Regions, in.ReplicaRegion) {
		return nil, validation("ReplicaRegion %s is not a Region of this installation.", in.ReplicaRegion)
	}
	if in.ReplicaRegion == r.Region || slices.Contains(r.Replicas, in.ReplicaRegion) {
		return nil, &kms.AlreadyExistsException{Message: "A key " + r.ID + " already exists in " + in.ReplicaRegion + "."}
	}
	k, err := s.copyTo(call, r, in)
	if err != nil {
		return nil, err
	}
	text, err := s.shownPolicy(call.Tx, k.Policy)
	if err != nil {
		return nil, err
	}
	m := k.metadata(call.Partition, call.Time)
	m.KeyState, m.Enabled, m.CurrentKeyMaterialId = new(kms.KeyStateCreating), new(false), nil // as AWS answers
	return &kms.ReplicateKeyOutput{ReplicaKeyMetadata: m, ReplicaPolicy: &text, ReplicaTags: shownTags(k.Tags)}, nil
}

// copyTo makes the replica, with the primary's material unless that is imported.
func (s *Service) copyTo(call *gateway.Call, r *replication, in *kms.ReplicateKeyInput) (*Key, error) {
	k, err := edit(call.Tx, r.Key)
	if err != nil {
		return nil, err
	}
	k.Region, k.Arn, k.Created = in.ReplicaRegion, arnIn(call.Partition, in.ReplicaRegion, k.Account, k.ID), second(call.Time)
	k.Tags, k.Aliases, k.Description, k.OnDemand = r.tags, nil, "", 0
	k.Rotation.Next = time.Time{}
	k.Replicas = append(k.Replicas, in.ReplicaRegion)
	slices.Sort(k.Replicas)
	if in.Description != nil {
		k.Description = *in.Description
	}
	if k.Policy, err = s.firstPolicy(call, k, in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	if k.external() {
		k.State = kms.KeyStatePendingImport
		for i := range k.Materials {
			k.Materials[i].Imported, k.Materials[i].ValidTo = false, time.Time{}
		}
	} else if err := s.copySecrets(call.Tx, r.Key, k); err != nil {
		return nil, err
	}
	if err := s.countKey(call.Tx, k); err != nil {
		return nil, err
	}
	if err := k.save(call.Tx); err != nil {
		return nil, err
	}
	related, err := r.related(call.Tx)
	if err != nil {
		return nil, err
	}
	for _, have := range related {
		if err := change(call.Tx, have, func(have *Key) error { have.Replicas = k.Replicas; return nil }); err != nil {
			return nil, err
		}
	}
	return k, noteCreate(call, k)
}

// copySecrets seals the materials of a key for its replica.
func (s *Service) copySecrets(tx store.Tx, from, to *Key) error {
	for i := range from.Materials {
		id := from.Materials[i].ID
		sealed, err := sealedSecret(tx, from, id)
		if err != nil {
			return err
		}
		secret, err := s.openSecret(from, id, sealed)
		if err != nil {
			return err
		}
		err = s.putSecret(tx, to, id, secret)
		clear(secret)
		if err != nil {
			return err
		}
	}
	return nil
}

// promotion is a primary key and the replica that is to be primary.
type promotion struct {
	*named
	to   string
	more []gateway.Authorization
}

// Further implements gateway.Compound: the replica's policy must allow it, too.
func (p *promotion) Further() []gateway.Authorization { return p.more }

func (s *Service) keyToPromote(call *gateway.Call, in *kms.UpdatePrimaryRegionInput) (*promotion, error) {
	n, missing := s.own(call, in.KeyId)
	if n == nil {
		return nil, missing
	}
	call.Condition("kms:PrimaryRegion", in.PrimaryRegion)
	p := &promotion{named: n, to: in.PrimaryRegion}
	if missing != nil || !slices.Contains(n.Replicas, in.PrimaryRegion) {
		return p, missing
	}
	next, err := keys.Get(call.Tx, n.account, in.PrimaryRegion, n.ID)
	if err != nil {
		return nil, err
	}
	p.more = []gateway.Authorization{{Action: "kms:UpdatePrimaryRegion", On: &named{Key: next, account: n.account, grants: s}}}
	return p, nil
}

func (s *Service) updatePrimaryRegion(_ context.Context, call *gateway.Call, p *promotion, in *kms.UpdatePrimaryRegionInput) (*kms.UpdatePrimaryRegionOutput, error) {
	if !p.primary() {
		return nil, unsupported("%s is not a multi-region primary key.", p.Arn)
	}
	if err := p.usable(call.Time); err != nil {
		return nil, err
	}
	if !slices.Contains(p.Replicas, in.PrimaryRegion) {
		return nil, notFound("There is no replica of %s in %s.", p.Arn, in.PrimaryRegion)
	}
	replicas := slices.DeleteFunc(append(slices.Clone(p.Replicas), p.Region), func(r string) bool { return r == in.PrimaryRegion })
	slices.Sort(replicas)
	related, err := p.related(call.Tx)
	if err != nil {
		return nil, err
	}
	rotation, onDemand := p.Rotation, p.OnDemand
	for _, r := range related {
		if r.Region == in.PrimaryRegion {
			if err := r.usable(call.Time); err != nil {
				return nil, err
			}
		}
		err := change(call.Tx, r, func(k *Key) error {
			k.Primary, k.Replicas = in.PrimaryRegion, replicas
			k.Rotation, k.OnDemand = Rotation{Enabled: rotation.Enabled, Period: rotation.Period}, 0
			if k.primary() {
				k.Rotation, k.OnDemand = rotation, onDemand
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// unlink takes a key that is deleted out of its relations. With its last
// replica, a primary that is to be deleted begins its waiting period.
func (k *Key) unlink(tx store.Tx, note func(*Key)) error {
	if !k.replica() {
		return nil
	}
	related, err := k.related(tx)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, r := range related {
		if r.Region == k.Region {
			continue
		}
		err := change(tx, r, func(r *Key) error {
			r.Replicas = slices.DeleteFunc(r.Replicas, func(region string) bool { return region == k.Region })
			if r.State == kms.KeyStatePendingReplicaDeletion && len(r.Replicas) == 0 {
				note(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
