package sigv4

import (
	"slices"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Bounds on what a signature may say of itself. A request's head is bounded
// before it comes here; these keep the work per request small.
const (
	maxKeyID         = 128
	maxScope         = 64 // each of Region and service
	maxSignedHeaders = 16 << 10
	maxRegionSet     = 1 << 10
	maxToken         = 16 << 10
	maxGiven         = 256 // characters of a signature
)

// MaxExpires is how long a presigned request may be good for.
const MaxExpires = 7 * 24 * time.Hour

// Parse reads who claims to have signed req, in the header or in the query,
// and refuses what can be read in two ways. It answers nil without an error if
// nobody claims to, which is MissingAuthentication for most operations, and
// else an *aws.Error. It reads neither body nor clock.
func Parse(req *wire.Request, rules Rules) (*Signature, error) {
	headers := req.Header.Values("Authorization")
	if len(headers) > 1 {
		return nil, malformed(rules, false, "more than one Authorization header.",
			"The request has more than one Authorization header.")
	}
	var form queryForm
	if err := form.scan(req.RawQuery, rules); err != nil {
		return nil, err
	}
	switch {
	case len(headers) == 1 && form.claims():
		return nil, bothForms(rules, headers[0])
	case len(headers) == 1:
		return parseHeader(req, rules, headers[0])
	case form.claims():
		return parsePresigned(req, rules, &form)
	}
	return nil, nil
}

// Missing is the error for a request that must be signed and is not.
func Missing() *aws.Error { return &aws.Error{Kind: aws.MissingAuthentication, Message: textMissing} }

// setCredential reads keyid/date/region/service/aws4_request, or the same
// without a Region for V4a.
func (s *Signature) setCredential(credential string) *aws.Error {
	var parts [5]string
	n, rest := 0, credential
	for more := true; more; n++ {
		if n == len(parts) {
			return s.badCredential(credential)
		}
		parts[n], rest, more = strings.Cut(rest, "/")
	}
	end := ""
	switch {
	case s.Algorithm == V4 && n == 5:
		s.AccessKeyID, s.Date, s.Region, s.Service, end = parts[0], parts[1], parts[2], parts[3], parts[4]
	case s.Algorithm == V4a && n == 4:
		s.AccessKeyID, s.Date, s.Service, end = parts[0], parts[1], parts[2], parts[3]
	default:
		return s.badCredential(credential)
	}
	if s.AccessKeyID == "" || len(s.AccessKeyID) > maxKeyID || !graphic(credential) ||
		len(s.Region) > maxScope || len(s.Service) > maxScope {
		return s.badCredential(credential)
	}
	if end != terminator {
		return s.scopeError("Credential should be scoped with a valid terminator: 'aws4_request', not '"+clip(end)+"'.",
			`incorrect terminal "`+clip(end)+`". This endpoint uses "aws4_request".`)
	}
	return nil
}

// setTime keeps the timestamp; the scope must be of the same day.
func (s *Signature) setTime(timestamp string, t time.Time) *aws.Error {
	s.Timestamp, s.Time = timestamp, t
	if s.Date == timestamp[:8] {
		return nil
	}
	if s.rules.S3 && s.Presigned {
		return custom("AuthorizationQueryParametersError", 400, `Invalid credential date "`+clip(s.Date)+
			`". This date is not the same as X-Amz-Date: "`+timestamp[:8]+`".`)
	}
	return s.scopeError("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
		clip(s.Date)+"' != '"+timestamp[:8]+"', from '"+timestamp+"'.",
		"Invalid credential date. Date is not the same as X-Amz-Date.")
}

// setSignedHeaders takes the list only in its one canonical spelling.
func (s *Signature) setSignedHeaders(list string) *aws.Error {
	s.SignedHeaders = list
	host, last := false, ""
	for name := range s.headers() {
		if name <= last || !lowerToken(name) || len(list) > maxSignedHeaders {
			return malformed(s.rules, s.Presigned, "SignedHeaders must be lower-case names, sorted and unique.",
				"SignedHeaders must be lower-case names, sorted and unique.")
		}
		host, last = host || name == "host", name
	}
	if !host {
		return s.hostUnsigned()
	}
	return nil
}

func (s *Signature) hostUnsigned() *aws.Error {
	if s.rules.S3 {
		return notSigned(s.rules, []string{"host"})
	}
	return badSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
}

// checkCoverage refuses x-amz-* headers that are present and not signed. S3
// asks this of every one. Elsewhere the date and the payload's hash are in the
// signature anyway, and a session token may be added after signing: it is
// sealed, and belongs to the key that signed or is refused.
func (s *Signature) checkCoverage() *aws.Error {
	var missing []string
	if h, ok := s.req.Header.(wire.HTTPHeader); ok { // without the closures that ranging over All costs
		for name := range h {
			if s.uncovered(name) {
				missing = append(missing, strings.ToLower(name))
			}
		}
	} else {
		missing = s.uncoveredOf(s.req.Header)
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return notSigned(s.rules, missing)
}

func (s *Signature) uncoveredOf(h wire.Header) (missing []string) {
	for name := range h.All() {
		if s.uncovered(name) {
			missing = append(missing, strings.ToLower(name))
		}
	}
	return missing
}

func (s *Signature) uncovered(name string) bool {
	if len(name) < 6 || !strings.EqualFold(name[:6], "x-amz-") || s.signsFold(name) {
		return false
	}
	return s.rules.S3 || !strings.EqualFold(name, "x-amz-date") && !strings.EqualFold(name, "x-amz-content-sha256") &&
		!strings.EqualFold(name, "x-amz-security-token")
}

func (s *Signature) signsFold(name string) bool {
	for h := range s.headers() {
		if strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

// one is the value of a header that may stand in the request once.
func one(req *wire.Request, rules Rules, name string) (string, *aws.Error) {
	values := req.Header.Values(name)
	if len(values) > 1 {
		return "", malformed(rules, false, "more than one "+name+" header.", "The request has more than one "+name+" header.")
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// graphic says whether s is visible ASCII alone.
func graphic(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// lowerToken says whether s is a header's name in lower case.
func lowerToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !unreserved[c] && strings.IndexByte("!#$%&'*+^`|", c) < 0 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return s != ""
}
