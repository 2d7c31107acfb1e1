package iam

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

// Organizations is what IAM needs to know of organisations. Package service/organizations implements it.
type Organizations interface {
	// Membership is an account's place in its organisation; nil for an account of none.
	Membership(tx store.Tx, account string) (*gateway.Membership, error)
	// TrustedSince tells since when the organisation of a management account trusts a service, zero: it
	// does not; and whether all its features are enabled.
	TrustedSince(tx store.Tx, management, service string) (since time.Time, allFeatures bool, err error)
	// Administers tells whether an account administers a service for its organisation.
	Administers(tx store.Tx, m *gateway.Membership, service string) (bool, error)
	// Node tells the levels of a root, unit or account that a path names; or store.ErrNotFound.
	Node(tx store.Tx, m *gateway.Membership, path string) (levels []string, err error)
	// AccountsBelow are the accounts in a root or unit, at whatever depth.
	AccountsBelow(tx store.Tx, m *gateway.Membership, id string) ([]string, error)
	// Limits appends the policies of a kind at each of m's levels.
	Limits(tx store.Tx, m *gateway.Membership, kind policy.Kind, to [][]*policy.Policy) ([][]*policy.Policy, error)
	// ServicePolicies are the ids of the service control policies at a level; and whether there are any at all.
	ServicePolicies(tx store.Tx, m *gateway.Membership, level string) (ids []string, enabled bool, err error)
	// ServicePolicy is a service control policy; or store.ErrNotFound.
	ServicePolicy(tx store.Tx, m *gateway.Membership, id string) (*policy.Policy, error)
}

// servicePrincipal is IAM as organisations trust it.
const servicePrincipal = "iam.amazonaws.com"

// RootFeatures are an organisation's features for access to the roots of its
// members, as stored: the one record of its management account's scope. A
// feature that was enabled before the present trust in IAM began, or in another
// organisation, is not enabled.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management
type RootFeatures struct {
	Organization string
	Credentials  *time.Time `cbor:",omitempty"` // since when root credentials are managed
	Sessions     *time.Time `cbor:",omitempty"` // since when there are sessions for privileged tasks
}

var rootFeatures = store.NewTable[RootFeatures]("iam/root-features")

// rootFeaturesOf are the features that are enabled in an organisation.
func rootFeaturesOf(tx store.Tx, m *gateway.Membership, trusted time.Time) (*RootFeatures, error) {
	have, err := rootFeatures.Get(tx, m.Management)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	f := &RootFeatures{Organization: m.Organization}
	if err != nil || have.Organization != m.Organization || trusted.IsZero() {
		return f, nil
	}
	valid := func(since *time.Time) *time.Time {
		if since == nil || since.Before(trusted) {
			return nil
		}
		return since
	}
	f.Credentials, f.Sessions = valid(have.Credentials), valid(have.Sessions)
	return f, nil
}

// names are the enabled features as answers have them.
func (f *RootFeatures) names() []iam.FeatureType {
	all := []iam.FeatureType{}
	if f.Credentials != nil {
		all = append(all, iam.FeatureTypeRootCredentialsManagement)
	}
	if f.Sessions != nil {
		all = append(all, iam.FeatureTypeRootSessions)
	}
	return all
}

// rootAdministration is the organisation whose members' roots the caller's account administers.
func (s *Service) rootAdministration(call *gateway.Call, managementAlone bool) (*gateway.Membership, *RootFeatures, error) {
	var m *gateway.Membership
	var err error
	if s.Organizations != nil {
		if m, err = s.Organizations.Membership(call.Tx, call.Account); err != nil {
			return nil, nil, err
		}
	}
	if m == nil {
		return nil, nil, &iam.OrganizationNotFoundException{Message: "The request was rejected because no organization is associated with your account."}
	}
	trusted, allFeatures, err := s.Organizations.TrustedSince(call.Tx, m.Management, servicePrincipal)
	if err != nil {
		return nil, nil, err
	}
	administers := m.Account == m.Management
	if !administers {
		if administers, err = s.Organizations.Administers(call.Tx, m, servicePrincipal); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case !administers:
		return nil, nil, &iam.AccountNotManagementOrDelegatedAdministratorException{
			Message: "The request was rejected because the account making the request is not the management account or delegated administrator account for centralized root access."}
	case managementAlone && m.Account != m.Management:
		return nil, nil, &iam.CallerIsNotManagementAccountException{
			Message: "The request was rejected because the account making the request is not the management account for the organization."}
	case !allFeatures:
		return nil, nil, &iam.OrganizationNotInAllFeaturesModeException{
			Message: "The request was rejected because your organization does not have All features enabled."}
	case trusted.IsZero():
		return nil, nil, &iam.ServiceAccessNotEnabledException{
			Message: "The request was rejected because trusted access is not enabled for IAM in Organizations."}
	}
	f, err := rootFeaturesOf(call.Tx, m, trusted)
	return m, f, err
}

