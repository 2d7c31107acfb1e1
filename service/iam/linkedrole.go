package iam

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// LinkedDeletion is the last deletion of a service-linked role, as stored under the role's name.
type LinkedDeletion struct {
	Task string // "task/aws-service-role/…"
	At   time.Time
}

var linkedDeletions = store.NewTable[LinkedDeletion]("iam/linked-role-deletion")

// linkedToCreate names the role that the service's would be. Which services
// have one is AWS's to tell, so a service without is named in the ARN, too.
func linkedToCreate(call *gateway.Call, in *iam.CreateServiceLinkedRoleInput) (*creation, error) {
	call.Condition("iam:AWSServiceName", in.AWSServiceName)
	l, ok := linkedServices()[in.AWSServiceName]
	name := l.role
	if in.CustomSuffix != nil {
		name += "_" + *in.CustomSuffix
	}
	path := linkedPath + in.AWSServiceName + "/"
	c := &creation{name: name, path: path, arn: entityARN(call, "role", path, name)}
	switch {
	case !ok:
		return c, &aws.Error{Kind: aws.AccessDenied, Message: "Cannot find Service Linked Role template for " + in.AWSServiceName}
	case in.CustomSuffix != nil && !l.suffix:
		return c, invalidInput("Custom suffix is not allowed for %s", in.AWSServiceName)
	case len(name) > 64:
		return c, invalidInput("The role name %s is too long.", name)
	}
	return c, nil
}

func (s *Service) createServiceLinkedRole(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	l := linkedServices()[in.AWSServiceName]
	trust, answered := l.trust()
	r := &Role{Entity: on.entity(call, "AROA"), MaxSession: defaultMaxSession, LinkedTo: l.principal, Trust: &Document{Text: trust}}
	if in.Description != nil {
		r.Description = *in.Description
	}
	r.Attached = l.policyARNs(call.Partition)
	err := roles.Insert(call.Tx, call.Account, r, r.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, invalidInput("Service role name %s has been taken in this account, please try a different suffix.", r.Name)
	}
	if err != nil {
		return nil, err
	}
	for _, arn := range r.Attached {
		if err := use(call.Tx, call.Account, arn, &r.Entity, Usage{Attachments: 1}); err != nil {
			return nil, err
		}
	}
	if err := count(call.Tx, call.Account, countRoles, r.ID, "RolesPerAccount", s.quotas(call.Account).Roles); err != nil {
		return nil, err
	}
	out := r.bare()
	out.AssumeRolePolicyDocument = new(encoded(answered))
	return &iam.CreateServiceLinkedRoleOutput{Role: &out}, nil
}

// modifiable keeps a target's service-linked role from being changed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
func modifiable[In any](target gateway.Target[In, *Role]) gateway.Target[In, *Role] {
	return func(call *gateway.Call, in *In) (*Role, error) {
		r, err := target(call, in)
		if err == nil {
			err = r.modifiable()
		}
		return r, err
	}
}

func (r *Role) modifiable() error {
	if r.LinkedTo == "" {
		return nil
	}
	return &iam.UnmodifiableEntityException{
		Message: "Cannot perform the operation on the protected role '" + r.Name + "' - this role is only modifiable by AWS",
	}
}

// linkedNamed finds the service-linked role of that name.
func linkedNamed(call *gateway.Call, in *iam.DeleteServiceLinkedRoleInput) (*Role, error) {
	r, err := findRole(call, in.RoleName)
	if err == nil && r.LinkedTo == "" {
		err = noSuchRole(in.RoleName)
	}
	return r, err
}

// deleteServiceLinkedRole deletes the role at once: no service here holds on to
// the role of one. The task that AWS answers is done by the time it is asked for.
func (s *Service) deleteServiceLinkedRole(_ context.Context, call *gateway.Call, r *Role, _ *iam.DeleteServiceLinkedRoleInput) (*iam.DeleteServiceLinkedRoleOutput, error) {
	for _, arn := range r.Attached {
		if err := use(call.Tx, call.Account, arn, &r.Entity, Usage{Attachments: -1}); err != nil {
			return nil, err
		}
	}
	if err := removeRole(call, r); err != nil {
		return nil, err
	}
	task := "task" + r.Path + r.Name + "/" + trail.NewID()
	err := linkedDeletions.Put(call.Tx, call.Account, &LinkedDeletion{Task: task, At: second(call.Time)}, fold(r.Name))
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: task}, err
}

// taskForm is the form of a deletion's id: a role's path and name, and a UUID.
var taskForm = regexp.MustCompile(`\Atask(/aws-service-role/[\w+=,.@-]+/)([\w+=,.@-]{1,64})/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`)

// deletedRole finds the role that a deletion's id names.
func deletedRole(call *gateway.Call, in *iam.GetServiceLinkedRoleDeletionStatusInput) (*goneRole, error) {
	m := taskForm.FindStringSubmatch(in.DeletionTaskId)
	if m == nil {
		return nil, invalidInput("Invalid task id")
	}
	r := &goneRole{arn: entityARN(call, "role", m[1], m[2])}
	d, err := linkedDeletions.Get(call.Tx, call.Account, fold(m[2]))
	if errors.Is(err, store.ErrNotFound) || err == nil && !strings.EqualFold(d.Task, in.DeletionTaskId) {
		err = noSuchEntity("Cannot find deletion status for given id.")
	}
	return r, err
}

// goneRole is a service-linked role that may be gone.
type goneRole struct{ arn string }

// ARN implements gateway.Resource.
func (r *goneRole) ARN() string { return r.arn }

func (s *Service) getServiceLinkedRoleDeletionStatus(context.Context, *gateway.Call, *goneRole, *iam.GetServiceLinkedRoleDeletionStatusInput) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: iam.DeletionTaskStatusTypeSucceeded}, nil
}
