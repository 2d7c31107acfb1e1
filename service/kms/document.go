package kms

import (
	"errors"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// policySize is the longest key policy, in bytes.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
const policySize = 32 << 10

// defaultPolicy is the policy of a key that is made without one: the account's
// own policies decide. AWS writes it so, white space included.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func defaultPolicy(partition, account string) *Document {
	return &Document{Text: `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:` + partition + `:iam::` + account + `:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`}
}

var errPrincipals = malformedPolicy("Policy contains a statement with one or more invalid principals.")

// savePolicy checks a key policy and answers it as it is stored: users and
// roles by their unique ids, so that whoever takes a deleted one's name is not let in.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
func (s *Service) savePolicy(call *gateway.Call, text string) (*Document, error) {
	if len(text) > policySize {
		return nil, limitExceeded("The key policy exceeds the maximum size of %d bytes.", policySize)
	}
	doc, err := policy.Parse([]byte(text), policy.Resource)
	if m, ok := errors.AsType[*policy.Malformed](err); ok {
		return nil, malformedPolicy(m.Message)
	}
	if err != nil {
		return nil, err
	}
	saved, err := doc.RewritePrincipals(func(p string) (string, error) { return s.savedPrincipal(call, p) })
	if err != nil {
		return nil, err
	}
	return &Document{Text: string(saved)}, nil
}

// savedPrincipal is a principal as it is stored. A user or role must exist,
// here. An account may be anyone's: one that is not of this installation can't
// call.
func (s *Service) savedPrincipal(call *gateway.Call, p string) (string, error) {
	if aws.IsAccount(p) {
		return p, nil
	}
	if isUniqueID(p) {
		_, err := s.Identities.PrincipalARN(call.Tx, p)
		return p, orInvalid(err)
	}
	arn, err := aws.ParseARN(p)
	if err != nil || arn.Partition != call.Partition {
		return "", errPrincipals
	}
	if arn.Service == "sts" || arn.Resource == "root" {
		return p, nil
	}
	id, err := s.Identities.PrincipalID(call.Tx, p)
	return id, orInvalid(err)
}

// orInvalid makes a principal that is not found an invalid one.
func orInvalid(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errPrincipals
	}
	return err
}

// shownPolicy is a policy as answers show it: with ARNs, but for principals
// that are gone, whose unique ids show.
func (s *Service) shownPolicy(tx store.Tx, d *Document) (string, error) {
	doc, err := policy.Read([]byte(d.Text), policy.Resource)
	if err != nil {
		return d.Text, nil
	}
	shown, err := doc.RewritePrincipals(func(p string) (string, error) {
		if !isUniqueID(p) {
			return p, nil
		}
		arn, err := s.Identities.PrincipalARN(tx, p)
		if errors.Is(err, store.ErrNotFound) {
			return p, nil
		}
		return arn, err
	})
	return string(shown), err
}

// isUniqueID tells the unique id of a user or role.
func isUniqueID(s string) bool {
	return strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")
}
