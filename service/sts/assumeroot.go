package sts

import (
	"context"
	"time"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// rootLongest is how long a session of a member's root lives, unless it is to live shorter.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
const rootLongest = 15 * time.Minute

// memberRoot is the root of a member account, to be assumed for a task.
type memberRoot struct {
	arn, account string
	open         *policy.Policy
}

// ARN implements gateway.Resource.
func (r *memberRoot) ARN() string { return r.arn }

// ResourceAccount implements gateway.Owned.
func (r *memberRoot) ResourceAccount() string { return r.account }

// ResourcePolicy implements gateway.Governed: the organisation lets the account
// that administers its members' roots in, and nobody else.
func (r *memberRoot) ResourcePolicy() *policy.Policy { return r.open }

// toAccount lets in those of an account whom their own policies let.
func toAccount(account string) *policy.Policy {
	return policy.Compile(&policy.Document{Kind: policy.Resource, Version: "2012-10-17", Statements: []policy.Statement{{
		Principal: &policy.Principals{AWS: []string{account}}, Actions: []string{"sts:AssumeRoot"}, Resources: []string{"*"},
	}}}, "")
}

// rootToAssume finds whose root is to be assumed. Whoever may not is told the
// same of every account.
func (s *Service) rootToAssume(call *gateway.Call, in *sts.AssumeRootInput) (*memberRoot, error) {
	account := in.TargetPrincipal
	if !aws.IsAccount(account) {
		arn, err := aws.ParseARN(account)
		if err != nil || arn.Partition != call.Partition || arn.Service != "iam" || arn.Region != "" || arn.Resource != "root" || !aws.IsAccount(arn.Account) {
			return nil, validation(in.TargetPrincipal + " is invalid")
		}
		account = arn.Account
	}
	task := in.TaskPolicyArn.Arn
	switch {
	case !s.roles.RootTask(call.Partition, task):
		return nil, validation("Policy " + task + " is not a task policy.")
	case call.Principal.Kind == aws.Root:
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "Roots may not be assumed by root accounts."}
	}
	call.Condition("sts:TaskPolicyArn", task)
	r := &memberRoot{arn: rootARN(call.Partition, account), account: account, open: nobody}
	may, err := s.roles.MayAssumeRoot(call.Tx, call.Account, account, task)
	if err != nil {
		return nil, err
	}
	if may {
		r.open = toAccount(call.Account)
	}
	return r, nil
}

// assumeRoot makes a session of a member's root that may do what its task is, and nothing else.
func (s *Service) assumeRoot(_ context.Context, call *gateway.Call, r *memberRoot, in *sts.AssumeRootInput) (*sts.AssumeRootOutput, error) {
	call.Shared(r.account)
	lifetime := rootLongest
	if in.DurationSeconds != nil {
		lifetime = time.Duration(*in.DurationSeconds) * time.Second
	}
	session := &aws.Session{TaskPolicy: in.TaskPolicyArn.Arn}
	if caller := call.Principal.Session; caller != nil {
		session.SourceIdentity = caller.SourceIdentity
	}
	credentials, _, err := s.credentials(call, &aws.Principal{
		Kind: aws.Root, Partition: call.Partition, Account: r.account, ARN: r.arn, ID: r.account, Session: session,
	}, lifetime)
	if err != nil {
		return nil, err
	}
	out := &sts.AssumeRootOutput{Credentials: credentials}
	if session.SourceIdentity != "" {
		out.SourceIdentity = &session.SourceIdentity
	}
	return out, nil
}
