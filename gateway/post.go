package gateway

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/post"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// formRoom is the memory that a form takes until its file begins.
const formRoom = 4 * post.MaxFields

// readForm reads a browser's form as far as its file. It stands for a
// PutObject, is authorised and carried out as one, and recorded as PostObject.
// Who signed it, and what it may hold, its policy says; a signature of the
// request itself would be a second one.
func (g *Gateway) readForm(r *request, held *int64) error {
	r.match.Operation = "PutObject"
	if r.service != nil {
		r.row = r.service.Operation(r.match.Operation)
	}
	r.operation = g.operations[operationName{r.match.Service.Name, r.match.Operation}]
	r.region = g.region(r.service, "")
	if of, err := sigv4.Parse(r.wire, sigv4.Rules{S3: true}); err != nil {
		return err
	} else if of != nil {
		return sigv4.BesidesForm()
	}
	if r.operation == nil {
		return nil
	}
	receiving, bodies := g.limits.receiving.share(r.wire.Remote.Addr()), g.limits.bodies.share(r.wire.Remote.Addr())
	if !g.limits.receiving.enter(receiving, 1) {
		return busy()
	}
	defer g.limits.receiving.leave(receiving, 1)
	if !g.limits.bodies.enter(bodies, formRoom) {
		return busy()
	}
	*held += formRoom
	var err error
	if r.form, err = post.Read(r.wire); err != nil {
		return err
	}
	r.from.form = r.form
	if r.signature, err = sigv4.ParsePost(r.form.Field); err != nil {
		return err
	}
	r.from.signature = r.signature
	if r.signature == nil {
		return nil
	}
	r.region = g.region(r.service, r.signature.Region)
	if r.admitted = r.signature.Admit(r.now, sigv4.Scope{Services: r.match.SigningNames(), Regions: g.Regions}); r.admitted == nil {
		r.admitted = r.signature.Prepare([32]byte{})
	}
	return nil
}

// decodeForm holds the form against its policy, and makes it PutObject's input.
func (r *request) decodeForm() error {
	if err := r.form.Check(r.match.Bucket, r.now); err != nil {
		return err
	}
	put, key, err := r.form.Request(r.wire)
	if err != nil {
		return err
	}
	return codecs.For(aws.RESTXML).Decode(r.row, put, nil, map[string]string{"Bucket": r.match.Labels["Bucket"], "Key": key}, r.in)
}
