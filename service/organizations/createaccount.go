package organizations

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// Request is a request to create an account, as stored under its id in the
// management account's scope. It is fulfilled, or has failed, when it is
// answered: AWS is still at it then, and clients, which ask until it is done,
// find it done at once.
type Request struct {
	ID        string // "car-…"
	Name      string
	Requested time.Time
	Account   string `cbor:",omitempty"` // "" = it failed
	Failure   string `cbor:",omitempty"`
}

var (
	requestsByTime = &store.Index[Request]{Name: "time", Of: func(r *Request, add func(parts ...string)) { add(order(r.Requested)) }}
	requests       = store.NewTable("organizations/request", requestsByTime)
)

// accessRole is the role in a new account that the management account may assume.
const accessRole = "OrganizationAccountAccessRole"

// accountToCreate finds out whether the address is another account's: then
// the request will be taken, and fail.
func (s *Service) accountToCreate(call *gateway.Call, in *api.CreateAccountInput) (*subject, error) {
	t, err := s.subject(call, management)
	if err != nil {
		return t, err
	}
	tags, err := requestTags(call, in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		t.also("organizations:TagResource", t.org.memberARN("*"), nil)
	}
	switch _, err := s.Accounts.AccountOfEmail(call.Tx, in.Email); {
	case err == nil:
		t.doomed = api.CreateAccountFailureReasonEmailAlreadyExists
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	return t, nil
}

// prepareAccount makes the new account's id and the key that seals what will
// be its, outside transactions; "" for a request that will fail.
func (s *Service) prepareAccount(ctx context.Context, call *gateway.Call, on *subject, in *api.CreateAccountInput) (string, error) {
	if in.RoleName != nil && strings.HasPrefix(*in.RoleName, "AWSServiceRoleFor") {
		return "", invalid(api.InvalidInputExceptionReasonInvalidRoleName,
			"You provided a role name that isn't valid. A role name can't begin with the reserved prefix AWSServiceRoleFor.")
	}
	if on.org.Members >= s.quotas(call.Account).Accounts {
		return "", tooManyAccounts()
	}
	if on.doomed != "" {
		return "", nil
	}
	id, err := s.NewAccountID()
	if err != nil {
		return "", err
	}
	return id, s.Keys.Ensure(ctx, id)
}

func tooManyAccounts() error {
	return constraint(api.ConstraintViolationExceptionReasonAccountNumberLimitExceeded, "You have exceeded the allowed number of AWS accounts.")
}

func (s *Service) createAccount(_ context.Context, call *gateway.Call, on *subject, in *api.CreateAccountInput, id string) (*api.CreateAccountOutput, error) {
	o := on.org
	if err := s.room(call, o); err != nil {
		return nil, err
	}
	r := &Request{ID: newID("car-", requestIDLength), Name: in.AccountName, Requested: call.Time, Account: id, Failure: string(on.doomed)}
	if r.Failure != "" || id == "" {
		r.Account, r.Failure = "", string(api.CreateAccountFailureReasonEmailAlreadyExists)
	} else if err := s.fulfil(call, o, in, id); err != nil {
		return nil, err
	}
	if err := requests.Insert(call.Tx, o.Management, r, r.ID); err != nil {
		return nil, err
	}
	if err := o.recordResult(call, "CreateAccountResult", "createAccountStatus", r.result(call.Time)); err != nil {
		return nil, err
	}
	return &api.CreateAccountOutput{CreateAccountStatus: r.status()}, nil
}

// fulfil makes the account, and a member of it.
func (s *Service) fulfil(call *gateway.Call, o *Organization, in *api.CreateAccountInput, id string) error {
	role := accessRole
	if in.RoleName != nil {
		role = *in.RoleName
	}
	err := s.Accounts.CreateMember(call.Tx, call.Time, call.Partition, id, in.AccountName, in.Email, role, o.Management)
	if err != nil {
		return err
	}
	return o.admit(call, &Member{Account: id, Parent: o.Root, Joined: call.Time, Tags: tagsOf(in.Tags)})
}

// room refuses a further account, or an invitation, beyond the quota.
func (s *Service) room(call *gateway.Call, o *Organization) error {
	open, err := o.openInvitations(call)
	if err == nil && o.Members+open >= s.quotas(o.Management).Accounts {
		err = tooManyAccounts()
	}
	return err
}

// status is a request as answers show it.
func (r *Request) status() *api.CreateAccountStatus {
	st := &api.CreateAccountStatus{
		Id: new(r.ID), AccountName: new(r.Name), RequestedTimestamp: new(r.Requested), CompletedTimestamp: new(r.Requested), State: new(r.state()),
	}
	if r.Account != "" {
		st.AccountId = new(r.Account)
	} else {
		st.FailureReason = new(api.CreateAccountFailureReason(r.Failure))
	}
	return st
}

func (r *Request) state() api.CreateAccountState {
	if r.Account == "" {
		return api.CreateAccountStateFailed
	}
	return api.CreateAccountStateSucceeded
}

// eventTime is how the details of Organizations' records write a time.
const eventTime = "Jan 2, 2006 3:04:05 PM"

// result is a request as its record shows it.
func (r *Request) result(now time.Time) map[string]string {
	m := map[string]string{
		"id": r.ID, "state": string(r.state()), "accountName": "****",
		"requestedTimestamp": r.Requested.UTC().Format(eventTime), "completedTimestamp": now.UTC().Format(eventTime),
	}
	if r.Account != "" {
		m["accountId"] = r.Account
	} else {
		m["failureReason"] = r.Failure
	}
	return m
}

// recordResult appends the record that AWS makes when what it does in the
// background is done.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
func (o *Organization) recordResult(call *gateway.Call, name, member string, details map[string]string) error {
	text, err := json.Marshal(map[string]any{member: details})
	if err != nil {
		return err
	}
	return trail.Append(call.Tx, &trail.Event{
		UserIdentity: trail.UserIdentity{AccountID: o.Management, InvokedBy: "AWS Internal"},
		EventTime:    call.Time, EventSource: api.Service.EventSource, EventName: name, AWSRegion: call.Region,
		SourceIPAddress: "AWS Internal", UserAgent: "AWS Internal", EventType: trail.ServiceEvent, ManagementEvent: true,
		RecipientAccountID: o.Management, ServiceEventDetails: text,
	})
}

// requestNamed finds the request that the input names.
func (s *Service) requestNamed(call *gateway.Call, in *api.DescribeCreateAccountStatusInput) (*subject, error) {
	t, err := s.subject(call, reading)
	if err != nil {
		return t, err
	}
	t.request, err = requests.Get(call.Tx, t.org.Management, in.CreateAccountRequestId)
	return t, absent(err, &api.CreateAccountStatusNotFoundException{Message: "You specified a create account request that doesn't exist."})
}

func (s *Service) describeCreateAccountStatus(_ context.Context, _ *gateway.Call, on *subject, _ *api.DescribeCreateAccountStatusInput) (*api.DescribeCreateAccountStatusOutput, error) {
	return &api.DescribeCreateAccountStatusOutput{CreateAccountStatus: on.request.status()}, nil
}

func (s *Service) listCreateAccountStatus(_ context.Context, call *gateway.Call, on *subject, in *api.ListCreateAccountStatusInput) (*api.ListCreateAccountStatusOutput, error) {
	var states []string
	for _, state := range in.States {
		states = append(states, string(state))
	}
	slices.Sort(states)
	p, err := s.page(call, in.NextToken, in.MaxResults, strings.Join(states, " "))
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, requests.ListBy(call.Tx, requestsByTime, on.org.Management, p.After), func(r *Request) bool {
		return len(in.States) == 0 || slices.Contains(in.States, r.state())
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListCreateAccountStatusOutput{CreateAccountStatuses: []api.CreateAccountStatus{}, NextToken: p.Next}
	for _, r := range found {
		out.CreateAccountStatuses = append(out.CreateAccountStatuses, *r.status())
	}
	return out, nil
}
