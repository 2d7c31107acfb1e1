package gateway

import (
	"net/netip"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/post"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// authorizeOperation asks the policies for the operation's own action on the
// target, then for whatever the target or the input's parameters need besides.
func (c *Call) authorizeOperation(on Resource) error {
	if asking, ok := on.(Asking); ok {
		for _, own := range asking.Asks() {
			if err := c.Authorize(own.Action, own.On, own.Conditions...); err != nil {
				return err
			}
		}
	} else {
		for _, action := range c.Operation.Actions {
			if err := c.Authorize(action, on); err != nil {
				return err
			}
		}
	}
	if compound, ok := on.(Compound); ok {
		for _, further := range compound.Further() {
			if err := c.Authorize(further.Action, further.On, further.Conditions...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Authorize asks the policies whether the caller may perform action on a
// resource. Conditions, as key, value, key, value …, hold for this question
// alone. Handlers need it only for what no target could know.
func (c *Call) Authorize(action string, on Resource, conditions ...string) error {
	q := policy.Request{Action: action, Resource: on.ARN(), Principal: c.Principal, Context: c.context}
	p := c.policies
	p.Resource = nil
	if owned, ok := on.(Owned); ok {
		q.ResourceAccount = owned.ResourceAccount()
	}
	if governed, ok := on.(Governed); ok {
		p.Resource = governed.ResourcePolicy()
	}
	c.context.Reset()
	c.requestConditions()
	for _, set := range c.conditions {
		set.apply(c.context)
	}
	account := q.ResourceAccount
	if account == "" {
		account = c.Account
	}
	c.resourceConditions(on, account)
	owner, err := c.guard(account)
	if err == nil {
		err = c.sourceConditions()
	}
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(conditions); i += 2 {
		c.context.Set(conditions[i], conditions[i+1])
	}
	decision, err := c.decide(&q, on, owner)
	if err != nil || decision.Allowed {
		return err
	}
	if decision.Barred && strings.HasPrefix(action, "iam:") {
		return errSessionKey
	}
	if decision.By == policy.RCP && (c.member == nil || c.member.Organization != owner.Organization) {
		decision.PolicyID = "" // the policies of other organisations are not named
	}
	if shown, ok := on.(Shown); ok {
		q.Resource = shown.ShownARN()
	}
	text := decision.Message(&q)
	if c.encodes() {
		if text, err = c.encoded(text, decision, &q, on); err != nil {
			return err
		}
	}
	return &aws.Error{Kind: aws.AccessDenied, Message: text}
}

// decide asks the policies, and then, where they don't deny, the resource's
// grants. What a closed account owns is nobody's to use.
func (c *Call) decide(q *policy.Request, on Resource, owner *Membership) (policy.Decision, error) {
	if owner != nil && owner.Closed {
		return policy.Decision{By: policy.Resource, Statement: -1}, nil
	}
	decision := policy.Decide(q, c.policies)
	granting, ok := on.(Granting)
	if !ok || decision.Allowed || decision.Explicit {
		return decision, nil
	}
	var err error
	if c.policies.Granted, err = granting.Granted(c, q.Action); err != nil || !c.policies.Granted {
		return decision, err
	}
	decision = policy.Decide(q, c.policies)
	c.policies.Granted = false
	return decision, nil
}

// errSessionKey is how IAM refuses the credentials of a session that may not
// call it at all: it does not know such keys
// (aws/aws-sdk-js, issue 460; cloudyr/aws.iam, issue 15).
var errSessionKey = &aws.Error{Kind: aws.UnknownKey, Message: "The security token included in the request is invalid"}

// resourceConditions sets the keys that describe the resource.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resource-properties
func (c *Call) resourceConditions(on Resource, account string) {
	if account != "" {
		c.context.Set("aws:ResourceAccount", account)
	}
	if c.Operation.Service.ActionPrefix == "s3" {
		c.s3Conditions(account)
	}
	if described, ok := on.(Described); ok {
		described.Describe(c.context)
	}
	if tagged, ok := on.(Tagged); ok {
		for key, value := range tagged.ResourceTags() {
			c.context.SetTag("aws:ResourceTag/", key, value)
			if c.ownTagKey {
				c.context.SetTag(c.Operation.Service.ActionPrefix+":ResourceTag/", key, value)
			}
		}
	}
}

// requestConditions sets the keys that describe the caller and the network,
// each exactly when AWS documents it to be there.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (c *Call) requestConditions() {
	x, from := c.context, &c.from
	x.SetTime("aws:CurrentTime", c.Time)
	x.SetNumber("aws:EpochTime", float64(c.Time.Unix()))
	x.SetBool("aws:SecureTransport", from.secure || c.Via != "")
	x.SetBool("aws:ViaAWSService", c.Via != "")
	if c.Via != "" {
		x.SetList("aws:CalledVia", c.Via)
		x.Set("aws:CalledViaFirst", c.Via)
		x.Set("aws:CalledViaLast", c.Via)
	}
	x.Set("aws:RequestedRegion", c.Region)
	if from.address.IsValid() {
		x.SetAddr("aws:SourceIp", from.address)
	}
	if from.userAgent != "" {
		x.Set("aws:UserAgent", from.userAgent)
	}
	if from.referer != "" {
		x.Set("aws:referer", from.referer)
	}
	p := c.Principal
	x.SetPrincipal(p)
	if p == nil || p.Kind == aws.Anonymous || p.Kind == aws.ServiceCaller {
		return
	}
	for key, value := range c.tags {
		x.SetTag("aws:PrincipalTag/", key, value)
	}
	if m := c.member; m != nil {
		x.Set("aws:PrincipalOrgID", m.Organization)
		x.SetList("aws:PrincipalOrgPaths", m.Paths...)
	}
	if s := p.Session; s != nil {
		x.SetTime("aws:TokenIssueTime", s.IssuedAt)
		x.SetBool("aws:MultiFactorAuthPresent", !s.MFAAt.IsZero())
		if s.TaskPolicy != "" {
			x.SetBool("aws:AssumedRoot", true)
		}
		if !s.MFAAt.IsZero() {
			x.SetNumber("aws:MultiFactorAuthAge", float64(c.Time.Sub(s.MFAAt)/time.Second))
		}
		if s.SourceIdentity != "" {
			x.Set("aws:SourceIdentity", s.SourceIdentity)
		}
		if s.Provider != "" {
			x.Set("aws:FederatedProvider", s.Provider)
		}
	}
}

// origin is where a call comes from.
type origin struct {
	request            *wire.Request // nil: made in process
	form               *post.Form    // nil: none of a browser's
	address            netip.Addr
	secure             bool
	userAgent, referer string
	host               string // as the client named it
	tlsVersion, cipher string
	signature          *sigv4.Signature // nil: nobody signed, or the call is made in process
}
