package iam

import (
	"errors"
	"iter"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// reported is a user, group, role or policy that a report of last access is
// about, and the policies that say which services it reaches.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
type reported struct {
	policies []*policy.Policy // identity policies
	user     *User
	group    *Group
	role     *Role
	policy   string // ARN
}

// reportedBy finds what an ARN of the account names; a *jobFailure if it is gone.
func reportedBy(tx store.Tx, account, arn string) (*reported, error) {
	a, err := aws.ParseARN(arn)
	if err != nil {
		return nil, err
	}
	who := &aws.Principal{Account: account, Partition: a.Partition}
	on, p := &reported{}, &policy.Policies{}
	name := fold(lastSegment(arn))
	switch noun, _, _ := strings.Cut(a.Resource, "/"); noun {
	case "user":
		var found store.Entry[User]
		if found, err = users.Find(tx, usersByName, account, name); err == nil {
			on.user = found.Value
			err = userPolicies(tx, who, on.user, p)
		}
	case "group":
		var found store.Entry[Group]
		if found, err = groups.Find(tx, groupsByName, account, name); err == nil {
			on.group = found.Value
			err = identityPolicies(tx, who, &on.group.Entity, p)
		}
	case "role":
		var found store.Entry[Role]
		if found, err = roles.Find(tx, rolesByName, account, name); err == nil {
			on.role = found.Value
			err = identityPolicies(tx, who, &on.role.Entity, p)
		}
	default:
		on.policy = arn
		var compiled *policy.Policy
		if compiled, err = compiledPolicy(tx, account, a.Partition, arn); compiled == nil && err == nil {
			err = store.ErrNotFound
		}
		p.Identity = append(p.Identity, compiled)
	}
	if err == nil && on.arn() != arn { // by now it is another's name, or has another path
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, &jobFailure{"NoSuchEntity", arn + " cannot be found."}
	}
	on.policies = p.Identity
	return on, err
}

func (on *reported) arn() string {
	switch {
	case on.user != nil:
		return on.user.Arn
	case on.group != nil:
		return on.group.Arn
	case on.role != nil:
		return on.role.Arn
	}
	return on.policy
}

// entities are the users and roles that have the policies: a group's members,
// and of a policy whom it is attached to, groups' members among them. Each
// comes once.
func (on *reported) entities(tx store.Tx, account string) ([]EntityAccess, error) {
	var list []EntityAccess
	seen := map[string]bool{}
	add := func(e *Entity, role bool) {
		if !seen[e.ID] {
			seen[e.ID] = true
			list = append(list, EntityAccess{Name: e.Name, Path: e.Path, ID: e.ID, Arn: e.Arn, Role: role})
		}
	}
	each := func(all iter.Seq2[store.Entry[User], error]) error {
		for entry, err := range all {
			if err != nil {
				return err
			}
			add(&entry.Value.Entity, false)
		}
		return nil
	}
	switch {
	case on.user != nil:
		add(&on.user.Entity, false)
		return list, nil
	case on.role != nil:
		add(&on.role.Entity, true)
		return list, nil
	case on.group != nil:
		return list, each(users.ListBy(tx, usersByGroup, account, nil, on.group.ID))
	}
	if err := each(users.ListBy(tx, usersByPolicy, account, nil, on.policy)); err != nil {
		return nil, err
	}
	for entry, err := range groups.ListBy(tx, groupsByPolicy, account, nil, on.policy) {
		if err == nil {
			err = each(users.ListBy(tx, usersByGroup, account, nil, entry.Value.ID))
		}
		if err != nil {
			return nil, err
		}
	}
	for entry, err := range roles.ListBy(tx, rolesByPolicy, account, nil, on.policy) {
		if err != nil {
			return nil, err
		}
		add(&entry.Value.Entity, true)
	}
	return list, nil
}
