package kms

import (
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// Grant lets a principal use a key, as stored under Region, the key's id and its own.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
type Grant struct {
	ID         string // 64 hexadecimal digits
	KeyID      string
	Region     string
	Account    string // of the key
	Issuer     string // account of who made it
	Name       string `cbor:",omitempty"`
	Created    time.Time
	Grantee    Grantee
	Retiring   *Grantee `cbor:",omitempty"`
	Operations []kms.GrantOperation
	Equals     map[string]string `cbor:",omitempty"` // constraint: the encryption context is this
	Subset     map[string]string `cbor:",omitempty"` // constraint: the encryption context holds this
}

// Grantee is a principal that a grant names: by the ARN it was given, and a
// user or role by its unique id, so that whoever takes a deleted one's name has
// nothing of it.
type Grantee struct {
	ARN string
	ID  string `cbor:",omitempty"`
}

var (
	grantsByRetiring = &store.Index[Grant]{Name: "retiring", Global: true, Of: func(g *Grant, add func(...string)) {
		if g.Retiring != nil {
			add(g.Region, g.Retiring.ARN)
		}
	}}
	grantsByGrantee = &store.Index[Grant]{Name: "grantee", Of: func(g *Grant, add func(...string)) {
		add(g.Region, g.KeyID, g.Grantee.name())
	}}
	grants = store.NewTable[Grant]("kms/grant", grantsByRetiring, grantsByGrantee)
)

// name is what a principal that a grant names is found by.
func (g *Grantee) name() string {
	if g.ID != "" {
		return g.ID
	}
	return g.ARN
}

// is tells whether a caller is the principal: the very one, or a session of the role.
func (g *Grantee) is(p *aws.Principal) bool {
	for _, name := range namesOf(p) {
		if name == g.name() {
			return true
		}
	}
	return false
}

// namesOf are the names by which grants know a caller.
func namesOf(p *aws.Principal) []string {
	if p == nil {
		return nil
	}
	names := []string{p.ARN}
	switch {
	case p.Kind == aws.User:
		names = append(names, p.ID)
	case p.Kind == aws.AssumedRole && p.Session != nil && p.Session.RoleID != "":
		names = append(names, p.Session.RoleID)
	}
	return names
}

// principalARN is a caller as policies know it: of a role's session, the role.
func principalARN(p *aws.Principal) string {
	if p.Session != nil && p.Session.RoleARN != "" {
		return p.Session.RoleARN
	}
	return p.ARN
}

// operation is a grant operation by the action that it permits.
func operation(action string) kms.GrantOperation {
	return kms.GrantOperation(strings.TrimPrefix(action, "kms:"))
}

// permits tells whether the grant permits an operation with an encryption
// context. Constraints don't bear on operations that have no context.
func (g *Grant) permits(op kms.GrantOperation, context material.Context) bool {
	found := false
	for _, have := range g.Operations {
		found = found || have == op
	}
	if !found {
		return false
	}
	if op == kms.GrantOperationDescribeKey || op == kms.GrantOperationRetireGrant || op == kms.GrantOperationCreateGrant {
		return true // CreateGrant's own rule looks at the constraints of what is made
	}
	return g.constrained(context)
}

// constrained tells whether a context satisfies the grant's constraints.
func (g *Grant) constrained(context material.Context) bool {
	if g.Equals != nil && len(g.Equals) != len(context) {
		return false
	}
	return holds(context, g.Equals) && holds(context, g.Subset)
}

// holds tells whether a context has all pairs of a part.
func holds(context, part map[string]string) bool {
	for key, value := range part {
		if have, ok := context[key]; !ok || have != value {
			return false
		}
	}
	return true
}

// Granted implements gateway.Granting.
func (n *named) Granted(call *gateway.Call, action string) (bool, error) {
	if n.missing || n.grants == nil {
		return false, nil
	}
	return n.grantedBy(call, func(g *Grant) bool { return g.permits(operation(action), n.context) })
}

// grantedBy tells whether a grant of the key to the caller will do.
func (n *named) grantedBy(call *gateway.Call, will func(*Grant) bool) (bool, error) {
	for _, name := range namesOf(call.Principal) {
		for entry, err := range grants.ListBy(call.Tx, grantsByGrantee, n.account, nil, n.Region, n.ID, name) {
			if err != nil {
				return false, err
			}
			if will(entry.Value) {
				return true, nil
			}
		}
	}
	return false, nil
}