// changeRootFeatures changes the features, and answers those that are enabled then.
func (s *Service) changeRootFeatures(call *gateway.Call, managementAlone bool, change func(*RootFeatures)) (organization *string, enabled []iam.FeatureType, err error) {
	m, f, err := s.rootAdministration(call, managementAlone)
	if err != nil {
		return nil, nil, err
	}
	change(f)
	return &m.Organization, f.names(), rootFeatures.Put(call.Tx, m.Management, f)
}

func (s *Service) enableOrganizationsRootCredentialsManagement(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.EnableOrganizationsRootCredentialsManagementInput) (*iam.EnableOrganizationsRootCredentialsManagementOutput, error) {
	id, enabled, err := s.changeRootFeatures(call, true, func(f *RootFeatures) { f.Credentials = &call.Time })
	return &iam.EnableOrganizationsRootCredentialsManagementOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) enableOrganizationsRootSessions(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.EnableOrganizationsRootSessionsInput) (*iam.EnableOrganizationsRootSessionsOutput, error) {
	id, enabled, err := s.changeRootFeatures(call, true, func(f *RootFeatures) { f.Sessions = &call.Time })
	return &iam.EnableOrganizationsRootSessionsOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) disableOrganizationsRootCredentialsManagement(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.DisableOrganizationsRootCredentialsManagementInput) (*iam.DisableOrganizationsRootCredentialsManagementOutput, error) {
	id, enabled, err := s.changeRootFeatures(call, false, func(f *RootFeatures) { f.Credentials = nil })
	return &iam.DisableOrganizationsRootCredentialsManagementOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) disableOrganizationsRootSessions(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.DisableOrganizationsRootSessionsInput) (*iam.DisableOrganizationsRootSessionsOutput, error) {
	id, enabled, err := s.changeRootFeatures(call, false, func(f *RootFeatures) { f.Sessions = nil })
	return &iam.DisableOrganizationsRootSessionsOutput{OrganizationId: id, EnabledFeatures: enabled}, err
}

func (s *Service) listOrganizationsFeatures(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.ListOrganizationsFeaturesInput) (*iam.ListOrganizationsFeaturesOutput, error) {
	m, f, err := s.rootAdministration(call, false)
	if err != nil {
		return nil, err
	}
	return &iam.ListOrganizationsFeaturesOutput{OrganizationId: &m.Organization, EnabledFeatures: f.names()}, nil
}

// rootTaskPath is the path of the AWS managed policies that say what a session of a member's root may do.
const rootTaskPath = "/root-task/"

// RootTask tells service/sts whether an ARN names a policy of a task that a
// session of a member's root may be for.
func (s *Service) RootTask(partition, arn string) bool {
	return managed.Is(arn) && policyPath(arn) == rootTaskPath && managed.Get(partition, arn) != nil
}

// MayAssumeRoot tells service/sts whether an account may take sessions for a
// task as another's root: it is the organisation's management account, or
// administers IAM for it, the other is a member and not that account, and the
// feature that the task is of is enabled.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
func (s *Service) MayAssumeRoot(tx store.Tx, account, target, task string) (bool, error) {
	if s.Organizations == nil {
		return false, nil
	}
	m, err := s.Organizations.Membership(tx, account)
	if err != nil || m == nil {
		return false, err
	}
	of, err := s.Organizations.Membership(tx, target)
	if err != nil || of == nil || of.Organization != m.Organization || target == m.Management || of.Closed {
		return false, err
	}
	trusted, allFeatures, err := s.Organizations.TrustedSince(tx, m.Management, servicePrincipal)
	if err != nil || !allFeatures {
		return false, err
	}
	if account != m.Management {
		administers, err := s.Organizations.Administers(tx, m, servicePrincipal)
		if err != nil || !administers {
			return false, err
		}
	}
	f, err := rootFeaturesOf(tx, m, trusted)
	if err != nil {
		return false, err
	}
	if strings.HasPrefix(lastSegment(task), "IAM") {
		return f.Credentials != nil, nil
	}
	return f.Sessions != nil, nil
}

// rootTasks keeps the policies of root sessions by ARN, ready to decide.
var rootTasks sync.Map

// rootTaskPolicy is what a session for a task may do. AWS's policies only deny
// what is not of the task; beside them root has every right. An unknown one is
// nil, which denies.
func rootTaskPolicy(partition, arn string) *policy.Policy {
	if kept, ok := rootTasks.Load(arn); ok {
		return kept.(*policy.Policy)
	}
	p := managed.Get(partition, arn)
	if p == nil || policyPath(arn) != rootTaskPath {
		return nil
	}
	doc, err := policy.Read([]byte(p.Document()), policy.Session)
	if err != nil {
		return nil
	}
	doc.Statements = append(doc.Statements, policy.Statement{Actions: []string{"*"}, Resources: []string{"*"}})
	compiled := policy.Compile(doc, arn)
	rootTasks.Store(arn, compiled)
	return compiled
}
