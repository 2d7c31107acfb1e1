package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// InstanceProfile hands a role to EC2 instances, as stored under its unique id.
type InstanceProfile struct {
	Name, Path string
	ID         string // AIPA…
	Arn        string
	Created    time.Time
	Tags       []Tag  `cbor:",omitempty"`
	Role       string `cbor:",omitempty"` // AROA…; "" = none

	tags lazyTags
}

var (
	profilesByName = &store.Index[InstanceProfile]{Name: "name", Unique: true, Of: func(p *InstanceProfile, add func(parts ...string)) {
		add(fold(p.Name))
	}}
	// profilesByRole places profiles under their roles' ids, by name.
	profilesByRole = &store.Index[InstanceProfile]{Name: "role", Of: func(p *InstanceProfile, add func(parts ...string)) {
		if p.Role != "" {
			add(p.Role, fold(p.Name))
		}
	}}
	profiles = store.NewTable("iam/instance-profile", profilesByName, profilesByRole)
)

// ARN implements gateway.Resource.
func (p *InstanceProfile) ARN() string { return p.Arn }

// ShownARN implements gateway.Shown.
func (p *InstanceProfile) ShownARN() string { return "instance profile " + p.Name }

// ResourceTags implements gateway.Tagged.
func (p *InstanceProfile) ResourceTags() map[string]string { return p.tags.of(p.Tags) }

// findProfile is the instance profile of that name, like findUser.
func findProfile(call *gateway.Call, name string) (*InstanceProfile, error) {
	found, err := profiles.Find(call.Tx, profilesByName, call.Account, fold(name))
	if err == nil {
		return found.Value, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &InstanceProfile{Name: name, Path: "/", Arn: entityARN(call, "instance-profile", "/", name)},
		noSuchEntity("Instance Profile %s cannot be found.", name)
}

// profileNamed finds the instance profile that the input names.
func profileNamed[In any](name func(*In) string) gateway.Target[In, *InstanceProfile] {
	return func(call *gateway.Call, in *In) (*InstanceProfile, error) { return findProfile(call, name(in)) }
}

func profileToCreate(call *gateway.Call, in *iam.CreateInstanceProfileInput) (*creation, error) {
	return creating(call, "instance-profile", "iam:TagInstanceProfile", in.InstanceProfileName, in.Path, in.Tags, nil)
}

func (s *Service) createInstanceProfile(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	p := &InstanceProfile{
		Name: on.name, Path: on.path, ID: aws.NewUniqueID("AIPA", call.Account), Arn: on.arn, Created: second(call.Time), Tags: on.tags,
	}
	err := profiles.Insert(call.Tx, call.Account, p, p.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("Instance Profile %s already exists.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countProfiles, p.ID, "InstanceProfilesPerAccount", s.quotas(call.Account).InstanceProfiles); err != nil {
		return nil, err
	}
	out, err := p.summary(call.Tx, call.Account)
	out.Tags = apiTags(p.Tags)
	return &iam.CreateInstanceProfileOutput{InstanceProfile: &out}, err
}

func (s *Service) getInstanceProfile(_ context.Context, call *gateway.Call, p *InstanceProfile, _ *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	out, err := p.summary(call.Tx, call.Account)
	out.Tags = listedTags(p.Tags)
	return &iam.GetInstanceProfileOutput{InstanceProfile: &out}, err
}

func (s *Service) deleteInstanceProfile(_ context.Context, call *gateway.Call, p *InstanceProfile, _ *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	if p.Role != "" {
		return nil, rolesInProfile()
	}
	if err := profiles.Delete(call.Tx, call.Account, p.ID); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countProfiles, p.ID)
}

// rolesInProfile refuses to delete a profile that has a role, or a role that a profile has.
func rolesInProfile() error {
	return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
}

// inProfile tells whether an instance profile has the role.
func inProfile(tx store.Tx, account, role string) (bool, error) {
	for _, err := range profiles.ListBy(tx, profilesByRole, account, nil, role) {
		return err == nil, err
	}
	return false, nil
}

func profilesBelow(call *gateway.Call, in *iam.ListInstanceProfilesInput) (gateway.Anything, error) {
	return gateway.Anything(entityARN(call, "instance-profile", pathPrefix(in.PathPrefix), "")), nil
}

func (s *Service) listInstanceProfiles(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	prefix := pathPrefix(in.PathPrefix)
	p, err := s.page(call, in.Marker, in.MaxItems, prefix)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, profiles.ListBy(call.Tx, profilesByName, call.Account, p.After), func(p *InstanceProfile) bool {
		return strings.HasPrefix(p.Path, prefix)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListInstanceProfilesOutput{IsTruncated: p.More(), Marker: p.Next}
	out.InstanceProfiles, err = summaries(call, found)
	return out, err
}

func (s *Service) listInstanceProfilesForRole(_ context.Context, call *gateway.Call, r *Role, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	p, err := s.page(call, in.Marker, in.MaxItems, r.ID)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, profiles.ListBy(call.Tx, profilesByRole, call.Account, p.After, r.ID), nil)
	if err != nil {
		return nil, err
	}
	out := &iam.ListInstanceProfilesForRoleOutput{IsTruncated: p.More(), Marker: p.Next}
	out.InstanceProfiles, err = summaries(call, found)
	return out, err
}

func summaries(call *gateway.Call, found []*InstanceProfile) ([]iam.InstanceProfile, error) {
	out := make([]iam.InstanceProfile, 0, len(found))
	for _, p := range found {
		summary, err := p.summary(call.Tx, call.Account)
		if err != nil {
			return nil, err
		}
		out = append(out, summary)
	}
	return out, nil
}

// summary is the profile as listings show it: without tags, and its role with
// nothing but its trust policy.
func (p *InstanceProfile) summary(tx store.Tx, account string) (iam.InstanceProfile, error) {
	out := iam.InstanceProfile{
		Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID, Arn: p.Arn, CreateDate: p.Created, Roles: []iam.Role{},
	}
	if p.Role == "" {
		return out, nil
	}
	r, err := roles.Get(tx, account, p.Role)
	if err != nil {
		return out, err
	}
	trust, err := shownTrust(tx, r.Trust)
	role := r.bare()
	role.AssumeRolePolicyDocument = new(encoded(trust))
	out.Roles = append(out.Roles, role)
	return out, err
}

func (s *Service) tagInstanceProfile(_ context.Context, call *gateway.Call, p *InstanceProfile, in *iam.TagInstanceProfileInput) (*iam.TagInstanceProfileOutput, error) {
	return nil, p.retag(call, in.Tags, nil)
}

func (s *Service) untagInstanceProfile(_ context.Context, call *gateway.Call, p *InstanceProfile, in *iam.UntagInstanceProfileInput) (*iam.UntagInstanceProfileOutput, error) {
	return nil, p.retag(call, nil, in.TagKeys)
}

func (p *InstanceProfile) retag(call *gateway.Call, set []iam.Tag, drop []string) error {
	return profiles.Update(call.Tx, call.Account, func(p *InstanceProfile) (err error) {
		p.Tags, err = asWritten.retagged(p.Tags, set, drop)
		return err
	}, p.ID)
}

func (s *Service) listInstanceProfileTags(_ context.Context, call *gateway.Call, on *InstanceProfile, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	p, tags, err := s.tagPage(call, on.ID, on.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfileTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}
