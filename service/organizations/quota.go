package organizations

// Quotas are an organisation's bounds on counts. The zero value of a field
// means AWS's default.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
type Quotas struct {
	Accounts        int // in the organisation, closed ones and open invitations among them: 10
	Units           int // organizational units: 2,000
	ServicePolicies int // service control policies: 10,000
	Policies        int // of each other type: 1,000
	Invitations     int // sent in 24 hours: 20, or Accounts if that is more
	RemovalDays     int // before an account that was created here can leave: 7
}

var defaultQuotas = Quotas{Accounts: 10, Units: 2000, ServicePolicies: 10_000, Policies: 1000, Invitations: 20, RemovalDays: 7}

// Bounds that AWS does not adjust.
const (
	maxDepth         = 5 // of units below the root
	maxTags          = 50
	maxClosures      = 1000 // in 30 days; or the higher of the two below
	minClosures      = 250
	closuresShare    = 5 // a fifth of the members
	maxLevels        = maxDepth + 2
	maxResourceBytes = 40_000 // of the delegation policy, characters
)

// withDefaults fills in what q leaves open.
func (q Quotas) withDefaults() Quotas {
	for _, f := range []struct {
		to   *int
		from int
	}{
		{&q.Accounts, defaultQuotas.Accounts}, {&q.Units, defaultQuotas.Units}, {&q.ServicePolicies, defaultQuotas.ServicePolicies},
		{&q.Policies, defaultQuotas.Policies}, {&q.Invitations, defaultQuotas.Invitations}, {&q.RemovalDays, defaultQuotas.RemovalDays},
	} {
		if *f.to == 0 {
			*f.to = f.from
		}
	}
	return q
}

// quotas are the bounds in force for an organisation.
func (s *Service) quotas(management string) Quotas {
	if q, ok := s.PerAccount[management]; ok {
		return q.withDefaults()
	}
	return s.Quotas.withDefaults()
}
