package sts

import (
	"context"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// federatedUser is a federated user to be. It is no record: the name is whatever its maker gives it.
type federatedUser struct {
	arn string
	draft
}

// ARN implements gateway.Resource.
func (u *federatedUser) ARN() string { return u.arn }

// Further implements gateway.Compound.
func (u *federatedUser) Further() []gateway.Authorization { return u.furtherOn(u) }

func userToFederate(call *gateway.Call, in *sts.GetFederationTokenInput) (*federatedUser, error) {
	if err := longTerm(call); err != nil {
		return nil, err
	}
	u := &federatedUser{arn: federatedARN(call.Partition, call.Account, in.Name), draft: draft{session: &aws.Session{
		Name: in.Name, IssuerARN: call.Principal.ARN, IssuerID: call.Principal.ID,
	}}}
	if err := u.tag(call, in.Tags, nil); err != nil {
		return nil, err
	}
	return u, nil
}

// getFederationToken makes a session that may do what both its maker and the
// policies given here allow: without such policies nothing, but for what a
// resource's policy grants to the very session. It may not call IAM, nor STS:
// see policy.Decision.Barred.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func (s *Service) getFederationToken(_ context.Context, call *gateway.Call, u *federatedUser, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	if err := s.limit(call, &u.draft, call.Account, in.Policy, in.PolicyArns); err != nil {
		return nil, err
	}
	p := &aws.Principal{
		Kind: aws.FederatedUser, Partition: call.Partition, Account: call.Account, Session: u.session,
		ARN: u.arn, ID: call.Account + ":" + in.Name,
	}
	credentials, percent, err := s.credentials(call, p, tokenLifetime(call.Principal, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &sts.GetFederationTokenOutput{
		Credentials:      credentials,
		FederatedUser:    &sts.FederatedUser{Arn: p.ARN, FederatedUserId: p.ID},
		PackedPolicySize: new(int32(percent)), // AWS answers 0 here, where AssumeRole's answer has none
	}, nil
}
