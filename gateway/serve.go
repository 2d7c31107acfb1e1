package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/route"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// Serve answers one request. It never fails: what goes wrong is an answer too.
func (g *Gateway) Serve(ctx context.Context, req *wire.Request) *wire.Response {
	return g.serve(ctx, req, nil)
}

// serve answers a request, or refuses it with fault in the form that it understands.
func (g *Gateway) serve(ctx context.Context, req *wire.Request, fault error) *wire.Response {
	r := newRequest(g.Clock())
	defer r.free()
	r.began, r.wire, r.from = time.Now(), req, originOf(req)
	body := int64(0)
	defer func() { g.limits.bodies.leave(g.limits.bodies.share(req.Remote.Addr()), body) }()
	if err := g.read(r, &body, fault); err != nil {
		return g.refuse(r, err)
	}
	release, ok := g.limits.place(r)
	if !ok {
		return g.refuse(r, busy())
	}
	defer release()
	if g.free.low(r.now) {
		return g.refuse(r, &aws.Error{Kind: aws.Unavailable, Message: "The store is short of space; nothing is changed until there is more."})
	}
	if g.cross != nil && r.match.Operation == route.Preflight {
		return g.preflight(ctx, r)
	}
	o := g.perform(ctx, r)
	if o.account == "" && o.err != nil {
		return g.refuse(r, o.err)
	}
	return g.answer(r, o)
}

// read finds out all that can be known of a request without the store: what it
// asks for, who claims to have signed it, and its body; or no more than fault.
func (g *Gateway) read(r *request, held *int64, fault error) error {
	req := r.wire
	form, err := g.form(r, held)
	if err != nil {
		return err
	}
	r.match, err = g.router.Route(req, form)
	r.protocol = r.match.Protocol
	if fault != nil {
		return fault
	}
	if err != nil {
		return err
	}
	r.service = g.models[r.match.Service.Name]
	if r.service != nil {
		r.row = r.service.Operation(r.match.Operation)
	}
	if r.match.Operation == route.PostObject {
		return g.readForm(r, held)
	}
	r.operation = g.operations[operationName{r.match.Service.Name, r.match.Operation}]
	s3 := r.match.S3Family()
	rules := sigv4.Rules{S3: s3, Skew: sigv4.DefaultSkew}
	if !s3 && r.protocol != aws.AWSQuery && r.protocol != aws.EC2Query {
		rules.Skew = sigv4.JSONSkew
	}
	if r.row != nil {
		rules.UnsignedBody = r.row.AllowUnsignedBody
	}
	if r.signature, err = sigv4.Parse(req, rules); err != nil {
		return err
	}
	r.from.signature = r.signature
	r.region = g.region(r.service, "")
	if r.signature != nil {
		r.admitted = r.signature.Admit(r.now, sigv4.Scope{Services: r.match.SigningNames(), Regions: g.Regions})
		r.region = g.region(r.service, r.signature.Region)
	}
	if form != nil {
		r.payload = form
	} else if !s3 || r.operation != nil && !r.operation.streams {
		if r.payload, err = g.readBody(req, maxBody, held); err != nil {
			return err
		}
	}
	if r.signature == nil {
		return nil
	}
	if r.admitted == nil {
		r.admitted = r.signature.Prepare(sha256.Sum256(r.payload))
	}
	return nil
}

// refuse answers a request that is charged to nobody, and counts it.
func (g *Gateway) refuse(r *request, err error) *wire.Response {
	g.Unattributed.Count(r.now, r.from.address, wire.EventErrorCode(r.protocol, err))
	return g.answer(r, outcome{err: err})
}

// answer encodes what a request came to.
func (g *Gateway) answer(r *request, o outcome) *wire.Response {
	a := &wire.Answer{Protocol: r.protocol, Service: r.service, Operation: r.row, Request: r.wire, RequestID: r.id}
	if r.match.S3Family() {
		a.HostID = hostID(r.id)
	}
	codec := codecs.For(r.protocol)
	if o.err == nil {
		to := &wire.Response{}
		err := codec.Encode(a, o.out, to)
		if err == nil {
			g.measures.count(r, nil, time.Since(r.began))
			if r.form != nil {
				r.form.Answer(r.wire, r.match.Bucket, to)
			}
			g.share(r, to)
			return named(a, to)
		}
		g.Log.Error("answer can't be encoded", "request", r.id, "operation", r.name(), "error", err)
		o.err = err
	} else if !visible(o.err) && !errors.Is(o.err, errPanic) {
		g.Log.Error("call failed", "request", r.id, "operation", r.name(), "error", o.err)
	}
	to := &wire.Response{}
	codec.EncodeError(a, o.err, to)
	g.measures.count(r, o.err, time.Since(r.began))
	g.share(r, to)
	return named(a, to)
}

// named puts the request's id on an answer, in the headers in which clients look for it.
func named(a *wire.Answer, to *wire.Response) *wire.Response {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	if a.HostID == "" {
		to.Header["X-Amzn-Requestid"] = []string{a.RequestID}
		return to
	}
	to.Header["X-Amz-Request-Id"] = []string{a.RequestID}
	to.Header["X-Amz-Id-2"] = []string{a.HostID}
	return to
}

// hostID is x-amz-id-2, which S3's clients print beside the request id.
func hostID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64Std(sum[:])
}
