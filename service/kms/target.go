package kms

import (
	"strconv"

	"github.com/garrison-security/garrison/gateway"
)

// keyType is how records name the type of a key, and of an alias.
const keyType = "AWS::KMS::Key"

// named finds the key that a call names and says so in the record. What every
// decision of KMS's may ask for is set here.
func (s *Service) named(call *gateway.Call, text string, aliases bool) (*named, error) {
	s.conditions(call)
	n, err := find(call, text, aliases)
	if n == nil || n.Key == nil {
		return nil, err
	}
	s.touch(call, n)
	return n, err
}

// conditions sets the condition keys of every call.
func (s *Service) conditions(call *gateway.Call) {
	call.Condition("kms:CallerAccount", call.Account)
	if call.Via != "" {
		call.Condition("kms:ViaService", viaService(call))
	}
}

// ofAccount is the target of operations on the account as a whole.
func ofAccount[In any](call *gateway.Call, _ *In) (gateway.Anything, error) {
	call.Condition("kms:CallerAccount", call.Account)
	return "", nil
}

// touch writes a key down as one that the call acts on, in its owner's record too.
func (s *Service) touch(call *gateway.Call, n *named) {
	n.grants = s
	if n.missing {
		return
	}
	call.Touched(n.Arn, n.account, keyType)
	if n.account != call.Account {
		call.Shared(n.account)
	}
}

// own finds a key that the caller's account must own: another's does not exist for it.
func (s *Service) own(call *gateway.Call, text string) (*named, error) {
	n, err := s.named(call, text, false)
	if n != nil && n.account != call.Account {
		n.absent(n.ID, n.Arn)
		err = notFound("Key '%s' does not exist", n.Arn)
	}
	return n, err
}

// managed finds the key that an operation manages, by id or ARN, in the caller's own account.
func managed[In any](s *Service, id func(*In) string) gateway.Target[In, *named] {
	return func(call *gateway.Call, in *In) (*named, error) { return s.own(call, id(in)) }
}

// onGrants finds the key whose grants an operation lists or revokes, in whatever account.
func onGrants[In any](s *Service, id func(*In) string) gateway.Target[In, *named] {
	return func(call *gateway.Call, in *In) (*named, error) {
		call.Condition("kms:GrantIsForAWSResource", strconv.FormatBool(call.Via != ""))
		return s.named(call, id(in), false)
	}
}

// shared finds the key that an operation manages, by id or ARN, in whatever account.
func shared[In any](s *Service, id func(*In) string) gateway.Target[In, *named] {
	return func(call *gateway.Call, in *In) (*named, error) { return s.named(call, id(in), false) }
}
