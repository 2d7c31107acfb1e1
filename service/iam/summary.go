package iam

import (
	"context"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// getAccountSummary answers what the account holds and the quotas in force.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
func (s *Service) getAccountSummary(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.GetAccountSummaryInput) (*iam.GetAccountSummaryOutput, error) {
	root, err := roots.Get(call.Tx, call.Account)
	if err != nil {
		return nil, err
	}
	certificates, err := allOf(call, signingCertificates, root)
	if err != nil {
		return nil, err
	}
	version, err := tokenVersion(call.Tx, call.Account)
	if err != nil {
		return nil, err
	}
	password := 0
	if root.PasswordAt != nil {
		password = 1
	}
	q := s.quotas(call.Account)
	all := map[iam.SummaryKeyType]int{
		iam.SummaryKeyTypeUsersQuota:                        q.Users,
		iam.SummaryKeyTypeGroupsQuota:                       q.Groups,
		iam.SummaryKeyTypeRolesQuota:                        q.Roles,
		iam.SummaryKeyTypePoliciesQuota:                     q.Policies,
		iam.SummaryKeyTypePolicyVersionsInUseQuota:          q.PolicyVersionsInUse,
		iam.SummaryKeyTypeVersionsPerPolicyQuota:            q.VersionsPerPolicy,
		iam.SummaryKeyTypeGroupsPerUserQuota:                q.GroupsPerUser,
		iam.SummaryKeyTypeAccessKeysPerUserQuota:            q.AccessKeysPerUser,
		iam.SummaryKeyTypeAttachedPoliciesPerUserQuota:      q.PoliciesPerUser,
		iam.SummaryKeyTypeAttachedPoliciesPerGroupQuota:     q.PoliciesPerGroup,
		iam.SummaryKeyTypeAttachedPoliciesPerRoleQuota:      q.PoliciesPerRole,
		iam.SummaryKeyTypeAssumeRolePolicySizeQuota:         q.TrustPolicySize,
		iam.SummaryKeyTypeUserPolicySizeQuota:               userPolicySize,
		iam.SummaryKeyTypeGroupPolicySizeQuota:              groupPolicySize,
		iam.SummaryKeyTypeRolePolicySizeQuota:               rolePolicySize,
		iam.SummaryKeyTypePolicySizeQuota:                   managedPolicySize,
		iam.SummaryKeyTypeServerCertificatesQuota:           q.ServerCertificates,
		iam.SummaryKeyTypeSigningCertificatesPerUserQuota:   signingCertificatesPerUser,
		iam.SummaryKeyTypeInstanceProfilesQuota:             q.InstanceProfiles,
		iam.SummaryKeyTypeAccountMFAEnabled:                 min(len(root.MFA), 1),
		iam.SummaryKeyTypeAccountAccessKeysPresent:          min(len(root.Keys), 1),
		iam.SummaryKeyTypeAccountPasswordPresent:            password,
		iam.SummaryKeyTypeAccountSigningCertificatesPresent: min(len(certificates), 1),
		iam.SummaryKeyTypeGlobalEndpointTokenVersion:        version,
	}
	for key, noun := range map[iam.SummaryKeyType]string{
		iam.SummaryKeyTypeUsers: countUsers, iam.SummaryKeyTypeGroups: countGroups, iam.SummaryKeyTypeRoles: countRoles,
		iam.SummaryKeyTypePolicies: countPolicies, iam.SummaryKeyTypePolicyVersionsInUse: countVersions,
		iam.SummaryKeyTypeInstanceProfiles: countProfiles,
		iam.SummaryKeyTypeMFADevices:       countMFADevices, iam.SummaryKeyTypeMFADevicesInUse: countMFAInUse,
		iam.SummaryKeyTypeServerCertificates: countServerCertificates,
	} {
		if all[key], err = counted(call.Tx, call.Account, noun); err != nil {
			return nil, err
		}
	}
	for _, noun := range []string{countOIDC, countSAML} {
		n, err := counted(call.Tx, call.Account, noun)
		if err != nil {
			return nil, err
		}
		all[iam.SummaryKeyTypeProviders] += n
	}
	out := &iam.GetAccountSummaryOutput{SummaryMap: make(map[string]int32, len(all))}
	for key, n := range all {
		out.SummaryMap[string(key)] = int32(n)
	}
	return out, nil
}
