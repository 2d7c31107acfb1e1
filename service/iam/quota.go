package iam

// Quotas are an account's bounds on counts and sizes. The zero value of a
// field means AWS's default.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
type Quotas struct {
	Users               int // in the account: 5,000
	Groups              int // 300
	Roles               int // 1,000
	Policies            int // customer managed policies: 1,500
	InstanceProfiles    int // 1,000
	OIDCProviders       int // 100
	SAMLProviders       int // 100
	ServerCertificates  int // 20
	GroupsPerUser       int // 10
	AccessKeysPerUser   int // 2
	PoliciesPerUser     int // attached managed policies: 10
	PoliciesPerGroup    int // 10
	PoliciesPerRole     int // 20
	VersionsPerPolicy   int // 5
	PolicyVersionsInUse int // 10,000
	TrustPolicySize     int // characters, white space not counted: 2,048
}

var defaultQuotas = Quotas{
	Users: 5000, Groups: 300, Roles: 1000, Policies: 1500, InstanceProfiles: 1000, OIDCProviders: 100, SAMLProviders: 100, ServerCertificates: 20, GroupsPerUser: 10, AccessKeysPerUser: 2, PoliciesPerUser: 10,
	PoliciesPerGroup: 10, PoliciesPerRole: 20, VersionsPerPolicy: 5, PolicyVersionsInUse: 10_000, TrustPolicySize: 2048,
}

// Sizes that AWS does not adjust: characters, white space not counted. Those
// of inline policies bound all of an entity's together.
const (
	userPolicySize    = 2048
	groupPolicySize   = 5120
	rolePolicySize    = 10240
	managedPolicySize = 6144
	tagsPerEntity     = 50
)

// withDefaults fills in what q leaves open.
func (q Quotas) withDefaults() Quotas {
	for _, f := range []struct{ to, from *int }{
		{&q.Users, &defaultQuotas.Users}, {&q.Groups, &defaultQuotas.Groups}, {&q.Roles, &defaultQuotas.Roles},
		{&q.Policies, &defaultQuotas.Policies}, {&q.InstanceProfiles, &defaultQuotas.InstanceProfiles},
		{&q.OIDCProviders, &defaultQuotas.OIDCProviders}, {&q.SAMLProviders, &defaultQuotas.SAMLProviders}, {&q.GroupsPerUser, &defaultQuotas.GroupsPerUser},
		{&q.ServerCertificates, &defaultQuotas.ServerCertificates},
		{&q.AccessKeysPerUser, &defaultQuotas.AccessKeysPerUser}, {&q.PoliciesPerUser, &defaultQuotas.PoliciesPerUser},
		{&q.PoliciesPerGroup, &defaultQuotas.PoliciesPerGroup}, {&q.PoliciesPerRole, &defaultQuotas.PoliciesPerRole},
		{&q.VersionsPerPolicy, &defaultQuotas.VersionsPerPolicy},
		{&q.PolicyVersionsInUse, &defaultQuotas.PolicyVersionsInUse}, {&q.TrustPolicySize, &defaultQuotas.TrustPolicySize},
	} {
		if *f.to == 0 {
			*f.to = *f.from
		}
	}
	return q
}

// quotas are the bounds in force for an account.
func (s *Service) quotas(account string) Quotas {
	if q, ok := s.Accounts[account]; ok {
		return q.withDefaults()
	}
	return s.Quotas.withDefaults()
}
