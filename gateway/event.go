package gateway

import (
	"errors"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/trail"
	"github.com/garrison-security/garrison/wire/record"
	"github.com/garrison-security/garrison/wire/route"
)

// finish fills in the event of a call that came to an outcome. What the
// operation itself noted (resources, additional data) stays, but for a refused
// call, which touched nothing.
func (g *Gateway) finish(r *request, o *outcome) {
	e := o.event
	e.UserIdentity = trail.Identity(o.principal)
	e.EventTime = r.now
	e.EventSource = r.eventSource()
	e.EventName = r.match.Operation
	e.AWSRegion = r.region
	e.SourceIPAddress = r.from.source()
	e.UserAgent = r.from.userAgent
	e.RequestID = r.id
	e.ManagementEvent = true
	e.RecipientAccountID = o.account
	if r.row != nil {
		e.EventName = r.row.EventName
		e.ReadOnly = r.row.ReadOnly
		e.ManagementEvent = !r.row.DataEvent
		if r.form != nil {
			e.EventName = route.PostObject
		}
	}
	if r.from.tlsVersion != "" { // not where a proxy holds the client's connection
		e.TLSDetails = &trail.TLSDetails{
			TLSVersion: r.from.tlsVersion, CipherSuite: r.from.cipher, ClientProvidedHostHeader: r.from.host,
		}
	}
	if r.in != nil && r.decodeErr == nil {
		e.RequestParameters = record.Request(nil, r.row, r.in)
	}
	if o.err != nil {
		describeRefusal(e, r.protocol, o.err)
		return
	}
	if r.operation.recordsAnswer {
		e.ResponseElements = record.Response(nil, r.row, o.out)
	}
}

// withheld reports whether the record of a refused call has no parameters. AWS
// leaves them out of access denials, but for EC2 and for services that speak REST.
func withheld(p aws.Protocol, err error) bool {
	e, ok := errors.AsType[*aws.Error](err)
	return ok && e.Kind == aws.AccessDenied && p != aws.EC2Query && p != aws.RESTJSON && p != aws.RESTXML
}

// recordsAnswer reports whether records of op have responseElements: those of
// calls that change something, and those of STS that hand out credentials,
// read-only as AWS calls them.
func recordsAnswer(op *aws.Operation) bool {
	if !op.ReadOnly || op.Output == nil || op.Service.Name != "sts" {
		return !op.ReadOnly
	}
	return slices.ContainsFunc(op.Output.Members, func(m *aws.Member) bool { return m.Name == "Credentials" })
}

// eventMessage is the text of an error as its caller sees it; nothing of an internal one.
func eventMessage(err error) string {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e.Message
	}
	if e, ok := errors.AsType[aws.Modelled](err); ok {
		return e.ErrorText()
	}
	return ""
}

// eventSource is the service as records name it.
func (r *request) eventSource() string {
	if r.service != nil {
		return r.service.EventSource
	}
	prefix := r.match.Service.EndpointPrefix
	if i := strings.LastIndexByte(prefix, '.'); i >= 0 {
		prefix = prefix[i+1:]
	}
	return prefix + ".amazonaws.com"
}

// source is the caller's address as records name it.
func (o *origin) source() string {
	if o.address.IsValid() {
		return o.address.Unmap().String()
	}
	return "AWS Internal"
}

// sharedEvent is the event of a call as the account sees it whose resource it
// acted on: the caller is known by account and id alone.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/shared-event-ID.html
func sharedEvent(e *trail.Event, account string) *trail.Event {
	shared := *e
	shared.EventID = ""
	shared.RecipientAccountID = account
	shared.UserIdentity = trail.UserIdentity{
		Type: string(aws.AccountCaller), PrincipalID: e.UserIdentity.PrincipalID, AccountID: e.UserIdentity.AccountID,
	}
	return &shared
}
