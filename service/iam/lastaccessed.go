package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy/reference"
	"github.com/garrison-security/garrison/store"
)

// accessSubject is a user, group, role or policy as a call that asks for a
// report on it is authorised on it.
type accessSubject struct {
	arn, shown, owner string
	tags              map[string]string
}

// ARN implements gateway.Resource.
func (a *accessSubject) ARN() string { return a.arn }

// ShownARN implements gateway.Shown.
func (a *accessSubject) ShownARN() string { return a.shown }

// ResourceAccount implements gateway.Owned.
func (a *accessSubject) ResourceAccount() string { return a.owner }

// ResourceTags implements gateway.Tagged.
func (a *accessSubject) ResourceTags() map[string]string { return a.tags }

var sourceOfReport = sourceNamed(func(in *iam.GenerateServiceLastAccessedDetailsInput) string { return in.Arn })

// reportedOn finds what a report is asked for on.
func reportedOn(call *gateway.Call, in *iam.GenerateServiceLastAccessedDetailsInput) (*accessSubject, error) {
	if a, err := aws.ParseARN(in.Arn); err == nil && a.Service == "iam" && strings.HasPrefix(a.Resource, "policy/") {
		p, missing := findPolicy(call, in.Arn)
		if p == nil {
			return nil, missing
		}
		return &accessSubject{p.Arn, p.ShownARN(), p.account, p.ResourceTags()}, missing
	}
	on, missing := sourceOfReport(call, in)
	if on == nil {
		return nil, missing
	}
	a, err := aws.ParseARN(on.Arn)
	if err != nil {
		return nil, err
	}
	return &accessSubject{on.Arn, on.shown, a.Account, on.ResourceTags()}, missing
}

// generateServiceLastAccessedDetails asks for a report, which useRecorder makes.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html
func (s *Service) generateServiceLastAccessedDetails(_ context.Context, call *gateway.Call, on *accessSubject, in *iam.GenerateServiceLastAccessedDetailsInput) (*iam.GenerateServiceLastAccessedDetailsOutput, error) {
	j := &AccessJob{Of: on.arn, Actions: in.Granularity != nil && *in.Granularity == iam.AccessAdvisorUsageGranularityTypeActionLevel}
	if err := j.add(call); err != nil {
		return nil, err
	}
	return &iam.GenerateServiceLastAccessedDetailsOutput{JobId: &j.ID}, nil
}

