package gateway

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/record"
)

// Forward carries the operation out in the name of c's caller, as a part of
// c's call and of its transaction: a forward access session, by which S3 asks
// KMS for a data key. Via is the calling service ("s3.amazonaws.com"). The
// caller is authorised for the operation as for a call of its own, but that
// conditions see through which service it comes (aws:CalledVia, aws:ViaAWSService)
// and no network. It has an event of its own, which stands in the record also
// where c's call is refused. What needs preparation can't be forwarded.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
func (o *Operation) Forward(ctx context.Context, c *Call, via string, in any) (any, error) {
	inner := &Call{
		Tx: c.Tx, Time: c.Time, Principal: c.Principal, Account: c.Account, Partition: c.Partition, Region: c.Region,
		Operation: o.row, RequestID: trail.NewID(), Via: via, guardrails: c.guardrails, denials: c.denials, member: c.member, tags: c.tags,
		ownTagKey: o.ownTagKey, context: c.context, policies: c.policies, event: new(trail.Event),
	}
	if o.before != nil && o.when == nil {
		return nil, errors.New("gateway: " + o.row.Name + " is prepared, and can't be forwarded")
	}
	err := wire.Validate(o.row, in)
	var out any
	if err == nil {
		out, err = o.run(ctx, inner, in, nil)
	}
	if unavailable(err) || err == errUnprepared {
		return nil, err
	}
	inner.describe(o, in, out, err)
	c.forwarded = append(c.forwarded, inner)
	return out, err
}

// describe fills in the event of a forwarded call.
func (c *Call) describe(o *Operation, in, out any, err error) {
	e := c.event
	e.UserIdentity = trail.Identity(c.Principal)
	e.UserIdentity.InvokedBy = c.Via
	e.EventTime, e.EventSource, e.EventName, e.AWSRegion = c.Time, o.row.Service.EventSource, o.row.EventName, c.Region
	e.SourceIPAddress, e.UserAgent, e.RequestID = c.Via, c.Via, c.RequestID
	e.ReadOnly, e.ManagementEvent, e.RecipientAccountID = o.row.ReadOnly, !o.row.DataEvent, c.Account
	e.RequestParameters = record.Request(nil, o.row, in)
	if err != nil {
		c.shared = ""
		describeRefusal(e, o.row.Service.Protocols[0], err)
		return
	}
	if o.recordsAnswer {
		e.ResponseElements = record.Response(nil, o.row, out)
	}
}

// describeRefusal makes an event that of a refused call.
func describeRefusal(e *trail.Event, p aws.Protocol, err error) {
	e.Resources, e.ResponseElements = nil, nil
	if withheld(p, err) {
		e.RequestParameters = nil
	}
	e.ErrorCode, e.ErrorMessage = wire.EventErrorCode(p, err), eventMessage(err)
}

// appendEvents appends the event of a call, as its account has it and as the
// account does whose resource it acted on, after those of what it forwarded.
func (c *Call) appendEvents(tx store.Tx, account string) error {
	for _, inner := range c.forwarded {
		if err := inner.appendEvents(tx, inner.Account); err != nil {
			return err
		}
	}
	if c.shared != "" && c.shared != account && c.event.ErrorCode == "" {
		c.event.SharedEventID = trail.NewID()
		if err := trail.Append(tx, sharedEvent(c.event, c.shared)); err != nil {
			return err
		}
	}
	return trail.Append(tx, c.event)
}
