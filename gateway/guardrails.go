package gateway

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Guardrails knows what organisations impose on their accounts. Package
// service/organizations implements it; all it answers is read in tx, so that a
// guardrail binds every call that begins after it was set.
type Guardrails interface {
	// Membership is an account's place in its organisation; nil for an account of none.
	Membership(tx store.Tx, account string) (*Membership, error)
	// Limits appends to a list the policies of a kind, policy.SCP or policy.RCP, that are attached to a
	// member and to what it lies in, a list a level, from the root of the organisation down to the account.
	Limits(tx store.Tx, m *Membership, kind policy.Kind, to [][]*policy.Policy) ([][]*policy.Policy, error)
}

// Membership is an account's place in its organisation. It is shared and never changed.
type Membership struct {
	Account      string
	Organization string   // "o-a1b2c3d4e5"
	Management   string   // the management account, which no guardrail binds
	Levels       []string // ids, from the root to the account itself
	// Paths is the account's one path, as aws:PrincipalOrgPaths has it: "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/".
	Paths []string
	// Closed: the account's credentials, and what it owns, are refused everywhere.
	Closed bool
}

// bound tells whether guardrails bind the account.
func (m *Membership) bound() bool { return m != nil && m.Account != m.Management }

// membership is an account's place; nil where the installation knows no organisations.
func (c *Call) membership(account string) (*Membership, error) {
	switch {
	case c.guardrails == nil || !aws.IsAccount(account): // AWS's own belongs to no organisation
		return nil, nil
	case account == c.Account:
		return c.member, nil
	}
	return c.guardrails.Membership(c.Tx, account)
}

// enlist finds the caller's place, and with it the service control policies
// that bind the caller. A closed account's credentials are as good as none.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
func (c *Call) enlist() (err error) {
	if c.guardrails == nil || c.Account == "" {
		return nil
	}
	if c.member, err = c.guardrails.Membership(c.Tx, c.Account); err != nil || c.member == nil {
		return err
	}
	if c.member.Closed {
		return errUnknownKey
	}
	if c.member.bound() {
		c.policies.SCPs, err = c.guardrails.Limits(c.Tx, c.member, policy.SCP, c.policies.SCPs[:0])
	}
	return err
}

// Organization tells whether the call's account belongs to an organisation, and
// the service control policies that bind it, a list a level from the root of
// the organisation down: none bind the management account. They hold for as
// long as the call.
func (c *Call) Organization() (member bool, scps [][]*policy.Policy) {
	if c.member == nil {
		return false, nil
	}
	if c.member.bound() {
		scps = c.policies.SCPs
	}
	return true, scps
}

// guard finds the resource control policies that bind what an account owns, and
// sets the keys of its organisation. It answers the owner's place.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func (c *Call) guard(account string) (owner *Membership, err error) {
	c.policies.RCPs = c.policies.RCPs[:0]
	if owner, err = c.membership(account); err != nil || owner == nil {
		return nil, err
	}
	c.context.Set("aws:ResourceOrgID", owner.Organization)
	c.context.SetList("aws:ResourceOrgPaths", owner.Paths...)
	if owner.bound() {
		c.policies.RCPs, err = c.guardrails.Limits(c.Tx, owner, policy.RCP, c.policies.RCPs)
	}
	return owner, err
}

// sourceConditions sets the organisation of the account on whose behalf a service calls.
func (c *Call) sourceConditions() error {
	if c.guardrails == nil || c.Principal.Kind != aws.ServiceCaller {
		return nil
	}
	for i := range c.conditions {
		if k := &c.conditions[i]; k.key == "aws:SourceAccount" && !k.list {
			source, err := c.membership(k.value)
			if err != nil || source == nil {
				return err
			}
			c.context.Set("aws:SourceOrgID", source.Organization)
			c.context.SetList("aws:SourceOrgPaths", source.Paths...)
		}
	}
	return nil
}
