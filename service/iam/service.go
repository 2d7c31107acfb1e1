// Package iam is AWS Identity and Access Management: users, groups, roles,
// their keys and policies. It is also what the gateway knows of identities
// (gateway.Directory), and where accounts and their roots are made.
//
// Records are decided on by every call, so reads never write them; when a key
// was last used, and who tried what, is read from the trail by a consumer of its own.
package iam

import (
	"slices"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Options are what a Service is made of.
type Options struct {
	// Tokens seals the markers of listings.
	Tokens store.Tokens
	// Quotas hold for accounts that Accounts does not name.
	Quotas   Quotas
	Accounts map[string]Quotas
	// Calls tells of records which action was tried; nil tells of services alone.
	Calls *Calls
	// Organizations knows the accounts' organisations; nil: there are none.
	Organizations Organizations
}

// Service is IAM. It holds no state but caches and is safe for concurrent use.
type Service struct {
	Options
	sessionPolicies sessionPolicies
	derivations     *gateway.Turns
	// reportWork and grantingWork are what a report's policies, and those of a call of
	// ListPoliciesGrantingServiceAccess, may cost to ask of every action, in decisions.
	reportWork, grantingWork int
	// reportBytes is about how much a report may hold. The consumer's transaction takes reports until
	// they hold so much together, so less than twice that, which is well below store.MaxBytes.
	reportBytes int
	guesses     guesses
}

// derivationsKept is how many derivations of one account's passwords may wait or run.
const derivationsKept = 32

// New makes a Service.
func New(o Options) *Service {
	return &Service{Options: o, derivations: gateway.NewTurns(derivationsKept), reportWork: 64, grantingWork: 8, reportBytes: 24 << 20}
}

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return slices.Concat(
		s.userOperations(),
		s.groupOperations(),
		s.roleOperations(),
		s.linkedRoleOperations(),
		s.instanceProfileOperations(),
		s.oidcOperations(),
		s.samlOperations(),
		s.policyOperations(),
		s.inlineOperations(),
		s.attachmentOperations(),
		s.boundaryOperations(),
		s.tagOperations(),
		s.accountOperations(),
		s.mfaOperations(),
		s.credentialOperations(),
		s.serverCertificateOperations(),
		s.simulationOperations(),
		s.accessOperations(),
		s.rootOperations(),
	)
}

func (s *Service) userOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateUser, userToCreate, s.createUser),
		gateway.Op(iam.GetUser, callerOr(func(in *iam.GetUserInput) *string { return in.UserName }), s.getUser),
		gateway.Op(iam.ListUsers, usersBelow, s.listUsers),
		gateway.Op(iam.UpdateUser, userToRename, s.updateUser),
		gateway.Op(iam.DeleteUser, userNamed(func(in *iam.DeleteUserInput) string { return in.UserName }), s.deleteUser),
		gateway.Op(iam.CreateAccessKey, callerOr(func(in *iam.CreateAccessKeyInput) *string { return in.UserName }), s.createAccessKey),
		gateway.Op(iam.ListAccessKeys, callerOr(func(in *iam.ListAccessKeysInput) *string { return in.UserName }), s.listAccessKeys),
		gateway.Op(iam.UpdateAccessKey, callerOr(func(in *iam.UpdateAccessKeyInput) *string { return in.UserName }), s.updateAccessKey),
		gateway.Op(iam.DeleteAccessKey, callerOr(func(in *iam.DeleteAccessKeyInput) *string { return in.UserName }), s.deleteAccessKey),
		gateway.Op(iam.GetAccessKeyLastUsed, holderOfKey, s.getAccessKeyLastUsed),
		gateway.Prepare(iam.CreateLoginProfile, loginOf(callerOr(func(in *iam.CreateLoginProfileInput) *string { return in.UserName })), s.deriveLoginPassword, s.createLoginProfile),
		gateway.Op(iam.GetLoginProfile, callerOr(func(in *iam.GetLoginProfileInput) *string { return in.UserName }), s.getLoginProfile),
		gateway.Prepare(iam.UpdateLoginProfile, loginOf(userNamed(func(in *iam.UpdateLoginProfileInput) string { return in.UserName })), s.deriveNewPassword, s.updateLoginProfile),
		gateway.Prepare(iam.ChangePassword, loginOf(ownUser), s.derivePasswordChange, s.changePassword),
		gateway.Op(iam.DeleteLoginProfile, callerOr(func(in *iam.DeleteLoginProfileInput) *string { return in.UserName }), s.deleteLoginProfile),
	}
}

