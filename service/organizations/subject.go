package organizations

import (
	"errors"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// access is who may call an operation.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html
type access uint8

const (
	anyMember  access = iota // any account of the organisation
	management               // the management account alone
	delegated                // that, and whom the delegation policy lets
	reading                  // those, and the delegated administrators of any service
)

// subject is what a call acts on, as callers are authorised on it. Which
// fields are set is the operation's.
type subject struct {
	name       string // ARN, or "*"
	owner      string // the account
	tags       []Tag
	delegation *policy.Policy
	further    []gateway.Authorization

	org       *Organization
	caller    *Member // the calling account's
	member    *Member
	unit      *Unit
	policy    *Policy
	handshake *Handshake
	request   *Request
	target    string // the id of a root, unit or account
	parent    string // likewise
	doomed    api.CreateAccountFailureReason
}

// ARN implements gateway.Resource.
func (t *subject) ARN() string { return t.name }

// ResourceAccount implements gateway.Owned.
func (t *subject) ResourceAccount() string { return t.owner }

// ResourcePolicy implements gateway.Governed.
func (t *subject) ResourcePolicy() *policy.Policy { return t.delegation }

// ResourceTags implements gateway.Tagged.
func (t *subject) ResourceTags() map[string]string { return tagMap(t.tags) }

// Further implements gateway.Compound.
func (t *subject) Further() []gateway.Authorization { return t.further }

// also asks for an action on something else of the same owner.
func (t *subject) also(action, arn string, tags []Tag) {
	t.further = append(t.further, gateway.Authorization{
		Action: action, On: &subject{name: arn, owner: t.owner, delegation: t.delegation, tags: tags},
	})
}

// subject begins a target: it finds the organisation, and on whose terms the
// caller acts in it. What every member may do is decided by the caller's own
// policies alone; else what a member acts on is the management account's, and
// the delegation policy has to let it through besides.
func (s *Service) subject(call *gateway.Call, who access) (*subject, error) {
	t := &subject{name: "*", owner: call.Account}
	place, err := placeOf(call.Tx, call.Account)
	if err != nil {
		return nil, err
	}
	if place.Organization == "" {
		return t, errNotInUse
	}
	if t.org, err = organizations.Get(call.Tx, place.Management); err != nil {
		return nil, err
	}
	if t.caller, err = members.Get(call.Tx, place.Management, call.Account); err != nil {
		return nil, err
	}
	if call.Account == t.org.Management || who == anyMember {
		return t, nil
	}
	if who == management {
		return t, errNotYours
	}
	t.owner, t.delegation = t.org.Management, t.org.delegation()
	if who == reading && len(t.caller.Delegated) > 0 {
		t.delegation, err = t.org.readable(call.Account)
	}
	return t, err
}

// whole is the target of operations on the organisation as a whole.
func whole[In any](s *Service, who access) gateway.Target[In, *subject] {
	return func(call *gateway.Call, _ *In) (*subject, error) { return s.subject(call, who) }
}

// absent is err, or what to say of something that does not exist.
func absent(err, missing error) error {
	if errors.Is(err, store.ErrNotFound) {
		return missing
	}
	return err
}
