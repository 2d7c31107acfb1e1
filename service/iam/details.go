package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

// detailBytes bounds the documents in a page of GetAccountAuthorizationDetails,
// which may hold a thousand entities of some kilobytes. A page that it ends has
// a marker and fewer items, as AWS says pages may have.
const detailBytes = 1 << 20

// details is a page of GetAccountAuthorizationDetails on its way. A marker is a
// section's letter and the place of the section's last entry.
type details struct {
	call  *gateway.Call
	page  *store.Pager
	out   *iam.GetAccountAuthorizationDetailsOutput
	items int
	bytes int
	last  []byte
	full  bool
}

// getAccountAuthorizationDetails lists users, groups, roles, the account's own
// policies, and those of AWS's that are in use, each by name.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func (s *Service) getAccountAuthorizationDetails(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.GetAccountAuthorizationDetailsInput) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	wanted := slices.Sorted(slices.Values(in.Filter))
	p, err := s.page(call, in.Marker, in.MaxItems, join(slices.Compact(wanted)))
	if in.Marker != nil && err != nil {
		return nil, validation("Marker and Filter do not match")
	}
	if err != nil {
		return nil, err
	}
	d := &details{call: call, page: p, out: &iam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []iam.UserDetail{}, GroupDetailList: []iam.GroupDetail{}, RoleDetailList: []iam.RoleDetail{}, Policies: []iam.ManagedPolicyDetail{},
	}}
	for i, section := range []struct {
		kind iam.EntityType
		list func(after []byte) error
	}{
		{iam.EntityTypeUser, d.users}, {iam.EntityTypeGroup, d.groups}, {iam.EntityTypeRole, d.roles},
		{iam.EntityTypeLocalManagedPolicy, d.ownPolicies}, {iam.EntityTypeAWSManagedPolicy, d.policiesOfAWS},
	} {
		letter := byte('a' + i)
		var after []byte
		if p.After != nil && letter <= p.After[0] {
			if after = p.After[1:]; letter < p.After[0] {
				continue
			}
		}
		if len(wanted) > 0 && !slices.Contains(wanted, section.kind) {
			continue
		}
		d.last = append([]byte{letter}, after...)
		if err := section.list(after); err != nil {
			return nil, err
		}
		if d.full {
			if err := p.End(d.last); err != nil {
				return nil, err
			}
			break
		}
	}
	d.out.IsTruncated, d.out.Marker = p.More(), p.Next
	return d.out, nil
}

func join(kinds []iam.EntityType) string {
	var all strings.Builder
	for _, k := range kinds {
		all.WriteString(string(k) + " ")
	}
	return all.String()
}

// room tells whether the page takes another entity; at is the place of that before.
func (d *details) room(at []byte) bool {
	d.full = d.items == d.page.Limit || d.bytes >= detailBytes
	if d.full && at != nil {
		d.last = append(d.last[:1], at...)
	}
	d.items++
	return !d.full
}

// each adds a section's entities, for as long as there is room.
func each[V any](d *details, entries func(yield func(store.Entry[V], error) bool), after []byte, add func(*V) error) error {
	before := after
	for entry, err := range entries {
		if err != nil {
			return err
		}
		if !d.room(before) {
			return nil
		}
		if err := add(entry.Value); err != nil {
			return err
		}
		before = entry.At
	}
	return nil
}

// text is a document as answers carry it, counted.
func (d *details) text(document string) *string {
	t := encoded(document)
	d.bytes += len(t)
	return &t
}

func (d *details) inline(e *Entity) []iam.PolicyDetail {
	out := make([]iam.PolicyDetail, 0, len(e.Inline))
	for _, p := range e.Inline {
		out = append(out, iam.PolicyDetail{PolicyName: &p.Name, PolicyDocument: d.text(p.Text)})
	}
	return out
}

func attachedDetail(e *Entity) []iam.AttachedPolicy {
	out := make([]iam.AttachedPolicy, len(e.Attached))
	for i, arn := range e.Attached {
		out[i] = iam.AttachedPolicy{PolicyName: new(lastSegment(arn)), PolicyArn: &arn}
	}
	return out
}

func (d *details) users(after []byte) error {
	return each(d, users.ListBy(d.call.Tx, usersByName, d.call.Account, after), after, func(u *User) error {
		names := make([]string, 0, len(u.Groups))
		for _, id := range u.Groups {
			g, err := groups.Get(d.call.Tx, d.call.Account, id)
			if err != nil {
				return err
			}
			names = append(names, g.Name)
		}
		slices.Sort(names)
		out := iam.UserDetail{
			Path: &u.Path, UserName: &u.Name, UserId: &u.ID, Arn: &u.Arn, CreateDate: &u.Created, GroupList: names,
			AttachedManagedPolicies: attachedDetail(&u.Entity), PermissionsBoundary: u.boundaryDetail(), Tags: listedTags(u.Tags),
		}
		if len(u.Inline) > 0 { // AWS leaves a user's empty list out, and no other
			out.UserPolicyList = d.inline(&u.Entity)
		}
		d.out.UserDetailList = append(d.out.UserDetailList, out)
		return nil
	})
}

