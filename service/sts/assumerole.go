package sts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
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

	session *aws.Session // the session to be
	further []string     // actions that it needs besides
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
func (r *role) Further() []gateway.Authorization {
	var all []gateway.Authorization
	for _, action := range r.further {
		all = append(all, gateway.Authorization{Action: action, On: r})
	}
	return all
}

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
// conditions that trust policies ask for.
func (s *Service) roleToAssume(call *gateway.Call, in *sts.AssumeRoleInput) (*role, error) {
	arn, err := aws.ParseARN(in.RoleArn)
	if err != nil || !aws.IsAccount(arn.Account) || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") || strings.HasSuffix(in.RoleArn, "/") {
		return nil, validation(in.RoleArn + " is invalid")
	}
	switch {
	case in.SerialNumber != nil:
		return nil, gateway.NotImplemented(call.Operation, "SerialNumber")
	case in.TokenCode != nil:
		return nil, gateway.NotImplemented(call.Operation, "TokenCode")
	case len(in.ProvidedContexts) > 0:
		return nil, gateway.NotImplemented(call.Operation, "ProvidedContexts")
	case call.Principal.Kind == aws.Root:
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "Roles may not be assumed by root accounts."}
	}
	r := &role{arn: in.RoleArn, account: arn.Account, name: in.RoleArn[strings.LastIndexByte(in.RoleArn, '/')+1:], trust: nobody}
	if err := r.prepare(call, in); err != nil {
		return nil, err
	}
	id, tags, trust, longest, err := s.roles.AssumableRole(call.Tx, in.RoleArn)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, r.denied(call, "sts:AssumeRole") // for whom an own policy would let in where no trust policy is asked
	case err != nil:
		return nil, err
	}
	r.id, r.tags, r.longest = id, tags, longest
	if trust != nil {
		r.trust = trust
	}
	for key, value := range tags {
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
	if err := r.prepareTags(call, in); err != nil {
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
	if err := s.sessionPolicies(call, r, in); err != nil {
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
	if percent > 0 {
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
	case asked < 15*time.Minute:
		return 0, validation(fmt.Sprintf("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", *seconds))
	case call.Principal.Session != nil && asked > chainLongest:
		return 0, validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case asked > r.longest:
		return 0, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return asked, nil
}

// sessionPolicies checks and takes over the policies that are to limit the session.
func (s *Service) sessionPolicies(call *gateway.Call, r *role, in *sts.AssumeRoleInput) error {
	plain := 0
	if in.Policy != nil {
		plain = len([]rune(*in.Policy))
		if _, err := policy.Parse([]byte(*in.Policy), policy.Session); err != nil {
			return &sts.MalformedPolicyDocumentException{Message: err.Error()}
		}
		r.session.Policies = []string{*in.Policy}
	}
	if len(in.PolicyArns) > 10 {
		return validation("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10")
	}
	for _, d := range in.PolicyArns {
		if d.Arn == nil {
			return validation("1 validation error detected: Value at 'policyArns.1.member.arn' failed to satisfy constraint: Member must not be null")
		}
		plain += len(*d.Arn)
		exists, err := s.roles.ManagedPolicyExists(call.Tx, call.Partition, r.account, *d.Arn)
		if err != nil {
			return err
		}
		if !exists {
			return validation("Policy " + *d.Arn + " does not exist or is not attachable.")
		}
		if !slices.Contains(r.session.PolicyARNs, *d.Arn) {
			r.session.PolicyARNs = append(r.session.PolicyARNs, *d.Arn)
		}
	}
	if plain > 2048 {
		return tooLarge(100 * plain / 2048)
	}
	return nil
}

// credentials makes a session's key, secret and token. Percent is the share of
// the space for policies and tags that it takes.
func (s *Service) credentials(call *gateway.Call, p *aws.Principal, lifetime time.Duration) (out *sts.Credentials, percent int, err error) {
	packed, percent, err := pack(p.Session)
	if err != nil {
		return nil, 0, err
	}
	p.AccessKeyID = aws.NewAccessKeyID("ASIA", p.Account)
	p.Session.IssuedAt = call.Time.UTC().Truncate(time.Second)
	p.Session.ExpiresAt = p.Session.IssuedAt.Add(lifetime)
	secret := make([]byte, secretBytes)
	rand.Read(secret)
	token, err := s.seal(p, secret, packed)
	if err != nil {
		return nil, 0, err
	}
	return &sts.Credentials{
		AccessKeyId: p.AccessKeyID, SecretAccessKey: base64.StdEncoding.EncodeToString(secret),
		SessionToken: token, Expiration: p.Session.ExpiresAt,
	}, percent, nil
}

func validation(message string) error { return &aws.Error{Kind: aws.Validation, Message: message} }
