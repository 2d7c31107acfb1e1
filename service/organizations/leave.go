package organizations

import (
	"context"
	"slices"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
)

const (
	day           = 24 * time.Hour
	closurePeriod = 30 * day
)

// closeAccount closes a member: from here on its credentials are refused, and
// what it owns is nobody's to use. AWS takes minutes, and deletes all after 90
// days; here nothing is deleted.
func (s *Service) closeAccount(_ context.Context, call *gateway.Call, on *subject, in *api.CloseAccountInput) (*api.CloseAccountOutput, error) {
	o := on.org
	switch {
	case in.AccountId == o.Management:
		return nil, constraint(api.ConstraintViolationExceptionReasonCannotCloseManagementAccount, "You attempted to close the management account.")
	case on.member.Closed:
		return nil, &api.AccountAlreadyClosedException{Message: "The provided account is already closed."}
	}
	if err := o.needAllFeatures(); err != nil {
		return nil, err
	}
	recent := slices.DeleteFunc(slices.Clone(o.Closures), func(at time.Time) bool { return call.Time.Sub(at) > closurePeriod })
	if len(recent) >= min(max(minClosures, (o.Members-1)/closuresShare), maxClosures) {
		return nil, constraint(api.ConstraintViolationExceptionReasonCloseAccountQuotaExceeded, "You have exceeded close account quota for the past 30 days.")
	}
	m := *on.member
	m.Closed = true
	if err := members.Put(call.Tx, o.Management, &m, m.Account); err != nil {
		return nil, err
	}
	if err := o.settle(call.Tx, &m); err != nil {
		return nil, err
	}
	err := o.change(call, func(o *Organization) error {
		o.Closures = append(recent, call.Time)
		return nil
	})
	if err != nil {
		return nil, err
	}
	at := call.Time.UTC().Format(eventTime)
	return nil, o.recordResult(call, "CloseAccountResult", "closeAccountStatus", map[string]string{
		"accountId": m.Account, "state": "SUCCEEDED", "requestedTimestamp": at, "completedTimestamp": at,
	})
}

func (s *Service) removeAccountFromOrganization(_ context.Context, call *gateway.Call, on *subject, _ *api.RemoveAccountFromOrganizationInput) (*api.RemoveAccountFromOrganizationOutput, error) {
	return nil, s.release(call, on.org, on.member)
}

func (s *Service) leaveOrganization(_ context.Context, call *gateway.Call, on *subject, _ *api.LeaveOrganizationInput) (*api.LeaveOrganizationOutput, error) {
	call.Shared(on.org.Management)
	return nil, s.release(call, on.org, on.caller)
}

// release lets a member go that may stand on its own.
func (s *Service) release(call *gateway.Call, o *Organization, m *Member) error {
	switch {
	case m.Account == o.Management:
		return errMasterStays
	case len(m.Delegated) > 0:
		return constraint(api.ConstraintViolationExceptionReasonCannotRemoveDelegatedAdministratorFromOrg,
			"You attempted to remove an account that is registered as a delegated administrator for a service integrated with your organization. To complete this operation, you must first deregister this account as a delegated administrator.")
	case m.Closed:
		return constraint(api.ConstraintViolationExceptionReasonAccountCannotLeaveOrganization, "You can't remove a suspended account from the organization.")
	case !m.Invited && call.Time.Sub(m.Joined) < time.Duration(s.quotas(o.Management).RemovalDays)*day:
		return constraint(api.ConstraintViolationExceptionReasonWaitPeriodActive,
			"This operation requires a wait period. Try again later.")
	}
	return o.dismiss(call, m.Account)
}
