package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/catalog"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Options are a Router's settings.
type Options struct {
	// Hosts are the endpoint's own names, without a port: buckets are addressed as <bucket>.<host>.
	// "localhost" always is one too.
	Hosts []string
}

// Router routes requests. It is safe for concurrent use.
type Router struct {
	bases []string // the longest first, so that one is never taken for a bucket of another
	*index
}

// New makes a Router of the catalog.
func New(o Options) (*Router, error) {
	r := &Router{bases: []string{"localhost"}, index: services()}
	for _, host := range o.Hosts {
		base := strings.ToLower(strings.TrimSuffix(host, "."))
		if !isHostName(base) {
			return nil, fmt.Errorf("route: %q is not a host's name", host)
		}
		r.bases = append(r.bases, base)
	}
	slices.SortStableFunc(r.bases, func(a, b string) int { return len(b) - len(a) })
	return r, nil
}

// Match is what a request asks for.
type Match struct {
	Service   *catalog.Service // nil only beside an error
	Operation string           // "" only beside an error, or where the signature can't be read
	Protocol  aws.Protocol     // the shape of the answer, also of an error
	// Labels are the values of the URI's labels by name, still escaped; nil if there are none.
	Labels map[string]string
	// Bucket and Key are what an S3 request addresses, decoded.
	Bucket, Key string
	// Signer is the service that the signature is scoped to, "" if there is none that can be read.
	Signer string

	entry *entry
}

// SigningNames are the services that a signature of the request may be scoped
// to, the usual one first. The slice is shared and must not be changed.
func (m *Match) SigningNames() []string {
	if m.entry == nil {
		return nil
	}
	return m.entry.names
}

// S3Family says whether S3's rules hold: s3 and s3control.
func (m *Match) S3Family() bool { return m.entry != nil && m.entry.s3 }

func (m *Match) to(e *entry, operation string, p aws.Protocol) {
	m.entry, m.Service, m.Operation, m.Protocol = e, e.Service, operation, p
}

// Names of operations that S3 has and its model lacks.
const (
	PostObject = "PostObject" // a browser's form
	Preflight  = "Preflight"  // CORS, OPTIONS
)

// WantsForm says whether Route needs the body of req: of a form that may name
// its operation there.
func (r *Router) WantsForm(req *wire.Request) bool {
	if req.Method != "POST" || len(req.Header.Values("X-Amz-Target")) > 0 || len(req.Header.Values("Smithy-Protocol")) > 0 ||
		mediaType(req) != formType {
		return false
	}
	s := signerOf(req)
	return !r.restSigner(s.name)
}

// Route finds what req asks for. form is the body of a request that WantsForm
// says yes of; else it may be nil. The error is an *aws.Error, and the match
// beside it says as much as is known: its Protocol always.
func (r *Router) Route(req *wire.Request, form []byte) (Match, error) {
	m := Match{Protocol: shape(req)}
	s := signerOf(req)
	m.Signer = s.name
	smithy, target := req.Header.Values("Smithy-Protocol"), req.Header.Values("X-Amz-Target")
	switch {
	case len(smithy) > 0 && len(target) > 0:
		return m, unknown("The request names an operation in two ways.")
	case len(smithy) > 0:
		return m, r.cbor(&m, req, smithy)
	case len(target) > 0:
		return m, r.json(&m, req, target)
	}
	if done, err := r.query(&m, req, s, form); done {
		return m, err
	}
	switch {
	case isS3(s.name):
		return m, r.s3(&m, req)
	case r.tables[s.name] != nil:
		return m, r.rest(&m, req, r.tables[s.name])
	case s.name != "":
		return m, r.unroutable(&m, s.name)
	}
	return m, r.unsigned(&m, req, s.signed)
}

// restSigner says whether requests signed for s go by method and path.
func (r *Router) restSigner(s string) bool {
	return isS3(s) || r.tables[s] != nil && r.queries[s] == nil
}

// unroutable refuses a signed request whose service has no operation of its form.
func (r *Router) unroutable(m *Match, signer string) error {
	if of := r.signed[signer]; len(of) > 0 {
		p := of[0].Protocols[0]
		switch {
		case m.Protocol != aws.RESTXML:
			p = m.Protocol
		case of[0].speaks(aws.AWSQuery):
			p = aws.AWSQuery
		}
		m.to(of[0], "", p)
	}
	return unknown("The request names no operation.")
}

// unsigned routes by what is left of a request that nobody signed. broken says
// that somebody meant to.
func (r *Router) unsigned(m *Match, req *wire.Request, broken bool) error {
	if len(req.Header.Values("X-Amz-Sso_bearer_token")) > 0 {
		return r.rest(m, req, []*entry{r.named["sso"]})
	}
	if req.Method == "POST" && mediaType(req) == "application/json" {
		switch req.RawPath {
		case "/client/register", "/device_authorization", "/token":
			return r.rest(m, req, []*entry{r.named["sso-oidc"]})
		}
	}
	if of := r.byHost(req.Host); of != nil && !of[0].s3 {
		m.to(of[0], "", of[0].Protocols[0])
		if broken {
			return nil
		}
		return &aws.Error{Kind: aws.MissingAuthentication, Message: "Request is missing Authentication Token"}
	}
	return r.s3(m, req)
}

// Internal says whether the request is one for Garrison itself, its health and
// console: by its path, unless it is signed or its Host names a bucket.
func (r *Router) Internal(req *wire.Request) bool {
	if !strings.HasPrefix(req.RawPath, "/_garrison/") {
		return false
	}
	if s := signerOf(req); s.signed {
		return false
	}
	return r.bucketOf(req.Host) == ""
}

// shape is the protocol of an answer when nothing else is known: JSON for what
// speaks JSON, query's for forms, else S3's.
func shape(req *wire.Request) aws.Protocol {
	switch mediaType(req) {
	case "application/x-amz-json-1.0":
		return aws.AWSJSON10
	case "application/x-amz-json-1.1":
		return aws.AWSJSON11
	case "application/cbor":
		return aws.RPCV2CBOR
	case "application/json":
		return aws.RESTJSON
	case formType:
		if req.Method == "POST" {
			return aws.AWSQuery
		}
	}
	return aws.RESTXML
}

const formType = "application/x-www-form-urlencoded"

// mediaType is the Content-Type in lower case without parameters; "" for none,
// or several.
func mediaType(req *wire.Request) string {
	values := req.Header.Values("Content-Type")
	if len(values) != 1 {
		return ""
	}
	kind, _, _ := strings.Cut(values[0], ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// unknown is the error for an operation that AWS does not have.
func unknown(text string) *aws.Error {
	return &aws.Error{Kind: aws.UnknownOperation, Message: text}
}

// clip bounds what an error echoes, and keeps control characters out of it.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// speaks says whether e has any of the protocols.
func (e *entry) speaks(protocols ...aws.Protocol) bool {
	return slices.ContainsFunc(e.Protocols, func(p aws.Protocol) bool { return slices.Contains(protocols, p) })
}