// getServiceLastAccessedDetails lists the services of a report by namespace.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
func (s *Service) getServiceLastAccessedDetails(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.GetServiceLastAccessedDetailsInput) (*iam.GetServiceLastAccessedDetailsOutput, error) {
	j, err := jobOf(call, in.JobId, false)
	if err != nil {
		return nil, err
	}
	p, err := s.page(call, in.Marker, in.MaxItems, j.ID)
	if err != nil {
		return nil, err
	}
	out := &iam.GetServiceLastAccessedDetailsOutput{
		JobType: j.kind(), JobCreationDate: j.Created, JobCompletionDate: j.Done, ServicesLastAccessed: []iam.ServiceLastAccessed{},
	}
	out.JobStatus, out.Error = j.status()
	if out.JobStatus == iam.JobStatusTypeCompleted {
		services, err := servicesOf(call, p, j, nil)
		if err != nil {
			return nil, err
		}
		for i := range services {
			out.ServicesLastAccessed = append(out.ServicesLastAccessed, services[i].shown())
		}
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

// servicesOf is a page of a finished report's services.
func servicesOf(call *gateway.Call, p *store.Pager, j *AccessJob, order func(a, b ServiceAccess) int) ([]ServiceAccess, error) {
	report, err := accessReports.Get(call.Tx, call.Account, j.ID)
	if err != nil {
		return nil, err
	}
	services := report.Services
	if order != nil {
		services = slices.SortedStableFunc(slices.Values(services), order)
	}
	return slice(p, services, func(s ServiceAccess) string { return s.Namespace })
}

// known is t; nil where there was no attempt.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *ServiceAccess) shown() iam.ServiceLastAccessed {
	out := iam.ServiceLastAccessed{
		ServiceName: serviceName(s.Namespace), ServiceNamespace: s.Namespace, LastAuthenticated: known(s.At),
		TotalAuthenticatedEntities: new(int32(s.Count)),
	}
	if s.Count > 0 {
		out.LastAuthenticatedEntity, out.LastAuthenticatedRegion = &s.By, &s.Region
	}
	for i := range s.Actions {
		a := &s.Actions[i]
		shown := iam.TrackedActionLastAccessed{ActionName: &a.Name, LastAccessedTime: known(a.At)}
		if shown.LastAccessedTime != nil {
			shown.LastAccessedEntity, shown.LastAccessedRegion = &a.By, &a.Region
		}
		out.TrackedActionsLastAccessed = append(out.TrackedActionsLastAccessed, shown)
	}
	return out
}

// getServiceLastAccessedDetailsWithEntities lists a report's users and roles,
// those who tried a service first, the last of them before others.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetailsWithEntities.html
func (s *Service) getServiceLastAccessedDetailsWithEntities(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.GetServiceLastAccessedDetailsWithEntitiesInput) (*iam.GetServiceLastAccessedDetailsWithEntitiesOutput, error) {
	j, err := jobOf(call, in.JobId, false)
	if err != nil {
		return nil, err
	}
	if reference.Find(in.ServiceNamespace) == nil {
		return nil, unknownNamespace(in.ServiceNamespace)
	}
	p, err := s.page(call, in.Marker, in.MaxItems, j.ID+" "+in.ServiceNamespace)
	if err != nil {
		return nil, err
	}
	out := &iam.GetServiceLastAccessedDetailsWithEntitiesOutput{
		JobCreationDate: j.Created, JobCompletionDate: j.Done, EntityDetailsList: []iam.EntityDetails{},
	}
	out.JobStatus, out.Error = j.status()
	if out.JobStatus == iam.JobStatusTypeCompleted {
		found, err := entitiesOf(call, p, j, in.ServiceNamespace)
		if err != nil {
			return nil, err
		}
		for i := range found {
			out.EntityDetailsList = append(out.EntityDetailsList, found[i].shown(in.ServiceNamespace))
		}
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func unknownNamespace(namespace string) error {
	return invalidInput("Invalid service namespace: %s", namespace)
}

// entitiesOf is a page of the users and roles that could have tried a service;
// none where the report's policies don't reach it.
func entitiesOf(call *gateway.Call, p *store.Pager, j *AccessJob, namespace string) ([]EntityAccess, error) {
	report, err := accessReports.Get(call.Tx, call.Account, j.ID)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(report.Services, func(s ServiceAccess) bool { return s.Namespace == namespace }) {
		return nil, nil
	}
	var all []EntityAccess
	for i := range j.Chunks {
		chunk, err := accessEntities.Get(call.Tx, call.Account, j.ID, partNumber(i))
		if err != nil {
			return nil, err
		}
		all = append(all, chunk.List...)
	}
	slices.SortFunc(all, func(a, b EntityAccess) int {
		return cmp.Or(b.Tried[namespace].At.Compare(a.Tried[namespace].At), strings.Compare(a.Arn, b.Arn))
	})
	return slice(p, all, func(e EntityAccess) string { return e.Arn })
}

func (e *EntityAccess) shown(namespace string) iam.EntityDetails {
	kind := iam.PolicyOwnerEntityTypeUser
	if e.Role {
		kind = iam.PolicyOwnerEntityTypeRole
	}
	return iam.EntityDetails{
		EntityInfo:        &iam.EntityInfo{Arn: e.Arn, Name: e.Name, Type: kind, Id: e.ID, Path: &e.Path},
		LastAuthenticated: known(e.Tried[namespace].At),
	}
}