func (s *Service) groupOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateGroup, groupToCreate, s.createGroup),
		gateway.Op(iam.GetGroup, groupNamed(func(in *iam.GetGroupInput) string { return in.GroupName }), s.getGroup),
		gateway.Op(iam.ListGroups, groupsBelow, s.listGroups),
		gateway.Op(iam.UpdateGroup, groupToRename, s.updateGroup),
		gateway.Op(iam.DeleteGroup, groupNamed(func(in *iam.DeleteGroupInput) string { return in.GroupName }), s.deleteGroup),
		gateway.Op(iam.AddUserToGroup, groupNamed(func(in *iam.AddUserToGroupInput) string { return in.GroupName }), s.addUserToGroup),
		gateway.Op(iam.RemoveUserFromGroup, groupNamed(func(in *iam.RemoveUserFromGroupInput) string { return in.GroupName }), s.removeUserFromGroup),
		gateway.Op(iam.ListGroupsForUser, userNamed(func(in *iam.ListGroupsForUserInput) string { return in.UserName }), s.listGroupsForUser),
	}
}

func (s *Service) roleOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateRole, roleToCreate, s.createRole),
		gateway.Op(iam.GetRole, roleNamed(func(in *iam.GetRoleInput) string { return in.RoleName }), s.getRole),
		gateway.Op(iam.ListRoles, rolesBelow, s.listRoles),
		gateway.Op(iam.UpdateRole, roleNamed(func(in *iam.UpdateRoleInput) string { return in.RoleName }), s.updateRole),
		gateway.Op(iam.UpdateRoleDescription, roleNamed(func(in *iam.UpdateRoleDescriptionInput) string { return in.RoleName }), s.updateRoleDescription),
		gateway.Op(iam.UpdateAssumeRolePolicy, modifiable(roleNamed(func(in *iam.UpdateAssumeRolePolicyInput) string { return in.RoleName })), s.updateAssumeRolePolicy),
		gateway.Op(iam.DeleteRole, modifiable(roleNamed(func(in *iam.DeleteRoleInput) string { return in.RoleName })), s.deleteRole),
	}
}

func (s *Service) linkedRoleOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateServiceLinkedRole, linkedToCreate, s.createServiceLinkedRole),
		gateway.Op(iam.DeleteServiceLinkedRole, linkedNamed, s.deleteServiceLinkedRole),
		gateway.Op(iam.GetServiceLinkedRoleDeletionStatus, deletedRole, s.getServiceLinkedRoleDeletionStatus),
	}
}

