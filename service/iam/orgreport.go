package iam

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// overallPending is how many reports on its organisation an account may wait for.
const overallPending = 10

// entityReport is a node of the caller's organisation as a call that asks for a
// report on it is authorised on it.
type entityReport struct{ arn string }

// ARN implements gateway.Resource.
func (e *entityReport) ARN() string { return e.arn }

// organizationReading are the rights of Organizations that a report takes besides IAM's.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#access_policies_last-accessed-permissions
var organizationReading = []string{
	"organizations:DescribePolicy", "organizations:ListChildren", "organizations:ListParents",
	"organizations:ListPoliciesForTarget", "organizations:ListRoots", "organizations:ListTargetsForPolicy",
}

// Further implements gateway.Compound.
func (e *entityReport) Further() []gateway.Authorization {
	var all []gateway.Authorization
	for _, action := range organizationReading {
		all = append(all, gateway.Authorization{Action: action, On: gateway.Anything("")})
	}
	return all
}

// managed is the organisation that the caller's account manages; an access
// denial where it manages none.
func (s *Service) managed(call *gateway.Call) (*gateway.Membership, error) {
	var m *gateway.Membership
	var err error
	if s.Organizations != nil {
		if m, err = s.Organizations.Membership(call.Tx, call.Account); err != nil {
			return nil, err
		}
	}
	if m == nil || m.Management != call.Account {
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "The account is not the management account of an organization."}
	}
	return m, nil
}

// reportOnEntity finds the node of the organisation that a report is asked for on.
func (s *Service) reportOnEntity(call *gateway.Call, in *iam.GenerateOrganizationsAccessReportInput) (*entityReport, error) {
	if in.OrganizationsPolicyId != nil {
		call.Condition("iam:OrganizationsPolicyId", *in.OrganizationsPolicyId)
	}
	on := &entityReport{arn: call.ARN("iam", "access-report/"+in.EntityPath, false)}
	m, err := s.managed(call)
	if err != nil {
		return on, err
	}
	_, err = s.Organizations.Node(call.Tx, m, in.EntityPath)
	if errors.Is(err, store.ErrNotFound) {
		return on, validation("The entity with path %s cannot be found.", in.EntityPath)
	}
	if err != nil {
		return nil, err
	}
	if in.OrganizationsPolicyId == nil {
		return on, nil
	}
	_, err = s.Organizations.ServicePolicy(call.Tx, m, *in.OrganizationsPolicyId)
	if errors.Is(err, store.ErrNotFound) {
		return on, validation("The service control policy with id %s cannot be found.", *in.OrganizationsPolicyId)
	}
	return on, err
}

// generateOrganizationsAccessReport asks for a report, which useRecorder makes.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateOrganizationsAccessReport.html
func (s *Service) generateOrganizationsAccessReport(_ context.Context, call *gateway.Call, _ *entityReport, in *iam.GenerateOrganizationsAccessReportInput) (*iam.GenerateOrganizationsAccessReportOutput, error) {
	m, err := s.managed(call)
	if err != nil {
		return nil, err
	}
	if _, enabled, err := s.Organizations.ServicePolicies(call.Tx, m, m.Levels[0]); err != nil || !enabled {
		return nil, cmp.Or(err, validation("Service control policies are not enabled in the organization's root."))
	}
	pending, err := pendingJobs(call.Tx, call.Account)
	if err != nil {
		return nil, err
	}
	pending = slices.DeleteFunc(pending, func(j *AccessJob) bool { return !j.Overall })
	if len(pending) >= overallPending {
		return nil, &iam.ReportGenerationLimitExceededException{
			Message: "The request failed because the maximum number of concurrent requests for this account are already running."}
	}
	j := &AccessJob{Of: in.EntityPath, Overall: true}
	if in.OrganizationsPolicyId != nil {
		j.Policy = *in.OrganizationsPolicyId
	}
	if err := j.add(call); err != nil {
		return nil, err
	}
	return &iam.GenerateOrganizationsAccessReportOutput{JobId: &j.ID}, nil
}

// reportOrders are the orders in which a report's services can be asked for.
var reportOrders = map[iam.SortKeyType]func(a, b ServiceAccess) int{
	iam.SortKeyTypeServiceNamespaceAscending:       nil, // as they are
	iam.SortKeyTypeServiceNamespaceDescending:      func(a, b ServiceAccess) int { return cmp.Compare(b.Namespace, a.Namespace) },
	iam.SortKeyTypeLastAuthenticatedTimeAscending:  func(a, b ServiceAccess) int { return a.At.Compare(b.At) },
	iam.SortKeyTypeLastAuthenticatedTimeDescending: func(a, b ServiceAccess) int { return b.At.Compare(a.At) },
}

// getOrganizationsAccessReport lists the services of a report on an organisation.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOrganizationsAccessReport.html
func (s *Service) getOrganizationsAccessReport(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.GetOrganizationsAccessReportInput) (*iam.GetOrganizationsAccessReportOutput, error) {
	if _, err := s.managed(call); err != nil {
		return nil, err
	}
	j, err := jobOf(call, in.JobId, true)
	if err != nil {
		return nil, err
	}
	by := iam.SortKeyTypeServiceNamespaceAscending
	if in.SortKey != nil {
		by = *in.SortKey
	}
	p, err := s.page(call, in.Marker, in.MaxItems, j.ID+" "+string(by))
	if err != nil {
		return nil, err
	}
	out := &iam.GetOrganizationsAccessReportOutput{JobCreationDate: j.Created, JobCompletionDate: j.Done}
	out.JobStatus, out.ErrorDetails = j.status()
	if out.JobStatus == iam.JobStatusTypeCompleted {
		report, err := accessReports.Get(call.Tx, call.Account, j.ID)
		if err != nil {
			return nil, err
		}
		untried := 0
		for i := range report.Services {
			if report.Services[i].Count == 0 {
				untried++
			}
		}
		out.NumberOfServicesAccessible, out.NumberOfServicesNotAccessed = new(int32(len(report.Services))), new(int32(untried))
		services, err := servicesOf(call, p, j, reportOrders[by])
		if err != nil {
			return nil, err
		}
		for i := range services {
			out.AccessDetails = append(out.AccessDetails, services[i].detail())
		}
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func (s *ServiceAccess) detail() iam.AccessDetail {
	out := iam.AccessDetail{ServiceName: serviceName(s.Namespace), ServiceNamespace: s.Namespace, LastAuthenticatedTime: known(s.At), TotalAuthenticatedEntities: new(int32(s.Count))}
	if s.Count > 0 {
		out.Region, out.EntityPath = &s.Region, &s.By
	}
	return out
}
