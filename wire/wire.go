// Package wire turns bytes into the inputs of operations, and outputs and
// errors into bytes. It knows AWS's protocols and the schema of a service, and
// nothing of accounts, policies or storage.
//
// Package route finds out which operation a request means, package sigv4 who
// signed it; the packages named after protocols decode and encode.
package wire

import (
	"crypto/tls"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Request is a request as it came, reduced to what the path of a call reads,
// so that what stands before the path can change.
type Request struct {
	Method   string
	RawPath  string // escaped, as on the request line: "//", "..", "%2F" are kept
	RawQuery string // without "?"
	Host     string // as sent, with port
	Header   Header
	Body     io.Reader // not yet read; bounded by whoever reads it
	// ContentLength is -1 where the length is not known (chunked).
	ContentLength int64
	Remote        netip.AddrPort // the client's, not that of a proxy which speaks for it
	// Secure says that the client speaks TLS. TLS is its connection; nil over plain HTTP, and where a proxy holds it.
	Secure bool
	TLS    *tls.ConnectionState
}

// Header is what the path of a call asks of a request's header fields. Names
// are looked up without regard to case. Host, Transfer-Encoding and Trailer
// are not among them.
type Header interface {
	Get(name string) string      // the first value, "" if there is none
	Values(name string) []string // all values in order; must not be changed
	All() iter.Seq2[string, []string]
}

// NamesHeader tells whether s can name a header (RFC 9110, section 5.6.2).
func NamesHeader(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return true
}

// HTTPHeader is a net/http header as a Header.
type HTTPHeader http.Header

// Get implements Header.
func (h HTTPHeader) Get(name string) string { return http.Header(h).Get(name) }

// Values implements Header.
func (h HTTPHeader) Values(name string) []string { return http.Header(h).Values(name) }

// All implements Header.
func (h HTTPHeader) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for name, values := range h {
			if !yield(name, values) {
				return
			}
		}
	}
}

// Response is an answer ready to be sent. A codec fills it; the gateway adds
// request ids and Date, and sends it.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Stream io.ReadCloser // instead of Body; closed by the sender
	Length int64         // of Stream; -1: unknown, sent chunked
}

// Answer names what an answer belongs to.
type Answer struct {
	Protocol  aws.Protocol
	Service   *aws.Service   // nil where routing found none
	Operation *aws.Operation // nil where routing found none
	Request   *Request       // for what the answer's form follows (Accept, x-amzn-query-mode, HEAD)
	RequestID string
	HostID    string // S3's x-amz-id-2
}

// Codec is one protocol. Implementations are stateless and safe for
// concurrent use; what they learn of a type by reflection they keep.
type Codec interface {
	// Decode fills in, a pointer to the operation's generated input struct, from the request and its
	// body. Labels are the values of the URI's labels, still escaped, by member name. It answers an
	// *aws.Error of Kind Serialization, UnsupportedMediaType, NotAcceptable or TooLarge for what can't
	// be read, and Validation, worded as AWS words it, for what breaks a constraint.
	Decode(op *aws.Operation, req *Request, body []byte, labels map[string]string, in any) error
	// Encode writes out, a pointer to the operation's generated output struct (nil: the operation has none).
	Encode(a *Answer, out any, to *Response) error
	// EncodeError writes err, an *aws.Error or aws.Modelled; anything else is InternalFailure,
	// and says nothing of what went wrong.
	EncodeError(a *Answer, err error, to *Response)
}