func (d *details) groups(after []byte) error {
	return each(d, groups.ListBy(d.call.Tx, groupsByName, d.call.Account, after), after, func(g *Group) error {
		d.out.GroupDetailList = append(d.out.GroupDetailList, iam.GroupDetail{
			Path: &g.Path, GroupName: &g.Name, GroupId: &g.ID, Arn: &g.Arn, CreateDate: &g.Created,
			GroupPolicyList: d.inline(&g.Entity), AttachedManagedPolicies: attachedDetail(&g.Entity),
		})
		return nil
	})
}

func (d *details) roles(after []byte) error {
	return each(d, roles.ListBy(d.call.Tx, rolesByName, d.call.Account, after), after, func(r *Role) error {
		trust, err := shownTrust(d.call.Tx, r.Trust)
		if err != nil {
			return err
		}
		used, err := roleLastUsed(d.call.Tx, r)
		if err != nil {
			return err
		}
		out := iam.RoleDetail{
			Path: &r.Path, RoleName: &r.Name, RoleId: &r.ID, Arn: &r.Arn, CreateDate: &r.Created, AssumeRolePolicyDocument: d.text(trust),
			InstanceProfileList: []iam.InstanceProfile{}, RolePolicyList: d.inline(&r.Entity), AttachedManagedPolicies: attachedDetail(&r.Entity),
			PermissionsBoundary: r.boundaryDetail(), Tags: listedTags(r.Tags), RoleLastUsed: used,
		}
		for entry, err := range profiles.ListBy(d.call.Tx, profilesByRole, d.call.Account, nil, r.ID) {
			if err != nil {
				return err
			}
			profile, err := entry.Value.summary(d.call.Tx, d.call.Account)
			if err != nil {
				return err
			}
			d.bytes += len(*profile.Roles[0].AssumeRolePolicyDocument)
			out.InstanceProfileList = append(out.InstanceProfileList, profile)
		}
		d.out.RoleDetailList = append(d.out.RoleDetailList, out)
		return nil
	})
}

func (d *details) ownPolicies(after []byte) error {
	return each(d, policies.List(d.call.Tx, d.call.Account, after), after, func(p *Policy) error {
		return d.policy(p, func(id string) (string, error) {
			text, err := versions.Get(d.call.Tx, d.call.Account, p.ID, id)
			if err != nil {
				return "", err
			}
			return text.Text, nil
		})
	})
}

// policiesOfAWS adds those of AWS's policies that are in use, whose places are their names.
func (d *details) policiesOfAWS(after []byte) error {
	used, err := usedPolicies(d.call.Tx, d.call.Account)
	if err != nil {
		return err
	}
	before := after
	for p := range managed.All(string(after)) {
		if _, ok := used[p.ARN(d.call.Partition)]; !ok {
			continue
		}
		if !d.room(before) {
			return nil
		}
		err := d.policy(ofAWS(p, d.call.Partition), func(string) (string, error) { return p.Document(), nil })
		if err != nil {
			return err
		}
		before = []byte(p.Name)
	}
	return nil
}

// policy adds a managed policy with its versions, the newest first.
func (d *details) policy(p *Policy, text func(version string) (string, error)) error {
	used, err := usageOf(d.call.Tx, d.call.Account, p.Arn)
	if err != nil {
		return err
	}
	out := iam.ManagedPolicyDetail{
		PolicyName: &p.Name, PolicyId: &p.ID, Arn: &p.Arn, Path: &p.Path, DefaultVersionId: new(versionID(p.Default)),
		AttachmentCount: new(int32(used.Attachments)), PermissionsBoundaryUsageCount: new(int32(used.Boundaries)), IsAttachable: new(true),
		CreateDate: &p.Created, UpdateDate: &p.Updated, PolicyVersionList: []iam.PolicyVersion{},
	}
	if p.Description != "" {
		out.Description = &p.Description
	}
	for _, v := range slices.Backward(p.Versions) {
		id := versionID(v.Number)
		document, err := text(id)
		if err != nil {
			return err
		}
		out.PolicyVersionList = append(out.PolicyVersionList, iam.PolicyVersion{
			VersionId: &id, IsDefaultVersion: new(v.Number == p.Default), CreateDate: &v.Created, Document: d.text(document),
		})
	}
	d.out.Policies = append(d.out.Policies, out)
	return nil
}