func (s *Service) instanceProfileOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateInstanceProfile, profileToCreate, s.createInstanceProfile),
		gateway.Op(iam.GetInstanceProfile, profileNamed(func(in *iam.GetInstanceProfileInput) string { return in.InstanceProfileName }), s.getInstanceProfile),
		gateway.Op(iam.ListInstanceProfiles, profilesBelow, s.listInstanceProfiles),
		gateway.Op(iam.ListInstanceProfilesForRole, roleNamed(func(in *iam.ListInstanceProfilesForRoleInput) string { return in.RoleName }), s.listInstanceProfilesForRole),
		gateway.Op(iam.DeleteInstanceProfile, profileNamed(func(in *iam.DeleteInstanceProfileInput) string { return in.InstanceProfileName }), s.deleteInstanceProfile),
		gateway.Op(iam.AddRoleToInstanceProfile, roleForProfile, s.addRoleToInstanceProfile),
		gateway.Op(iam.RemoveRoleFromInstanceProfile, profileNamed(func(in *iam.RemoveRoleFromInstanceProfileInput) string { return in.InstanceProfileName }), s.removeRoleFromInstanceProfile),
		gateway.Op(iam.TagInstanceProfile, tagging(asWritten, func(in *iam.TagInstanceProfileInput) []iam.Tag { return in.Tags }, profileNamed(func(in *iam.TagInstanceProfileInput) string { return in.InstanceProfileName })), s.tagInstanceProfile),
		gateway.Op(iam.UntagInstanceProfile, untagging(func(in *iam.UntagInstanceProfileInput) []string { return in.TagKeys }, profileNamed(func(in *iam.UntagInstanceProfileInput) string { return in.InstanceProfileName })), s.untagInstanceProfile),
		gateway.Op(iam.ListInstanceProfileTags, profileNamed(func(in *iam.ListInstanceProfileTagsInput) string { return in.InstanceProfileName }), s.listInstanceProfileTags),
	}
}

func (s *Service) oidcOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateOpenIDConnectProvider, oidcToCreate, s.createOpenIDConnectProvider),
		gateway.Op(iam.GetOpenIDConnectProvider, oidcNamed(func(in *iam.GetOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn }), s.getOpenIDConnectProvider),
		gateway.Op(iam.ListOpenIDConnectProviders, gateway.Account[iam.ListOpenIDConnectProvidersInput], s.listOpenIDConnectProviders),
		gateway.Op(iam.AddClientIDToOpenIDConnectProvider, oidcNamed(func(in *iam.AddClientIDToOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn }), s.addClientIDToOpenIDConnectProvider),
		gateway.Op(iam.RemoveClientIDFromOpenIDConnectProvider, oidcNamed(func(in *iam.RemoveClientIDFromOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn }), s.removeClientIDFromOpenIDConnectProvider),
		gateway.Op(iam.UpdateOpenIDConnectProviderThumbprint, oidcNamed(func(in *iam.UpdateOpenIDConnectProviderThumbprintInput) string { return in.OpenIDConnectProviderArn }), s.updateOpenIDConnectProviderThumbprint),
		gateway.Op(iam.DeleteOpenIDConnectProvider, oidcToDelete, s.deleteOpenIDConnectProvider),
		gateway.Op(iam.TagOpenIDConnectProvider, tagging(asWritten, func(in *iam.TagOpenIDConnectProviderInput) []iam.Tag { return in.Tags }, oidcNamed(func(in *iam.TagOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })), s.tagOpenIDConnectProvider),
		gateway.Op(iam.UntagOpenIDConnectProvider, untagging(func(in *iam.UntagOpenIDConnectProviderInput) []string { return in.TagKeys }, oidcNamed(func(in *iam.UntagOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })), s.untagOpenIDConnectProvider),
		gateway.Op(iam.ListOpenIDConnectProviderTags, oidcNamed(func(in *iam.ListOpenIDConnectProviderTagsInput) string { return in.OpenIDConnectProviderArn }), s.listOpenIDConnectProviderTags),
	}
}

func (s *Service) samlOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(iam.CreateSAMLProvider, samlToCreate, s.readSAMLProvider, s.createSAMLProvider),
		gateway.Op(iam.GetSAMLProvider, samlNamed(func(in *iam.GetSAMLProviderInput) string { return in.SAMLProviderArn }), s.getSAMLProvider),
		gateway.Op(iam.ListSAMLProviders, gateway.Account[iam.ListSAMLProvidersInput], s.listSAMLProviders),
		gateway.Prepare(iam.UpdateSAMLProvider, samlNamed(func(in *iam.UpdateSAMLProviderInput) string { return in.SAMLProviderArn }), s.readSAMLUpdate, s.updateSAMLProvider),
		gateway.Op(iam.DeleteSAMLProvider, samlNamed(func(in *iam.DeleteSAMLProviderInput) string { return in.SAMLProviderArn }), s.deleteSAMLProvider),
		gateway.Op(iam.TagSAMLProvider, tagging(asWritten, func(in *iam.TagSAMLProviderInput) []iam.Tag { return in.Tags }, samlNamed(func(in *iam.TagSAMLProviderInput) string { return in.SAMLProviderArn })), s.tagSAMLProvider),
		gateway.Op(iam.UntagSAMLProvider, untagging(func(in *iam.UntagSAMLProviderInput) []string { return in.TagKeys }, samlNamed(func(in *iam.UntagSAMLProviderInput) string { return in.SAMLProviderArn })), s.untagSAMLProvider),
		gateway.Op(iam.ListSAMLProviderTags, samlNamed(func(in *iam.ListSAMLProviderTagsInput) string { return in.SAMLProviderArn }), s.listSAMLProviderTags),
	}
}

