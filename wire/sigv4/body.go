package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Body reads the body of an S3 request and compares it with what was signed.
// What is read may count only after Read has answered io.EOF: until then the
// body, or its last chunk, has not been checked.
type Body struct {
	r      io.Reader
	length int64
	chunks *chunked // nil: not aws-chunked
}

// Read implements io.Reader. Its errors are *aws.Error, but for those of the
// connection.
func (b *Body) Read(p []byte) (int, error) { return b.r.Read(p) }

// Length is the body's length once decoded, or -1 if nobody said.
func (b *Body) Length() int64 { return b.length }

// Trailers names the trailers that the request announced, in lower case.
func (b *Body) Trailers() []string {
	if b.chunks == nil {
		return nil
	}
	return b.chunks.expected
}

// Trailer is the value of the trailer called name, in lower case. It is known
// after io.EOF, and holds the checksum that an SDK sends behind an upload.
func (b *Body) Trailer(name string) (string, bool) {
	if b.chunks == nil {
		return "", false
	}
	for _, t := range b.chunks.trailers {
		if t.Name == name {
			return t.Value, true
		}
	}
	return "", false
}

// NewBody is the body of a request to S3. sig is its verified signature, or
// nil for an anonymous one, which can have no signed chunks.
func NewBody(req *wire.Request, sig *Signature) (*Body, error) {
	if sig == nil {
		content, err := one(req, Rules{S3: true}, "X-Amz-Content-Sha256")
		if err != nil {
			return nil, err
		}
		if content == "" {
			content = unsignedPayload
		}
		sig = &Signature{req: req, rules: Rules{S3: true}, content: content}
		if err := sig.setPayload(); err != nil {
			return nil, err
		}
	} else if sig.key == nil {
		return nil, sig.mismatch()
	}
	source := req.Body
	if source == nil {
		source = eof{}
	}
	switch sig.Payload {
	case PayloadUnsigned:
		return &Body{r: source, length: req.ContentLength}, nil
	case PayloadHashed:
		return &Body{r: &hashed{r: source, want: sig.content, sum: sha256.New()}, length: req.ContentLength}, nil
	}
	if sig.Payload != PayloadUnsignedStream && sig.key == nil {
		return nil, sig.mismatch()
	}
	c, err := newChunked(req, sig, source)
	if err != nil {
		return nil, err
	}
	return &Body{r: c, length: c.left, chunks: c}, nil
}

// eof is an empty body.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// hashed passes a body on, and fails at its end if its hash is another.
type hashed struct {
	r    io.Reader
	want string
	sum  hash.Hash
	err  error
}

func (h *hashed) Read(p []byte) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	n, err := h.r.Read(p)
	h.sum.Write(p[:n])
	if errors.Is(err, io.EOF) {
		if got := hex.EncodeToString(h.sum.Sum(nil)); !equal([]byte(got), []byte(h.want)) {
			err = custom("XAmzContentSHA256Mismatch", 400,
				"The provided 'x-amz-content-sha256' header does not match what was computed.",
				aws.Field{Name: "ClientComputedContentSHA256", Value: h.want},
				aws.Field{Name: "S3ComputedContentSHA256", Value: got})
		}
	}
	h.err = err
	return n, err
}
