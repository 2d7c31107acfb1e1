package organizations

import (
	"context"
	"slices"
	"strings"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

func unknownService() error {
	return invalid(api.InvalidInputExceptionReasonUnrecognizedServicePrincipal, "You specified an unrecognized service principal.")
}

// administrator finds the account that is, or is to be, a service's
// administrator. The management account is none: it can do all that one can.
func (s *Service) administrator(call *gateway.Call, account, service string) (*subject, error) {
	t, err := s.subject(call, management)
	if err != nil {
		return t, err
	}
	call.Condition("organizations:ServicePrincipal", service)
	if err = t.findMember(call, account); err == nil && account == t.org.Management {
		err = constraint(api.ConstraintViolationExceptionReasonCannotRegisterMasterAsDelegatedAdministrator,
			"You cannot register master account/yourself as delegated administrator for your organization.")
	}
	return t, err
}

func (s *Service) administratorToRegister(call *gateway.Call, in *api.RegisterDelegatedAdministratorInput) (*subject, error) {
	return s.administrator(call, in.AccountId, in.ServicePrincipal)
}

func (s *Service) administratorToDeregister(call *gateway.Call, in *api.DeregisterDelegatedAdministratorInput) (*subject, error) {
	return s.administrator(call, in.AccountId, in.ServicePrincipal)
}

// needAllFeatures refuses what an organisation for billing alone can't do.
func (o *Organization) needAllFeatures() error {
	if o.AllFeatures {
		return nil
	}
	return constraint(api.ConstraintViolationExceptionReasonOrganizationNotInAllFeaturesMode,
		"You attempted to perform an operation that requires the organization to be configured to support all features.")
}

func (s *Service) registerDelegatedAdministrator(_ context.Context, call *gateway.Call, on *subject, in *api.RegisterDelegatedAdministratorInput) (*api.RegisterDelegatedAdministratorOutput, error) {
	if err := on.org.needAllFeatures(); err != nil {
		return nil, err
	}
	i, already := on.member.administers(in.ServicePrincipal)
	switch {
	case !trustable[in.ServicePrincipal]:
		return nil, unknownService()
	case on.member.Closed:
		return nil, constraint(api.ConstraintViolationExceptionReasonCannotRegisterSuspendedAccountAsDelegatedAdministrator,
			"You cannot register a suspended account as a delegated administrator.")
	case already:
		return nil, &api.AccountAlreadyRegisteredException{Message: "The provided account is already a delegated administrator for your organization."}
	}
	if _, trusted := on.org.trusts(in.ServicePrincipal); !trusted {
		return nil, constraint(api.ConstraintViolationExceptionReasonServiceAccessNotEnabled,
			"You attempted to register a delegated administrator before you enabled service access. Call the EnableAWSServiceAccess API first.")
	}
	return nil, members.Update(call.Tx, on.org.Management, func(m *Member) error {
		m.Delegated = slices.Insert(m.Delegated, i, Delegated{in.ServicePrincipal, call.Time})
		return nil
	}, in.AccountId)
}

// administers finds a service among those that an account administers.
func (m *Member) administers(service string) (int, bool) {
	return slices.BinarySearchFunc(m.Delegated, service, func(d Delegated, service string) int { return strings.Compare(d.Service, service) })
}

func (s *Service) deregisterDelegatedAdministrator(_ context.Context, call *gateway.Call, on *subject, in *api.DeregisterDelegatedAdministratorInput) (*api.DeregisterDelegatedAdministratorOutput, error) {
	i, registered := on.member.administers(in.ServicePrincipal)
	switch {
	case len(on.member.Delegated) == 0:
		return nil, notRegistered()
	case !registered:
		return nil, unknownService()
	}
	return nil, members.Update(call.Tx, on.org.Management, func(m *Member) error {
		m.Delegated = slices.Delete(m.Delegated, i, i+1)
		return nil
	}, in.AccountId)
}

func notRegistered() error {
	return &api.AccountNotRegisteredException{Message: "The provided account is not a registered delegated administrator for your organization."}
}

func (s *Service) administratorsOf(call *gateway.Call, in *api.ListDelegatedAdministratorsInput) (*subject, error) {
	if in.ServicePrincipal != nil {
		call.Condition("organizations:ServicePrincipal", *in.ServicePrincipal)
	}
	return s.subject(call, reading)
}

func (s *Service) listDelegatedAdministrators(_ context.Context, call *gateway.Call, on *subject, in *api.ListDelegatedAdministratorsInput) (*api.ListDelegatedAdministratorsOutput, error) {
	service := ""
	if in.ServicePrincipal != nil {
		if service = *in.ServicePrincipal; !trustable[service] {
			return nil, unknownService()
		}
	}
	p, err := s.page(call, in.NextToken, in.MaxResults, service)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, members.ListBy(call.Tx, membersByService, on.org.Management, p.After, service), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListDelegatedAdministratorsOutput{DelegatedAdministrators: []api.DelegatedAdministrator{}, NextToken: p.Next}
	for _, m := range found {
		a, err := s.account(call.Tx, on.org, m)
		if err != nil {
			return nil, err
		}
		since := m.Delegated[0].Since
		for _, d := range m.Delegated {
			if d.Service == service || service == "" && d.Since.Before(since) {
				since = d.Since
			}
		}
		out.DelegatedAdministrators = append(out.DelegatedAdministrators, api.DelegatedAdministrator{
			Id: a.Id, Arn: a.Arn, Email: a.Email, Name: a.Name, Status: a.Status, State: a.State,
			JoinedMethod: a.JoinedMethod, JoinedTimestamp: a.JoinedTimestamp, DelegationEnabledDate: &since,
		})
	}
	return out, nil
}

func (s *Service) listDelegatedServicesForAccount(_ context.Context, call *gateway.Call, on *subject, in *api.ListDelegatedServicesForAccountInput) (*api.ListDelegatedServicesForAccountOutput, error) {
	if len(on.member.Delegated) == 0 {
		return nil, notRegistered()
	}
	p, err := s.page(call, in.NextToken, in.MaxResults, in.AccountId)
	if err != nil {
		return nil, err
	}
	found, err := slice(p, on.member.Delegated, func(d *Delegated) string { return d.Service })
	if err != nil {
		return nil, err
	}
	out := &api.ListDelegatedServicesForAccountOutput{DelegatedServices: []api.DelegatedService{}, NextToken: p.Next}
	for _, d := range found {
		out.DelegatedServices = append(out.DelegatedServices, api.DelegatedService{ServicePrincipal: new(d.Service), DelegationEnabledDate: new(d.Since)})
	}
	return out, nil
}
