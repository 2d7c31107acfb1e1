package gateway

import (
	"context"
	"errors"
	"reflect"

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
// where c's call is refused. What it needs to have prepared is prepared outside
// the transaction, after which c's call is carried out again, or its preparation:
// either passes on the error that it is stopped with (Stopped).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
func (o *Operation) Forward(ctx context.Context, c *Call, via string, in any) (any, error) {
	inner := &Call{
		Tx: c.Tx, Time: c.Time, Principal: c.Principal, Account: c.Account, Partition: c.Partition, Region: c.Region,
		Operation: o.row, RequestID: trail.NewID(), Via: via, guardrails: c.guardrails, denials: c.denials, member: c.member, tags: c.tags,
		ownTagKey: o.ownTagKey, context: c.context, policies: c.policies, event: new(trail.Event),
	}
	if o.before != nil && o.when == nil {
		return nil, errors.New("gateway: " + o.row.Name + " is always prepared, and can't be forwarded")
	}
	err := wire.Validate(o.row, in)
	var out any
	if err == nil {
		out, err = o.runForwarded(ctx, c, inner, in)
	}
	if u := stopped(err); u != nil || unavailable(err) {
		return nil, err
	}
	inner.describe(o, in, out, err)
	c.forwarded = append(c.forwarded, inner)
	return out, err
}

// readied is what was prepared for an operation that a call forwards.
type readied struct {
	op       *Operation
	asked    any    // the input as it was given: targets may set defaults in it
	id       string // request id, which what was asked outside has been told
	prepared any
	err      error
}

// maxReadied is how often a call is begun anew for what it forwards.
const maxReadied = 8

// runForwarded carries out a forwarded operation with what was prepared for
// it. Inputs that are others than those it was prepared for have it prepared anew.
func (o *Operation) runForwarded(ctx context.Context, c, inner *Call, in any) (out any, err error) {
	index := len(c.forwarded)
	asked := reflect.ValueOf(in).Elem().Interface()
	if r := c.readied[index]; r != nil && r.op.row == o.row && reflect.DeepEqual(r.asked, asked) {
		inner.RequestID = r.id
		if r.err == nil {
			return o.run(ctx, inner, in, &r.prepared)
		}
		if _, err = o.find(inner, in); err == nil {
			err = r.err
		}
		return nil, err
	}
	out, err = o.run(ctx, inner, in, nil)
	if u := stopped(err); u != nil {
		u.index, u.op, u.call, u.in, u.asked = index, o, inner, in, asked
	}
	return out, err
}

// ready prepares, outside any transaction, the forwarded operation that stopped a call.
func (g *Gateway) ready(ctx context.Context, r *request, u *unprepared) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), prepareTime)
	defer cancel()
	u.call.Tx = nil
	done := &readied{op: u.op, asked: u.asked, id: u.call.RequestID}
	done.prepared, done.err = guard(g, r, func() (any, error) { return u.op.before(limited, u.call, u.on, u.in, nil) })
	if was := r.readied[u.index]; was != nil {
		wipe(was.prepared)
	}
	if r.readied == nil {
		r.readied = map[int]*readied{}
	}
	r.readied[u.index] = done
}

// wipe clears what was prepared for forwarded operations.
func (r *request) wipe() {
	for _, done := range r.readied {
		wipe(done.prepared)
	}
	r.readied = nil
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
