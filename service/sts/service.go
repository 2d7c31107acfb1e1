// Package sts is the AWS Security Token Service: it tells callers who they are
// and makes temporary credentials. A session token is sealed and holds all that
// its session is, so that opening one (gateway.Sessions) reads nothing.
package sts

import (
	"context"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/gateway"
)

// Sealer seals session tokens, bound to a purpose and to additional data.
// Keyring implements it. What doesn't open is an error, whatever is wrong with it.
type Sealer interface {
	SealToken(purpose string, aad, plaintext []byte) ([]byte, error)
	OpenToken(purpose string, aad, token []byte) ([]byte, error)
}

// Service is STS. It holds no state but a cache and is safe for concurrent use.
type Service struct {
	sealer Sealer
	roles  Roles
	right  func() bool
	opened openedTokens
}

// New makes a Service that finds roles through roles. right tells whether this
// machine's clock is: while it is not, no session is made, for its times would
// not be those that other machines take them for.
func New(sealer Sealer, roles Roles, right func() bool) *Service {
	return &Service{sealer: sealer, roles: roles, right: right}
}

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Free(sts.GetCallerIdentity, "AWS answers it whatever the policies say, a Deny of sts:GetCallerIdentity included "+
			"(https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)", s.getCallerIdentity),
		gateway.Free(sts.GetSessionToken, "it proves who the caller is already, and policies can't control that "+
			"(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html)", s.getSessionToken),
		gateway.Op(sts.GetAccessKeyInfo, gateway.Account[sts.GetAccessKeyInfoInput], s.getAccessKeyInfo),
		gateway.Op(sts.DecodeAuthorizationMessage, gateway.Account[sts.DecodeAuthorizationMessageInput], s.decodeAuthorizationMessage),
		gateway.Op(sts.AssumeRole, s.roleToAssume, s.assumeRole),
		gateway.Op(sts.AssumeRoot, s.rootToAssume, s.assumeRoot),
		gateway.Op(sts.GetFederationToken, userToFederate, s.getFederationToken),
	}
}

func (s *Service) getCallerIdentity(_ context.Context, call *gateway.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	p := call.Principal
	return &sts.GetCallerIdentityOutput{UserId: &p.ID, Account: &p.Account, Arn: &p.ARN}, nil
}
