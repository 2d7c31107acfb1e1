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

// firstRoom is what a body is given before any of it has come; it then grows
// as it arrives, so that a length that is only claimed takes no room.
const firstRoom = 16 << 10

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

// readBody reads a body whole, within a bound of its own and one shared by all,
// of which held is what it took.
func (g *Gateway) readBody(req *wire.Request, limit int64, held *int64) ([]byte, error) {
	if req.ContentLength == 0 || req.Body == nil {
		return nil, nil
	}
	expected := req.ContentLength
	if expected > limit {
		return nil, tooLarge(limit)
	}
	receiving := g.limits.receiving.share(req.Remote.Addr())
	if !g.limits.receiving.enter(receiving, 1) {
		return nil, busy()
	}
	defer g.limits.receiving.leave(receiving, 1)

	most := limit + 1 // so that one that is too large shows
	if expected > 0 {
		most = expected
	}
	share := g.limits.bodies.share(req.Remote.Addr())
	var body []byte
	for {
		if len(body) == cap(body) {
			size := min(max(firstRoom, 4*int64(cap(body))), most)
			if !g.limits.bodies.enter(share, size-int64(cap(body))) {
				return nil, busy()
			}
			*held += size - int64(cap(body))
			larger := make([]byte, len(body), size)
			copy(larger, body)
			body = larger
		}
		n, err := req.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) == expected:
			return body, nil
		case int64(len(body)) > limit:
			return nil, tooLarge(limit)
		case errors.Is(err, io.EOF) && expected < 0:
			return body, nil
		case err != nil:
			return nil, brokenBody(err)
		}
	}
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
// signed as it is read. From here on it may take its time, at what stands
// before the path takes for a client's pace.
func streamedBody(r *request) (io.Reader, error) {
	if b, ok := r.wire.Body.(interface{ AnyLength() }); ok && r.match.S3Family() {
		b.AnyLength()
	}
	if r.form != nil {
		return r.form.File, nil
	}
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