func (s *Service) policyOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreatePolicy, policyToCreate, s.createPolicy),
		gateway.Op(iam.GetPolicy, policyNamed(func(in *iam.GetPolicyInput) string { return in.PolicyArn }), s.getPolicy),
		gateway.Op(iam.ListPolicies, policiesBelow, s.listPolicies),
		gateway.Op(iam.DeletePolicy, policyNamed(func(in *iam.DeletePolicyInput) string { return in.PolicyArn }), s.deletePolicy),
		gateway.Op(iam.ListEntitiesForPolicy, policyNamed(func(in *iam.ListEntitiesForPolicyInput) string { return in.PolicyArn }), s.listEntitiesForPolicy),
		gateway.Op(iam.CreatePolicyVersion, policyNamed(func(in *iam.CreatePolicyVersionInput) string { return in.PolicyArn }), s.createPolicyVersion),
		gateway.Op(iam.GetPolicyVersion, versionNamed(func(in *iam.GetPolicyVersionInput) string { return in.PolicyArn }, func(in *iam.GetPolicyVersionInput) string { return in.VersionId }), s.getPolicyVersion),
		gateway.Op(iam.ListPolicyVersions, policyNamed(func(in *iam.ListPolicyVersionsInput) string { return in.PolicyArn }), s.listPolicyVersions),
		gateway.Op(iam.SetDefaultPolicyVersion, versionNamed(func(in *iam.SetDefaultPolicyVersionInput) string { return in.PolicyArn }, func(in *iam.SetDefaultPolicyVersionInput) string { return in.VersionId }), s.setDefaultPolicyVersion),
		gateway.Op(iam.DeletePolicyVersion, policyNamed(func(in *iam.DeletePolicyVersionInput) string { return in.PolicyArn }), s.deletePolicyVersion),
	}
}

func (s *Service) inlineOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.PutUserPolicy, userNamed(func(in *iam.PutUserPolicyInput) string { return in.UserName }), s.putUserPolicy),
		gateway.Op(iam.GetUserPolicy, userNamed(func(in *iam.GetUserPolicyInput) string { return in.UserName }), s.getUserPolicy),
		gateway.Op(iam.ListUserPolicies, userNamed(func(in *iam.ListUserPoliciesInput) string { return in.UserName }), s.listUserPolicies),
		gateway.Op(iam.DeleteUserPolicy, userNamed(func(in *iam.DeleteUserPolicyInput) string { return in.UserName }), s.deleteUserPolicy),
		gateway.Op(iam.PutGroupPolicy, groupNamed(func(in *iam.PutGroupPolicyInput) string { return in.GroupName }), s.putGroupPolicy),
		gateway.Op(iam.GetGroupPolicy, groupNamed(func(in *iam.GetGroupPolicyInput) string { return in.GroupName }), s.getGroupPolicy),
		gateway.Op(iam.ListGroupPolicies, groupNamed(func(in *iam.ListGroupPoliciesInput) string { return in.GroupName }), s.listGroupPolicies),
		gateway.Op(iam.DeleteGroupPolicy, groupNamed(func(in *iam.DeleteGroupPolicyInput) string { return in.GroupName }), s.deleteGroupPolicy),
		gateway.Op(iam.PutRolePolicy, modifiable(roleNamed(func(in *iam.PutRolePolicyInput) string { return in.RoleName })), s.putRolePolicy),
		gateway.Op(iam.GetRolePolicy, roleNamed(func(in *iam.GetRolePolicyInput) string { return in.RoleName }), s.getRolePolicy),
		gateway.Op(iam.ListRolePolicies, roleNamed(func(in *iam.ListRolePoliciesInput) string { return in.RoleName }), s.listRolePolicies),
		gateway.Op(iam.DeleteRolePolicy, modifiable(roleNamed(func(in *iam.DeleteRolePolicyInput) string { return in.RoleName })), s.deleteRolePolicy),
	}
}

