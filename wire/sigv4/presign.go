package sigv4

import (
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// The query parameters that carry a signature, in the order in which AWS names
// those that are missing.
const (
	pAlgorithm = iota
	pCredential
	pSignature
	pSignedHeaders
	pDate
	pExpires
	pToken
	pContent
	pRegionSet
	pS3Token
	pCount
)

var paramNames = [pCount]string{
	pAlgorithm: "X-Amz-Algorithm", pCredential: "X-Amz-Credential", pSignature: "X-Amz-Signature",
	pSignedHeaders: "X-Amz-SignedHeaders", pDate: "X-Amz-Date", pExpires: "X-Amz-Expires",
	pToken: "X-Amz-Security-Token", pContent: "X-Amz-Content-Sha256", pRegionSet: "X-Amz-Region-Set",
	pS3Token: "X-Amz-S3session-Token",
}

// queryForm is what a query says of a signature.
type queryForm struct {
	values [pCount]string
	have   [pCount]bool
	v2     bool // S3's signature version 2
}

// claims says whether the query means to carry a signature.
func (f *queryForm) claims() bool {
	return f.have[pAlgorithm] || f.have[pCredential] || f.have[pSignature] || f.v2
}

// scan collects the parameters. One that stands there twice, or in another
// spelling, is refused, since another reader might take the other one.
func (f *queryForm) scan(query string, rules Rules) *aws.Error {
	if len(query) == 0 {
		return nil
	}
	var v2 [2]bool
	for pair := range strings.SplitSeq(query, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := unescapeQuery(rawName)
		if err != nil {
			return badQuery(rules)
		}
		switch {
		case name == "AWSAccessKeyId":
			v2[0] = true
		case name == "Signature":
			v2[1] = true
		}
		i := paramIndex(name)
		if i < 0 {
			continue
		}
		if f.have[i] || name != paramNames[i] {
			return malformed(rules, true, paramNames[i]+" must be specified once.",
				"AWS query-string parameter '"+paramNames[i]+"' must be specified once.")
		}
		if f.values[i], err = unescapeQuery(rawValue); err != nil {
			return badQuery(rules)
		}
		f.have[i] = true
	}
	f.v2 = rules.S3 && v2[0] && v2[1]
	return nil
}

// paramIndex finds name among paramNames, whatever its case, or answers -1.
func paramIndex(name string) int {
	if len(name) < 10 || len(name) > 21 || !strings.EqualFold(name[:6], "x-amz-") {
		return -1
	}
	for i, want := range paramNames {
		if strings.EqualFold(name, want) {
			return i
		}
	}
	return -1
}

// parsePresigned reads the query form.
func parsePresigned(req *wire.Request, rules Rules, f *queryForm) (*Signature, error) {
	if f.v2 {
		if f.have[pAlgorithm] || f.have[pCredential] || f.have[pSignature] {
			return nil, bothForms(rules, "")
		}
		return nil, custom("InvalidRequest", 400, textV2)
	}
	if err := f.complete(rules); err != nil {
		return nil, err
	}
	s := &Signature{
		Algorithm: Algorithm(f.values[pAlgorithm]), Presigned: true, given: f.values[pSignature],
		Token: f.values[pToken], S3Token: f.values[pS3Token], RegionSet: f.values[pRegionSet],
		content: f.values[pContent], rules: rules, req: req,
	}
	if s.Algorithm != V4 && s.Algorithm != V4a {
		return nil, malformed(rules, true, `X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`,
			"Unsupported AWS 'algorithm': '"+clip(f.values[pAlgorithm])+"'.")
	}
	timestamp := f.values[pDate]
	t, ok := parseTimestamp(timestamp)
	if !ok {
		return nil, malformed(rules, true, `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`, badDate(timestamp))
	}
	if err := s.setExpires(f.values[pExpires], f.have[pExpires]); err != nil {
		return nil, err
	}
	if err := s.setSignedHeaders(f.values[pSignedHeaders]); err != nil {
		return nil, err
	}
	if err := s.setCredential(f.values[pCredential]); err != nil {
		return nil, err
	}
	if err := s.setTime(timestamp, t); err != nil {
		return nil, err
	}
	if err := s.headersBesidePresigned(); err != nil {
		return nil, err
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	return s, nil
}

// complete names the parameters that are missing.
func (f *queryForm) complete(rules Rules) *aws.Error {
	missing := ""
	for i, name := range paramNames[:pExpires] {
		if f.values[i] == "" {
			missing += "AWS query-string parameters must include '" + name + "'. "
		}
	}
	if missing == "" && (!rules.S3 || f.have[pExpires]) {
		return nil
	}
	return malformed(rules, true, textS3Query, missing+"Re-examine the query-string parameters.")
}

// setExpires takes 1 to 604800 seconds. Outside S3 the parameter may be
// missing: how long such a request is good for is the clock limit's matter.
func (s *Signature) setExpires(value string, have bool) *aws.Error {
	if !have && !s.rules.S3 {
		return nil
	}
	n := -1
	if len(value) > 0 && len(value) <= 9 {
		n = digits(value)
	}
	text := ""
	switch {
	case strings.HasPrefix(value, "-") && digits(value[1:]) >= 0:
		text = "X-Amz-Expires must be non-negative"
	case n < 0 && len(value) <= 9:
		text = "X-Amz-Expires should be a number"
	case n < 0, n > int(MaxExpires/time.Second):
		text = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
	case n == 0:
		text = "X-Amz-Expires must be at least 1 second"
	}
	if text != "" {
		return malformed(s.rules, true, text, text)
	}
	s.Expires = time.Duration(n) * time.Second
	return nil
}

// headersBesidePresigned refuses headers that say again, perhaps otherwise,
// what the query says.
func (s *Signature) headersBesidePresigned() *aws.Error {
	for _, name := range [...]string{"X-Amz-Security-Token", "X-Amz-S3session-Token", "X-Amz-Region-Set"} {
		if len(s.req.Header.Values(name)) > 0 {
			return malformed(s.rules, true, name+" must not be a header of a presigned request.",
				name+" must not be a header of a presigned request.")
		}
	}
	content, err := one(s.req, s.rules, "X-Amz-Content-Sha256")
	if err != nil {
		return err
	}
	if content != "" && s.content != "" && content != s.content {
		return malformed(s.rules, true, "X-Amz-Content-Sha256 stands in the query and in a header, with different values.",
			"X-Amz-Content-Sha256 stands in the query and in a header, with different values.")
	}
	if content != "" {
		s.content = content
	}
	return nil
}
