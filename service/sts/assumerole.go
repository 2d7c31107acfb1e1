package sts

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Roles is what STS needs to know of identities. Package service/iam implements it.
type Roles interface {
	// AssumableRole finds a role by its ARN, in whatever account: its unique id, its tags (shared, not to
	// be changed), its trust policy, and how long its sessions may live. One that does not exist is
	// store.ErrNotFound.
	AssumableRole(tx store.Tx, arn string) (id string, tags map[string]string, trust *policy.Policy, longest time.Duration, err error)
	// ManagedPolicyExists tells whether an ARN names a managed policy, an account's own or AWS's.
	ManagedPolicyExists(tx store.Tx, partition, account, arn string) (bool, error)
	// AccountOfKey is whose account a long-term access key belongs to; or store.ErrNotFound.
	AccountOfKey(tx store.Tx, accessKeyID string) (string, error)
	// VerifyMFA takes a one-time code of a device that the caller has, "" where serial number or code are
	// absent. Nil means that the caller is authenticated by MFA now; that the code is used up is written in tx.
	VerifyMFA(tx store.Tx, now time.Time, caller *aws.Principal, serial, code string) error
	// RootTask tells whether an ARN names a policy of a task that a root's session may be for.
	RootTask(partition, arn string) bool
	// MayAssumeRoot tells whether an account may take sessions for a task as another's root.
	MayAssumeRoot(tx store.Tx, account, target, task string) (bool, error)
}

// Durations of sessions.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	roleDefault  = time.Hour
	chainLongest = time.Hour
)

// role is a role to be assumed.
type role struct {
	arn, id, account, name string
	tags                   map[string]string
	trust                  *policy.Policy
	longest                time.Duration
	draft
}

// ARN implements gateway.Resource.
func (r *role) ARN() string { return r.arn }

// ResourceAccount implements gateway.Owned.
func (r *role) ResourceAccount() string { return r.account }

// ResourceTags implements gateway.Tagged.
func (r *role) ResourceTags() map[string]string { return r.tags }

// ResourcePolicy implements gateway.Governed.
func (r *role) ResourcePolicy() *policy.Policy { return r.trust }

// Further implements gateway.Compound.
func (r *role) Further() []gateway.Authorization { return r.furtherOn(r) }

