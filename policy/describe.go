package policy

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// SetPrincipal sets the keys that who calls tells of itself; nil is anonymous.
// What its kind has not, or the principal does not say, stays absent. An AWS
// service is told by its name alone.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
func (c *Context) SetPrincipal(p *aws.Principal) {
	if p == nil || p.Kind == aws.Anonymous {
		c.Set("aws:PrincipalType", "Anonymous")
		c.Set("aws:PrincipalAccount", "anonymous")
		c.Set("aws:userid", "anonymous")
		return
	}
	c.SetBool("aws:PrincipalIsAWSService", p.Kind == aws.ServiceCaller)
	if p.Kind == aws.ServiceCaller {
		c.setKnown("aws:PrincipalServiceName", p.Name)
		if p.Name != "" {
			c.SetList("aws:PrincipalServiceNamesList", p.Name)
		}
		return
	}
	c.setKnown("aws:PrincipalAccount", p.Account)
	c.setKnown("aws:PrincipalArn", principalARN(p))
	c.setKnown("aws:userid", p.ID)
	switch p.Kind {
	case aws.Root:
		c.Set("aws:PrincipalType", "Account")
		if p.Session != nil && p.Session.TaskPolicy != "" {
			c.SetBool("aws:AssumedRoot", true)
		}
	case aws.User:
		c.Set("aws:PrincipalType", "User")
		c.setKnown("aws:username", p.Name)
	case aws.AssumedRole:
		c.Set("aws:PrincipalType", "AssumedRole")
	case aws.FederatedUser:
		c.Set("aws:PrincipalType", "FederatedUser")
	}
}

// SetCaller sets the keys that a request's caller tells of itself, as
// SetPrincipal does. Of whom an identity provider speaks there is nothing to
// tell; a service's name may be a provider's, too, and then the action decides.
func (c *Context) SetCaller(r *Request) {
	if r.Principal == nil && r.Provider != "" || r.Principal != nil && r.Principal.Kind == aws.ServiceCaller && strings.HasPrefix(lowerASCII(r.Action), "sts:assumerolewith") {
		return
	}
	c.SetPrincipal(r.Principal)
}

// setKnown sets a key that has a value.
func (c *Context) setKnown(key, value string) {
	if value != "" {
		c.Set(key, value)
	}
}

// principalARN is aws:PrincipalArn: of a role's session the role's, which has
// no path where the session's own ARN is all that is known.
func principalARN(p *aws.Principal) string {
	if p.Session != nil && p.Session.RoleARN != "" {
		return p.Session.RoleARN
	}
	_, session, ok := strings.Cut(p.ARN, ":assumed-role/")
	if p.Kind != aws.AssumedRole || !ok {
		return p.ARN
	}
	role, _, _ := strings.Cut(session, "/")
	return "arn:" + p.Partition + ":iam::" + p.Account + ":role/" + role
}
