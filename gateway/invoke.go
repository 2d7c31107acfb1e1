package gateway

import (
	"context"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Invoke makes a call in process, on the same path as one from the wire but
// for the signature: principal is taken at its word. Its input is validated,
// its caller authorised, and the call recorded.
func Invoke[In, Out any](ctx context.Context, g *Gateway, principal *aws.Principal, op aws.Op[In, Out], in *In) (*Out, error) {
	return InvokeIn(ctx, g, g.global, principal, op, in)
}

// InvokeIn is Invoke in a Region; a global service's calls take place in its own.
func InvokeIn[In, Out any](ctx context.Context, g *Gateway, region string, principal *aws.Principal, op aws.Op[In, Out], in *In) (*Out, error) {
	row := op.Row()
	r := newRequest(g.Clock())
	defer r.free()
	r.service, r.row, r.principal, r.in, r.decoded = row.Service, row, principal, in, true
	r.operation, r.protocol, r.region = g.operations[operationName{row.Service.Name, row.Name}], row.Service.Protocols[0], g.region(row.Service, region)
	r.match.Operation = row.Name
	r.decodeErr = wire.Validate(row, in)
	o := g.perform(ctx, r)
	if o.err != nil {
		return nil, o.err
	}
	return o.out.(*Out), nil
}
