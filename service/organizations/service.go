// Package organizations is AWS Organizations: accounts under one management
// account, in a tree of organizational units, with policies attached to its
// nodes. It is also what the gateway knows of guardrails (gateway.Guardrails):
// service control policies and resource control policies bind every call.
//
// An account's place is one row; what is attached to the root, to a unit or to
// an account is one row each, shared by all that lie below it. So a decision
// reads a place and the rows of its levels, and an attachment writes one row
// however many accounts it concerns.
//
// Billing is no part of it: why transfers of responsibility and accounts in the
// GovCloud partition are not served docs/coverage.md says.
package organizations

import (
	"context"
	"slices"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Accounts is what Organizations needs to know of accounts. Package service/iam implements it.
type Accounts interface {
	// AccountNamed is an account's name and its owner's address, "" where none is known; or store.ErrNotFound.
	AccountNamed(tx store.Tx, id string) (name, email string, err error)
	// AccountOfEmail is the account whose owner has an address; or store.ErrNotFound.
	AccountOfEmail(tx store.Tx, email string) (id string, err error)
	// CreateMember makes an account, with a role that the management account may assume and that may do
	// everything. Its key stands in the keyring, and no account has the address.
	CreateMember(tx store.Tx, now time.Time, partition, id, name, email, role, management string) error
}

// Keys makes the key that seals what belongs to an account. Package keyring implements it.
type Keys interface {
	Ensure(ctx context.Context, account string) error
}

// Options are what a Service is made of.
type Options struct {
	Accounts Accounts
	Keys     Keys
	// NewAccountID makes a random account id.
	NewAccountID func() (string, error)
	// Tokens seals the markers of listings.
	Tokens store.Tokens
	// Quotas hold for organisations whose management accounts PerAccount does not name.
	Quotas     Quotas
	PerAccount map[string]Quotas
}

// Service is Organizations. It holds no state and is safe for concurrent use.
type Service struct{ Options }

// New makes a Service.
func New(o Options) *Service { return &Service{o} }

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return slices.Concat(
		s.organizationOperations(),
		s.treeOperations(),
		s.accountOperations(),
		s.handshakeOperations(),
		s.policyOperations(),
		s.delegationOperations(),
		s.tagOperations(),
	)
}

func (s *Service) organizationOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(api.CreateOrganization, s.organizationToCreate, s.createOrganization),
		gateway.Op(api.DescribeOrganization, whole[api.DescribeOrganizationInput](s, anyMember), s.describeOrganization),
		gateway.Op(api.DeleteOrganization, whole[api.DeleteOrganizationInput](s, management), s.deleteOrganization),
		gateway.Op(api.EnableAllFeatures, whole[api.EnableAllFeaturesInput](s, management), s.enableAllFeatures),
		gateway.Op(api.ListRoots, whole[api.ListRootsInput](s, reading), s.listRoots),
	}
}

func (s *Service) treeOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(api.CreateOrganizationalUnit, s.unitToCreate, s.createOrganizationalUnit),
		gateway.Op(api.DescribeOrganizationalUnit, unitNamed(s, reading, func(in *api.DescribeOrganizationalUnitInput) string { return in.OrganizationalUnitId }), s.describeOrganizationalUnit),
		gateway.Op(api.UpdateOrganizationalUnit, unitNamed(s, management, func(in *api.UpdateOrganizationalUnitInput) string { return in.OrganizationalUnitId }), s.updateOrganizationalUnit),
		gateway.Op(api.DeleteOrganizationalUnit, unitNamed(s, management, func(in *api.DeleteOrganizationalUnitInput) string { return in.OrganizationalUnitId }), s.deleteOrganizationalUnit),
		gateway.Op(api.ListOrganizationalUnitsForParent, parentNamed(s, func(in *api.ListOrganizationalUnitsForParentInput) string { return in.ParentId }), s.listOrganizationalUnitsForParent),
		gateway.Op(api.ListAccountsForParent, parentNamed(s, func(in *api.ListAccountsForParentInput) string { return in.ParentId }), s.listAccountsForParent),
		gateway.Op(api.ListChildren, parentNamed(s, func(in *api.ListChildrenInput) string { return in.ParentId }), s.listChildren),
		gateway.Op(api.ListParents, s.childNamed, s.listParents),
	}
}

func (s *Service) accountOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(api.CreateAccount, s.accountToCreate, s.prepareAccount, s.createAccount),
		gateway.Op(api.DescribeCreateAccountStatus, s.requestNamed, s.describeCreateAccountStatus),
		gateway.Op(api.ListCreateAccountStatus, whole[api.ListCreateAccountStatusInput](s, reading), s.listCreateAccountStatus),
		gateway.Op(api.ListAccounts, whole[api.ListAccountsInput](s, reading), s.listAccounts),
		gateway.Op(api.DescribeAccount, memberNamed(s, reading, func(in *api.DescribeAccountInput) string { return in.AccountId }), s.describeAccount),
		gateway.Op(api.MoveAccount, s.accountToMove, s.moveAccount),
		gateway.Op(api.CloseAccount, memberNamed(s, management, func(in *api.CloseAccountInput) string { return in.AccountId }), s.closeAccount),
		gateway.Op(api.RemoveAccountFromOrganization, memberNamed(s, management, func(in *api.RemoveAccountFromOrganizationInput) string { return in.AccountId }), s.removeAccountFromOrganization),
		gateway.Op(api.LeaveOrganization, whole[api.LeaveOrganizationInput](s, anyMember), s.leaveOrganization),
	}
}