// nobody is the trust policy of a role that does not exist: whoever asks is
// told what a caller is told whom a role does not trust.
var nobody = func() *policy.Policy {
	doc, err := policy.Read([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"Service":"nobody.invalid"},"Action":"sts:AssumeRole"}}`), policy.Trust)
	if err != nil {
		panic(err)
	}
	return policy.Compile(doc, "")
}()

// roleToAssume finds the role, works out the session to be, and sets the
// conditions that trust policies ask for. It takes a one-time code, if there
// is one, for the decision hangs on it; a call that is refused forgets that.
func (s *Service) roleToAssume(call *gateway.Call, in *sts.AssumeRoleInput) (*role, error) {
	arn, err := aws.ParseARN(in.RoleArn)
	if err != nil || !aws.IsAccount(arn.Account) || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") || strings.HasSuffix(in.RoleArn, "/") {
		return nil, validation(in.RoleArn + " is invalid")
	}
	switch {
	case len(in.ProvidedContexts) > 0:
		return nil, gateway.NotImplemented(call.Operation, "ProvidedContexts")
	case call.Principal.Kind == aws.Root:
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "Roles may not be assumed by root accounts."}
	}
	r := &role{arn: in.RoleArn, account: arn.Account, name: in.RoleArn[strings.LastIndexByte(in.RoleArn, '/')+1:], trust: nobody}
	if err := r.prepare(call, in); err != nil {
		return nil, err
	}
	authenticated, err := s.authenticated(call, in.SerialNumber, in.TokenCode)
	if err != nil {
		return nil, err
	}
	if authenticated {
		call.Condition("aws:MultiFactorAuthPresent", "true")
		call.Condition("aws:MultiFactorAuthAge", "0")
	}
	id, tags, trust, longest, err := s.roles.AssumableRole(call.Tx, in.RoleArn)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, r.denied(call, "sts:AssumeRole") // for whom an own policy would let in where no trust policy is asked
	case err != nil:
		return nil, err
	}
	r.id, r.tags, r.longest = id, tags, longest
	if s := call.Principal.Session; s != nil {
		r.tags = r.over(tags, s.Transitive)
	}
	if trust != nil {
		r.trust = trust
	}
	for key, value := range r.tags {
		call.Condition("iam:ResourceTag/"+key, value)
	}
	return r, nil
}

// prepare works out the session but for its times, and its conditions.
func (r *role) prepare(call *gateway.Call, in *sts.AssumeRoleInput) error {
	r.session = &aws.Session{RoleARN: r.arn, RoleName: r.name, Name: in.RoleSessionName}
	call.Condition("sts:RoleSessionName", in.RoleSessionName)
	if in.ExternalId != nil {
		call.Condition("sts:ExternalId", *in.ExternalId)
	}
	r.inherit(call)
	if err := r.tag(call, in.Tags, in.TransitiveTagKeys); err != nil {
		return err
	}
	return r.prepareSource(call, in)
}

// prepareSource takes over the caller's source identity, which can't be changed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func (r *role) prepareSource(call *gateway.Call, in *sts.AssumeRoleInput) error {
	source := ""
	if s := call.Principal.Session; s != nil {
		source = s.SourceIdentity
	}
	if in.SourceIdentity != nil {
		if source != "" && source != *in.SourceIdentity {
			return r.denied(call, "sts:SetSourceIdentity")
		}
		source = *in.SourceIdentity
	}
	if source == "" {
		return nil
	}
	r.session.SourceIdentity = source
	r.further = append(r.further, "sts:SetSourceIdentity")
	call.Condition("sts:SourceIdentity", source)
	return nil
}

func (r *role) denied(call *gateway.Call, action string) error {
	return &aws.Error{Kind: aws.AccessDenied,
		Message: "User: " + call.Principal.ARN + " is not authorized to perform: " + action + " on resource: " + r.arn}
}

func (s *Service) assumeRole(_ context.Context, call *gateway.Call, r *role, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	call.Touched(r.arn, r.account, "AWS::IAM::Role")
	call.Shared(r.account)
	lifetime, err := r.lifetime(call, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	if err := s.limit(call, &r.draft, r.account, in.Policy, in.PolicyArns); err != nil {
		return nil, err
	}
	r.session.RoleID = r.id
	p := &aws.Principal{
		Kind: aws.AssumedRole, Partition: call.Partition, Account: r.account, Session: r.session,
		ARN: sessionARN(call.Partition, r.account, r.name, in.RoleSessionName),
		ID:  r.id + ":" + in.RoleSessionName,
	}
	credentials, percent, err := s.credentials(call, p, lifetime)
	if err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleOutput{
		Credentials:     credentials,
		AssumedRoleUser: &sts.AssumedRoleUser{AssumedRoleId: p.ID, Arn: p.ARN},
	}
	if len(r.session.Policies)+len(r.session.PolicyARNs)+len(r.session.Tags) > 0 {
		out.PackedPolicySize = new(int32(percent))
	}
	if r.session.SourceIdentity != "" {
		out.SourceIdentity = &r.session.SourceIdentity
	}
	return out, nil
}

// lifetime is how long the session will live. A session that assumes a role
// gets an hour at most, whatever the role says.
func (r *role) lifetime(call *gateway.Call, seconds *int32) (time.Duration, error) {
	if seconds == nil {
		return roleDefault, nil
	}
	asked := time.Duration(*seconds) * time.Second
	switch {
	case call.Principal.Session != nil && asked > chainLongest:
		return 0, validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case asked > r.longest:
		return 0, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return asked, nil
}

func validation(message string) error { return &aws.Error{Kind: aws.Validation, Message: message} }
