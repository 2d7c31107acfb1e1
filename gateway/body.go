package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// Bounds on bodies that are read whole.
const (
	maxQueryBody = 1 << 20
	maxBody      = 8 << 20
)

// form is the body of a form, where it must be read to know what is asked for; else nil.
func (g *Gateway) form(r *request, held *int64) ([]byte, error) {
	if !g.router.WantsForm(r.wire) {
		return nil, nil
	}
	r.protocol = aws.AWSQuery // until it is routed
	body, err := g.readBody(r.wire, maxQueryBody, held)
	if body == nil {
		body = []byte{}
	}
	return body, err
}

// readBody reads a body whole, within a bound of its own and one shared by all.
func (g *Gateway) readBody(req *wire.Request, limit int64, held *int64) ([]byte, error) {
	if req.ContentLength == 0 || req.Body == nil {
		return nil, nil
	}
	expected := req.ContentLength
	if expected > limit {
		return nil, tooLarge(limit)
	}
	if expected < 0 {
		expected = limit
	}
	if !enter(&g.limits.bodies, expected, g.limits.BodyBytes) {
		return nil, busy()
	}
	*held += expected
	if req.ContentLength > 0 {
		body := make([]byte, req.ContentLength)
		if _, err := io.ReadFull(req.Body, body); err != nil {
			return nil, brokenBody(err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, limit+1))
	if err != nil {
		return nil, brokenBody(err)
	}
	if int64(len(body)) > limit {
		return nil, tooLarge(limit)
	}
	return body, nil
}

func tooLarge(limit int64) error {
	return &aws.Error{Kind: aws.TooLarge, Message: fmt.Sprintf("The request's body is larger than %d bytes.", limit)}
}

func busy() error {
	return &aws.Error{Kind: aws.Unavailable, Message: "Too many requests are being carried out. Try again."}
}

// brokenBody is the error for a body that did not arrive whole.
func brokenBody(err error) error {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e
	}
	return &aws.Error{Kind: aws.Serialization, Message: "The request's body did not arrive whole."}
}

// streamedBody is the body of a streaming operation, compared with what was
// signed as it is read.
func streamedBody(r *request) (io.Reader, error) {
	if !r.match.S3Family() {
		return bytes.NewReader(r.payload), nil
	}
	body, err := sigv4.NewBody(r.wire, r.signature)
	if err != nil {
		return nil, err
	}
	return body, nil
}

// checkedPayload is a body of S3's that was read whole, once it is what was signed.
func checkedPayload(r *request) ([]byte, error) {
	whole := *r.wire
	whole.Body = bytes.NewReader(r.payload)
	body, err := sigv4.NewBody(&whole, r.signature)
	if err != nil {
		return nil, err
	}
	payload, err := io.ReadAll(body)
	if err != nil {
		return nil, brokenBody(err)
	}
	return payload, nil
}