func (s *Service) attachmentOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.AttachUserPolicy, withPolicy(func(in *iam.AttachUserPolicyInput) string { return in.PolicyArn }, userNamed(func(in *iam.AttachUserPolicyInput) string { return in.UserName })), s.attachUserPolicy),
		gateway.Op(iam.DetachUserPolicy, withPolicy(func(in *iam.DetachUserPolicyInput) string { return in.PolicyArn }, userNamed(func(in *iam.DetachUserPolicyInput) string { return in.UserName })), s.detachUserPolicy),
		gateway.Op(iam.ListAttachedUserPolicies, userNamed(func(in *iam.ListAttachedUserPoliciesInput) string { return in.UserName }), s.listAttachedUserPolicies),
		gateway.Op(iam.AttachGroupPolicy, withPolicy(func(in *iam.AttachGroupPolicyInput) string { return in.PolicyArn }, groupNamed(func(in *iam.AttachGroupPolicyInput) string { return in.GroupName })), s.attachGroupPolicy),
		gateway.Op(iam.DetachGroupPolicy, withPolicy(func(in *iam.DetachGroupPolicyInput) string { return in.PolicyArn }, groupNamed(func(in *iam.DetachGroupPolicyInput) string { return in.GroupName })), s.detachGroupPolicy),
		gateway.Op(iam.ListAttachedGroupPolicies, groupNamed(func(in *iam.ListAttachedGroupPoliciesInput) string { return in.GroupName }), s.listAttachedGroupPolicies),
		gateway.Op(iam.AttachRolePolicy, withPolicy(func(in *iam.AttachRolePolicyInput) string { return in.PolicyArn }, modifiable(roleNamed(func(in *iam.AttachRolePolicyInput) string { return in.RoleName }))), s.attachRolePolicy),
		gateway.Op(iam.DetachRolePolicy, withPolicy(func(in *iam.DetachRolePolicyInput) string { return in.PolicyArn }, modifiable(roleNamed(func(in *iam.DetachRolePolicyInput) string { return in.RoleName }))), s.detachRolePolicy),
		gateway.Op(iam.ListAttachedRolePolicies, roleNamed(func(in *iam.ListAttachedRolePoliciesInput) string { return in.RoleName }), s.listAttachedRolePolicies),
	}
}

func (s *Service) boundaryOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.PutUserPermissionsBoundary, userToBound, s.putUserPermissionsBoundary),
		gateway.Op(iam.DeleteUserPermissionsBoundary, userNamed(func(in *iam.DeleteUserPermissionsBoundaryInput) string { return in.UserName }), s.deleteUserPermissionsBoundary),
		gateway.Op(iam.PutRolePermissionsBoundary, modifiable(roleToBound), s.putRolePermissionsBoundary),
		gateway.Op(iam.DeleteRolePermissionsBoundary, modifiable(roleNamed(func(in *iam.DeleteRolePermissionsBoundaryInput) string { return in.RoleName })), s.deleteRolePermissionsBoundary),
	}
}

