package organizations

import (
	"context"
	"slices"
	"strings"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
)

// trustable are the services that can be trusted with an organisation.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html
var trustable = func() map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(`access-analyzer account aidevops auditmanager aws-artifact-account-sync backup
		billing-cost-management.billing budgets cloudtrail compute-optimizer config config-multiaccountsetup controltower
		cost-optimization-hub.bcm declarative-policies-ec2 detective devops-guru ds ec2 fms guardduty health iam inspector2
		ipam license-management.marketplace license-manager license-manager-linux-subscriptions
		license-manager.member-account macie malware-protection.guardduty managed-services
		member.org.stacksets.cloudformation mgn network-security-director notifications osis
		ram reachabilityanalyzer.networkinsights reporting.trustedadvisor resource-explorer-2 securityhub security-ir
		securitylake selfservice.license-manager servicecatalog servicequotas ssm sso stacksets.cloudformation
		storage-lens.s3 tagpolicies.tag user-subscriptions wellarchitected`) {
		all[name+".amazonaws.com"] = true
	}
	return all
}()

// trusting sets the condition that a service to be trusted, or no longer, makes.
func trusting[In any](s *Service, service func(*In) string) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		call.Condition("organizations:ServicePrincipal", service(in))
		return s.subject(call, management)
	}
}

// trusts finds a service among those trusted.
func (o *Organization) trusts(service string) (int, bool) {
	return slices.BinarySearchFunc(o.Services, service, func(t Trusted, service string) int { return strings.Compare(t.Service, service) })
}

func (s *Service) enableAWSServiceAccess(_ context.Context, call *gateway.Call, on *subject, in *api.EnableAWSServiceAccessInput) (*api.EnableAWSServiceAccessOutput, error) {
	if err := on.org.needAllFeatures(); err != nil {
		return nil, err
	}
	if !trustable[in.ServicePrincipal] {
		return nil, unknownService()
	}
	i, already := on.org.trusts(in.ServicePrincipal)
	if already {
		return nil, nil
	}
	return nil, on.org.change(call, func(o *Organization) error {
		o.Services = slices.Insert(o.Services, i, Trusted{in.ServicePrincipal, call.Time})
		return nil
	})
}

// disableAWSServiceAccess takes trust away, and with it whoever administers
// the service for the organisation.
func (s *Service) disableAWSServiceAccess(_ context.Context, call *gateway.Call, on *subject, in *api.DisableAWSServiceAccessInput) (*api.DisableAWSServiceAccessOutput, error) {
	if !trustable[in.ServicePrincipal] {
		return nil, unknownService()
	}
	i, trusted := on.org.trusts(in.ServicePrincipal)
	if !trusted {
		return nil, nil
	}
	var administrators []string
	for entry, err := range members.ListBy(call.Tx, membersByService, on.org.Management, nil, in.ServicePrincipal) {
		if err != nil {
			return nil, err
		}
		administrators = append(administrators, entry.Value.Account)
	}
	for _, account := range administrators {
		err := members.Update(call.Tx, on.org.Management, func(m *Member) error {
			m.Delegated = slices.DeleteFunc(m.Delegated, func(d Delegated) bool { return d.Service == in.ServicePrincipal })
			return nil
		}, account)
		if err != nil {
			return nil, err
		}
	}
	return nil, on.org.change(call, func(o *Organization) error {
		o.Services = slices.Delete(o.Services, i, i+1)
		return nil
	})
}

func (s *Service) listAWSServiceAccessForOrganization(_ context.Context, call *gateway.Call, on *subject, in *api.ListAWSServiceAccessForOrganizationInput) (*api.ListAWSServiceAccessForOrganizationOutput, error) {
	p, err := s.page(call, in.NextToken, in.MaxResults, on.org.ID)
	if err != nil {
		return nil, err
	}
	found, err := slice(p, on.org.Services, func(t *Trusted) string { return t.Service })
	if err != nil {
		return nil, err
	}
	out := &api.ListAWSServiceAccessForOrganizationOutput{EnabledServicePrincipals: []api.EnabledServicePrincipal{}, NextToken: p.Next}
	for _, t := range found {
		out.EnabledServicePrincipals = append(out.EnabledServicePrincipals, api.EnabledServicePrincipal{ServicePrincipal: new(t.Service), DateEnabled: new(t.Since)})
	}
	return out, nil
}
