package sigv4

import (
	"iter"
	"strings"
	"time"

	"github.com/garrison-security/garrison/wire"
)

// Algorithm is a signature's algorithm, spelled as on the wire.
type Algorithm string

// The algorithms.
const (
	V4  Algorithm = "AWS4-HMAC-SHA256"
	V4a Algorithm = "AWS4-ECDSA-P256-SHA256"
)

// terminator ends every credential scope.
const terminator = "aws4_request"

// Payload says how a body takes part in a signature.
type Payload uint8

// The ways. The zero Payload is a hash of the whole body.
const (
	PayloadHashed Payload = iota
	PayloadUnsigned
	PayloadStream         // chunks, each signed
	PayloadStreamTrailer  // chunks and trailer, each signed
	PayloadUnsignedStream // chunks unsigned, with trailer
)

// Rules are what a service asks of a signature. They follow from where the
// request was routed to, never from what the signature says.
type Rules struct {
	// S3: the S3 family's rules (s3, s3control, s3express, s3-outposts, s3-object-lambda). Paths are
	// signed as sent, x-amz-content-sha256 is required and its streaming values are taken, and every
	// x-amz-* header must be signed. Errors are S3's own where it has its own.
	S3 bool
	// Skew is how far the timestamp may be off, in either direction. Zero: 15 minutes.
	Skew time.Duration
	// UnsignedBody: the operation takes UNSIGNED-PAYLOAD though the service is not S3.
	UnsignedBody bool
	// UnsignedToken: clients add X-Amz-Security-Token to the query after signing (AWS IoT's do).
	UnsignedToken bool
}

// DefaultSkew is how far clocks may differ for query, ec2 and S3; JSONSkew for
// JSON, CBOR and REST-JSON.
const (
	DefaultSkew = 15 * time.Minute
	JSONSkew    = 5 * time.Minute
)

// Signature is what a request says of who signed it. It belongs to one request
// and one goroutine; it holds on to the request until it is dropped.
type Signature struct {
	Algorithm   Algorithm
	Presigned   bool
	Post        bool // of a browser's form, whose policy is what is signed
	AccessKeyID string
	Date        string // of the scope, YYYYMMDD; the timestamp's
	Region      string // of the scope; for V4a the Region that Admit chose of the set
	Service     string // of the scope
	Timestamp   string // YYYYMMDDTHHMMSSZ
	Time        time.Time
	Expires     time.Duration // presigned; zero if it says none
	Token       string        // session token, "" if there is none
	S3Token     string        // S3 Express's session token
	RegionSet   string        // V4a: comma-separated Regions, "*" a wildcard
	Payload     Payload
	// SignedHeaders are the names as sent: lower-case, sorted, joined by ";".
	SignedHeaders string

	rules     Rules
	req       *wire.Request
	given     string // the signature as sent
	policy    string // of a form, as sent
	content   string // x-amz-content-sha256 as sent; "" = absent
	admitted  bool
	prepared  bool
	canonical [32]byte // hash of the canonical request
	payload   []byte   // last line of the canonical request
	sum       [64]byte // room for it
	key       *key     // set by Verify
}

// headers lists the signed header names.
func (s *Signature) headers() iter.Seq[string] { return strings.SplitSeq(s.SignedHeaders, ";") }

// Content is x-amz-content-sha256 as it was sent; of a presigned request that says
// none, what S3 takes it for.
func (s *Signature) Content() string {
	if s.content == "" && s.Presigned {
		return "UNSIGNED-PAYLOAD"
	}
	return s.content
}

// CoversRegion says whether a V4a signature's set of Regions holds region. A
// "*" in the set stands for any run of characters.
func (s *Signature) CoversRegion(region string) bool {
	for pattern := range strings.SplitSeq(s.RegionSet, ",") {
		if covers(strings.TrimSpace(pattern), region) {
			return true
		}
	}
	return false
}

// covers matches pattern, in which "*" stands for any run, with at most one
// step back for each star: linear in practice, quadratic at worst.
func covers(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