func (s *Service) tagOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.TagUser, tagging(anyCase, func(in *iam.TagUserInput) []iam.Tag { return in.Tags }, userNamed(func(in *iam.TagUserInput) string { return in.UserName })), s.tagUser),
		gateway.Op(iam.UntagUser, untagging(func(in *iam.UntagUserInput) []string { return in.TagKeys }, userNamed(func(in *iam.UntagUserInput) string { return in.UserName })), s.untagUser),
		gateway.Op(iam.ListUserTags, userNamed(func(in *iam.ListUserTagsInput) string { return in.UserName }), s.listUserTags),
		gateway.Op(iam.TagRole, tagging(anyCase, func(in *iam.TagRoleInput) []iam.Tag { return in.Tags }, roleNamed(func(in *iam.TagRoleInput) string { return in.RoleName })), s.tagRole),
		gateway.Op(iam.UntagRole, untagging(func(in *iam.UntagRoleInput) []string { return in.TagKeys }, roleNamed(func(in *iam.UntagRoleInput) string { return in.RoleName })), s.untagRole),
		gateway.Op(iam.ListRoleTags, roleNamed(func(in *iam.ListRoleTagsInput) string { return in.RoleName }), s.listRoleTags),
		gateway.Op(iam.TagPolicy, tagging(asWritten, func(in *iam.TagPolicyInput) []iam.Tag { return in.Tags }, policyNamed(func(in *iam.TagPolicyInput) string { return in.PolicyArn })), s.tagPolicy),
		gateway.Op(iam.UntagPolicy, untagging(func(in *iam.UntagPolicyInput) []string { return in.TagKeys }, policyNamed(func(in *iam.UntagPolicyInput) string { return in.PolicyArn })), s.untagPolicy),
		gateway.Op(iam.ListPolicyTags, policyNamed(func(in *iam.ListPolicyTagsInput) string { return in.PolicyArn }), s.listPolicyTags),
	}
}

func (s *Service) mfaOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(iam.CreateVirtualMFADevice, mfaDeviceToCreate, s.drawSeed, s.createVirtualMFADevice),
		gateway.Op(iam.ListVirtualMFADevices, allMFADevices, s.listVirtualMFADevices),
		gateway.Op(iam.DeleteVirtualMFADevice, mfaDeviceNamed(func(in *iam.DeleteVirtualMFADeviceInput) string { return in.SerialNumber }), s.deleteVirtualMFADevice),
		gateway.Op(iam.EnableMFADevice, holderToBe, s.enableMFADevice),
		gateway.Op(iam.ResyncMFADevice, holderNamed(func(in *iam.ResyncMFADeviceInput) string { return in.UserName }), s.resyncMFADevice),
		gateway.Op(iam.DeactivateMFADevice, callerOr(func(in *iam.DeactivateMFADeviceInput) *string { return in.UserName }), s.deactivateMFADevice),
		gateway.Op(iam.ListMFADevices, callerOr(func(in *iam.ListMFADevicesInput) *string { return in.UserName }), s.listMFADevices),
		gateway.Op(iam.GetMFADevice, callerOr(func(in *iam.GetMFADeviceInput) *string { return in.UserName }), s.getMFADevice),
		gateway.Op(iam.TagMFADevice, tagging(asWritten, func(in *iam.TagMFADeviceInput) []iam.Tag { return in.Tags }, mfaDeviceNamed(func(in *iam.TagMFADeviceInput) string { return in.SerialNumber })), s.tagMFADevice),
		gateway.Op(iam.UntagMFADevice, untagging(func(in *iam.UntagMFADeviceInput) []string { return in.TagKeys }, mfaDeviceNamed(func(in *iam.UntagMFADeviceInput) string { return in.SerialNumber })), s.untagMFADevice),
		gateway.Op(iam.ListMFADeviceTags, mfaDeviceNamed(func(in *iam.ListMFADeviceTagsInput) string { return in.SerialNumber }), s.listMFADeviceTags),
	}
}