func (s *Service) handshakeOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(api.InviteAccountToOrganization, s.accountToInvite, s.inviteAccountToOrganization),
		gateway.Op(api.DescribeHandshake, handshakeNamed(s, func(in *api.DescribeHandshakeInput) string { return in.HandshakeId }), s.describeHandshake),
		gateway.Op(api.AcceptHandshake, handshakeNamed(s, func(in *api.AcceptHandshakeInput) string { return in.HandshakeId }), s.acceptHandshake),
		gateway.Op(api.DeclineHandshake, handshakeNamed(s, func(in *api.DeclineHandshakeInput) string { return in.HandshakeId }), s.declineHandshake),
		gateway.Op(api.CancelHandshake, handshakeNamed(s, func(in *api.CancelHandshakeInput) string { return in.HandshakeId }), s.cancelHandshake),
		gateway.Op(api.ListHandshakesForAccount, gateway.Account[api.ListHandshakesForAccountInput], s.listHandshakesForAccount),
		gateway.Op(api.ListHandshakesForOrganization, whole[api.ListHandshakesForOrganizationInput](s, reading), s.listHandshakesForOrganization),
	}
}

func (s *Service) policyOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(api.CreatePolicy, s.policyToCreate, s.createPolicy),
		gateway.Op(api.DescribePolicy, policyNamed(s, reading, func(in *api.DescribePolicyInput) string { return in.PolicyId }), s.describePolicy),
		gateway.Op(api.UpdatePolicy, policyNamed(s, delegated, func(in *api.UpdatePolicyInput) string { return in.PolicyId }), s.updatePolicy),
		gateway.Op(api.DeletePolicy, policyNamed(s, delegated, func(in *api.DeletePolicyInput) string { return in.PolicyId }), s.deletePolicy),
		gateway.Op(api.ListPolicies, s.policiesOfType, s.listPolicies),
		gateway.Op(api.ListPoliciesForTarget, s.targetOfType, s.listPoliciesForTarget),
		gateway.Op(api.ListTargetsForPolicy, policyNamed(s, reading, func(in *api.ListTargetsForPolicyInput) string { return in.PolicyId }), s.listTargetsForPolicy),
		gateway.Op(api.AttachPolicy, attachment(s, func(in *api.AttachPolicyInput) (policy, target string) { return in.PolicyId, in.TargetId }), s.attachPolicy),
		gateway.Op(api.DetachPolicy, attachment(s, func(in *api.DetachPolicyInput) (policy, target string) { return in.PolicyId, in.TargetId }), s.detachPolicy),
		gateway.Op(api.EnablePolicyType, rootNamed(s, func(in *api.EnablePolicyTypeInput) (string, api.PolicyType) { return in.RootId, in.PolicyType }), s.enablePolicyType),
		gateway.Op(api.DisablePolicyType, rootNamed(s, func(in *api.DisablePolicyTypeInput) (string, api.PolicyType) { return in.RootId, in.PolicyType }), s.disablePolicyType),
		gateway.Op(api.DescribeEffectivePolicy, s.accountOfEffectivePolicy, s.describeEffectivePolicy),
		gateway.Op(api.ListAccountsWithInvalidEffectivePolicy, s.effectivePoliciesOfType, s.listAccountsWithInvalidEffectivePolicy),
		gateway.Op(api.ListEffectivePolicyValidationErrors, s.effectivePolicyOf, s.listEffectivePolicyValidationErrors),
	}
}

func (s *Service) delegationOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(api.RegisterDelegatedAdministrator, s.administratorToRegister, s.registerDelegatedAdministrator),
		gateway.Op(api.DeregisterDelegatedAdministrator, s.administratorToDeregister, s.deregisterDelegatedAdministrator),
		gateway.Op(api.ListDelegatedAdministrators, s.administratorsOf, s.listDelegatedAdministrators),
		gateway.Op(api.ListDelegatedServicesForAccount, memberNamed(s, reading, func(in *api.ListDelegatedServicesForAccountInput) string { return in.AccountId }), s.listDelegatedServicesForAccount),
		gateway.Op(api.EnableAWSServiceAccess, trusting(s, func(in *api.EnableAWSServiceAccessInput) string { return in.ServicePrincipal }), s.enableAWSServiceAccess),
		gateway.Op(api.DisableAWSServiceAccess, trusting(s, func(in *api.DisableAWSServiceAccessInput) string { return in.ServicePrincipal }), s.disableAWSServiceAccess),
		gateway.Op(api.ListAWSServiceAccessForOrganization, whole[api.ListAWSServiceAccessForOrganizationInput](s, reading), s.listAWSServiceAccessForOrganization),
		gateway.Op(api.PutResourcePolicy, s.resourcePolicyToPut, s.putResourcePolicy),
		gateway.Op(api.DescribeResourcePolicy, whole[api.DescribeResourcePolicyInput](s, reading), s.describeResourcePolicy),
		gateway.Op(api.DeleteResourcePolicy, whole[api.DeleteResourcePolicyInput](s, management), s.deleteResourcePolicy),
	}
}

func (s *Service) tagOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(api.TagResource, s.resourceToTag, s.tagResource),
		gateway.Op(api.UntagResource, s.resourceToUntag, s.untagResource),
		gateway.Op(api.ListTagsForResource, s.taggedResource, s.listTagsForResource),
	}
}