func (s *Service) credentialOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.UploadSSHPublicKey, userNamed(func(in *iam.UploadSSHPublicKeyInput) string { return in.UserName }), s.uploadSSHPublicKey),
		gateway.Op(iam.GetSSHPublicKey, userNamed(func(in *iam.GetSSHPublicKeyInput) string { return in.UserName }), s.getSSHPublicKey),
		gateway.Op(iam.ListSSHPublicKeys, callerOr(func(in *iam.ListSSHPublicKeysInput) *string { return in.UserName }), s.listSSHPublicKeys),
		gateway.Op(iam.UpdateSSHPublicKey, userNamed(func(in *iam.UpdateSSHPublicKeyInput) string { return in.UserName }), s.updateSSHPublicKey),
		gateway.Op(iam.DeleteSSHPublicKey, userNamed(func(in *iam.DeleteSSHPublicKeyInput) string { return in.UserName }), s.deleteSSHPublicKey),
		gateway.Op(iam.UploadSigningCertificate, callerOr(func(in *iam.UploadSigningCertificateInput) *string { return in.UserName }), s.uploadSigningCertificate),
		gateway.Op(iam.ListSigningCertificates, callerOr(func(in *iam.ListSigningCertificatesInput) *string { return in.UserName }), s.listSigningCertificates),
		gateway.Op(iam.UpdateSigningCertificate, callerOr(func(in *iam.UpdateSigningCertificateInput) *string { return in.UserName }), s.updateSigningCertificate),
		gateway.Op(iam.DeleteSigningCertificate, callerOr(func(in *iam.DeleteSigningCertificateInput) *string { return in.UserName }), s.deleteSigningCertificate),
		gateway.Op(iam.CreateServiceSpecificCredential, userForService, s.createServiceSpecificCredential),
		gateway.Op(iam.ListServiceSpecificCredentials, usersOfCredentials, s.listServiceSpecificCredentials),
		gateway.Op(iam.ResetServiceSpecificCredential, credentialNamed(func(in *iam.ResetServiceSpecificCredentialInput) *string { return in.UserName }, func(in *iam.ResetServiceSpecificCredentialInput) string { return in.ServiceSpecificCredentialId }), s.resetServiceSpecificCredential),
		gateway.Op(iam.UpdateServiceSpecificCredential, credentialNamed(func(in *iam.UpdateServiceSpecificCredentialInput) *string { return in.UserName }, func(in *iam.UpdateServiceSpecificCredentialInput) string { return in.ServiceSpecificCredentialId }), s.updateServiceSpecificCredential),
		gateway.Op(iam.DeleteServiceSpecificCredential, credentialNamed(func(in *iam.DeleteServiceSpecificCredentialInput) *string { return in.UserName }, func(in *iam.DeleteServiceSpecificCredentialInput) string { return in.ServiceSpecificCredentialId }), s.deleteServiceSpecificCredential),
	}
}

func (s *Service) serverCertificateOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(iam.UploadServerCertificate, serverCertificateToUpload, s.readServerCertificate, s.uploadServerCertificate),
		gateway.Op(iam.GetServerCertificate, serverCertificateNamed(func(in *iam.GetServerCertificateInput) string { return in.ServerCertificateName }), s.getServerCertificate),
		gateway.Op(iam.ListServerCertificates, serverCertificatesBelow, s.listServerCertificates),
		gateway.Op(iam.UpdateServerCertificate, serverCertificateToRename, s.updateServerCertificate),
		gateway.Op(iam.DeleteServerCertificate, serverCertificateNamed(func(in *iam.DeleteServerCertificateInput) string { return in.ServerCertificateName }), s.deleteServerCertificate),
		gateway.Op(iam.TagServerCertificate, tagging(asWritten, func(in *iam.TagServerCertificateInput) []iam.Tag { return in.Tags }, serverCertificateNamed(func(in *iam.TagServerCertificateInput) string { return in.ServerCertificateName })), s.tagServerCertificate),
		gateway.Op(iam.UntagServerCertificate, untagging(func(in *iam.UntagServerCertificateInput) []string { return in.TagKeys }, serverCertificateNamed(func(in *iam.UntagServerCertificateInput) string { return in.ServerCertificateName })), s.untagServerCertificate),
		gateway.Op(iam.ListServerCertificateTags, serverCertificateNamed(func(in *iam.ListServerCertificateTagsInput) string { return in.ServerCertificateName }), s.listServerCertificateTags),
	}
}

func (s *Service) accountOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.CreateAccountAlias, gateway.Account[iam.CreateAccountAliasInput], s.createAccountAlias),
		gateway.Op(iam.ListAccountAliases, gateway.Account[iam.ListAccountAliasesInput], s.listAccountAliases),
		gateway.Op(iam.DeleteAccountAlias, gateway.Account[iam.DeleteAccountAliasInput], s.deleteAccountAlias),
		gateway.Op(iam.GetAccountPasswordPolicy, rulesToRead, s.getAccountPasswordPolicy),
		gateway.Op(iam.UpdateAccountPasswordPolicy, gateway.Account[iam.UpdateAccountPasswordPolicyInput], s.updateAccountPasswordPolicy),
		gateway.Op(iam.DeleteAccountPasswordPolicy, gateway.Account[iam.DeleteAccountPasswordPolicyInput], s.deleteAccountPasswordPolicy),
		gateway.Op(iam.SetSecurityTokenServicePreferences, gateway.Account[iam.SetSecurityTokenServicePreferencesInput], s.setSecurityTokenServicePreferences),
		gateway.Op(iam.GetAccountSummary, gateway.Account[iam.GetAccountSummaryInput], s.getAccountSummary),
		gateway.Op(iam.GenerateCredentialReport, gateway.Account[iam.GenerateCredentialReportInput], s.generateCredentialReport),
		gateway.Op(iam.GetCredentialReport, gateway.Account[iam.GetCredentialReportInput], s.getCredentialReport),
		gateway.Op(iam.GetAccountAuthorizationDetails, gateway.Account[iam.GetAccountAuthorizationDetailsInput], s.getAccountAuthorizationDetails),
	}
}

func (s *Service) accessOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.GenerateServiceLastAccessedDetails, reportedOn, s.generateServiceLastAccessedDetails),
		gateway.Op(iam.GetServiceLastAccessedDetails, gateway.Account[iam.GetServiceLastAccessedDetailsInput], s.getServiceLastAccessedDetails),
		gateway.Op(iam.GetServiceLastAccessedDetailsWithEntities, gateway.Account[iam.GetServiceLastAccessedDetailsWithEntitiesInput], s.getServiceLastAccessedDetailsWithEntities),
		gateway.Op(iam.ListPoliciesGrantingServiceAccess, sourceNamed(func(in *iam.ListPoliciesGrantingServiceAccessInput) string { return in.Arn }), s.listPoliciesGrantingServiceAccess),
		gateway.Op(iam.GenerateOrganizationsAccessReport, s.reportOnEntity, s.generateOrganizationsAccessReport),
		gateway.Op(iam.GetOrganizationsAccessReport, gateway.Account[iam.GetOrganizationsAccessReportInput], s.getOrganizationsAccessReport),
	}
}

func (s *Service) rootOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(iam.EnableOrganizationsRootCredentialsManagement, gateway.Account[iam.EnableOrganizationsRootCredentialsManagementInput], s.enableOrganizationsRootCredentialsManagement),
		gateway.Op(iam.EnableOrganizationsRootSessions, gateway.Account[iam.EnableOrganizationsRootSessionsInput], s.enableOrganizationsRootSessions),
		gateway.Op(iam.DisableOrganizationsRootCredentialsManagement, gateway.Account[iam.DisableOrganizationsRootCredentialsManagementInput], s.disableOrganizationsRootCredentialsManagement),
		gateway.Op(iam.DisableOrganizationsRootSessions, gateway.Account[iam.DisableOrganizationsRootSessionsInput], s.disableOrganizationsRootSessions),
		gateway.Op(iam.ListOrganizationsFeatures, gateway.Account[iam.ListOrganizationsFeaturesInput], s.listOrganizationsFeatures),
	}
}
