package sigv4_test

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/sigv4"
)

const goodHeader = "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
	"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

const goodQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261124%2Feu-west-1%2Fiam%2Faws4_request&" +
	"X-Amz-Date=20261124T093000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

func request(query string, headers ...string) *wire.Request {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &wire.Request{Method: "POST", RawPath: "/", RawQuery: query, Host: "localhost:4566", Header: wire.HTTPHeader(h)}
}

// TestParseRefuses holds the grammar, and whatever could be read in two ways.
func TestParseRefuses(t *testing.T) {
	date := []string{"X-Amz-Date", "20261124T093000Z"}
	with := func(more ...string) []string { return append(append([]string{}, date...), more...) }
	auth := func(old, new string) []string {
		if !strings.Contains(goodHeader, old) {
			t.Fatalf("%q is not in the header", old)
		}
		return with("Authorization", strings.Replace(goodHeader, old, new, 1))
	}
	q := func(old, new string) string {
		if !strings.Contains(goodQuery, old) {
			t.Fatalf("%q is not in the query", old)
		}
		return strings.Replace(goodQuery, old, new, 1)
	}
	for _, c := range []struct {
		name    string
		s3      bool
		query   string
		headers []string
		kind    aws.Kind
		code    string
		text    string // in the message
	}{
		{"both forms", false, goodQuery, auth("AKID", "AKID"), aws.BadSignature, "", "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"both forms, S3", true, goodQuery, auth("AKID", "AKID"), aws.Custom, "InvalidArgument", "Only one auth mechanism allowed; "},
		{"a signature in the query beside the header", false, "X-Amz-Signature=1", auth("AKID", "AKID"), aws.BadSignature, "", "Found both"},
		{"two headers", false, "", with("Authorization", goodHeader, "Authorization", goodHeader), aws.IncompleteSignature, "", "more than one Authorization"},
		{"an empty header and a full one", true, "", with("Authorization", "", "Authorization", goodHeader), aws.IncompleteSignature, "", "more than one Authorization"},
		{"an empty header", false, "", with("Authorization", ""), aws.MissingAuthentication, "", "Request is missing Authentication Token"},
		{"another scheme", false, "", with("Authorization", "Bearer abc"), aws.MissingAuthentication, "", "Request is missing"},
		{"another scheme, S3", true, "", with("Authorization", "Bearer abc"), aws.Custom, "InvalidArgument", "Unsupported Authorization Type"},
		{"version 2 in the header", true, "", with("Authorization", "AWS AKID:c2ln"), aws.Custom, "InvalidRequest", "Please use AWS4-HMAC-SHA256."},
		{"version 2 in the query", true, "AWSAccessKeyId=A&Signature=b&Expires=1", nil, aws.Custom, "InvalidRequest", "Please use AWS4-HMAC-SHA256."},
		{"version 2 and 4", true, goodQuery + "&AWSAccessKeyId=A&Signature=b", nil, aws.Custom, "InvalidArgument", "Only one auth"},
		{"an unknown algorithm", false, "", auth("SHA256", "SHA25"), aws.IncompleteSignature, "", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25'"},
		{"lower case", false, "", auth("AWS4", "aws4"), aws.MissingAuthentication, "", "missing"},
		{"no components", false, "", with("Authorization", "AWS4-HMAC-SHA256"), aws.IncompleteSignature, "", "missing equal-sign"},
		{"no credential", false, "", auth("Credential=AKID/20261124/eu-west-1/iam/aws4_request, ", ""), aws.IncompleteSignature, "", "Authorization header requires 'Credential' parameter."},
		{"only a credential", false, "", with("Authorization", "AWS4-HMAC-SHA256 Credential=A/20261124/r/s/aws4_request"), aws.IncompleteSignature, "", "requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
		{"only a credential, S3", true, "", with("Authorization", "AWS4-HMAC-SHA256 Credential=A/20261124/r/s/aws4_request"), aws.IncompleteSignature, "", "three components"},
		{"a component twice", false, "", auth("SignedHeaders", "Credential=B/20261124/eu-west-1/iam/aws4_request,SignedHeaders"), aws.IncompleteSignature, "", "unknown or repeated"},
		{"an unknown component", false, "", auth("SignedHeaders", "X=y,SignedHeaders"), aws.IncompleteSignature, "", "unknown or repeated"},
		{"an empty component", false, "", auth(", SignedHeaders", ",, SignedHeaders"), aws.IncompleteSignature, "", "missing equal-sign"},
		{"a tab for a space", false, "", auth(", SignedHeaders", ",\tSignedHeaders"), aws.IncompleteSignature, "", "unknown or repeated"},
		{"a space within", false, "", auth("AKID/", " AKID/"), aws.IncompleteSignature, "", "missing equal-sign"},
		{"spaces instead of commas", false, "", auth(", SignedHeaders", " SignedHeaders"), aws.IncompleteSignature, "", "Authorization header"},
		{"four parts", false, "", auth("/iam", ""), aws.IncompleteSignature, "", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKID/"},
		{"four parts, S3", true, "", auth("/iam", ""), aws.IncompleteSignature, "", `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`},
		{"six parts", false, "", auth("AKID/", "AK/ID/"), aws.IncompleteSignature, "", "exactly 5"},
		{"no key id", false, "", auth("AKID/", "/"), aws.IncompleteSignature, "", "exactly 5"},
		{"a long key id", false, "", auth("AKID/", strings.Repeat("A", 129)+"/"), aws.IncompleteSignature, "", "exactly 5"},
		{"another end", false, "", auth("aws4_request", "aws5_request"), aws.WrongScope, "", "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
		{"another day", false, "", auth("20261124/", "20261123/"), aws.WrongScope, "", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261123' != '20261124', from '20261124T093000Z'."},
		{"no signed headers", false, "", auth("host;x-amz-date", ""), aws.IncompleteSignature, "", "SignedHeaders"},
		{"host unsigned", false, "", auth("host;x-amz-date", "x-amz-date"), aws.BadSignature, "", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"unsorted", false, "", auth("host;x-amz-date", "x-amz-date;host"), aws.IncompleteSignature, "", "sorted"},
		{"a target unsigned", false, "", append(auth("AKID", "AKID"), "X-Amz-Target", "TrentService.Decrypt"), aws.BadSignature, "", "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."},
		{"no date", false, "", []string{"Authorization", goodHeader}, aws.IncompleteSignature, "", "requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{"no date, S3", true, "", []string{"Authorization", goodHeader}, aws.AccessDenied, "", "AWS authentication requires a valid Date or x-amz-date header"},
		{"two dates", false, "", append(auth("AKID", "AKID"), "X-Amz-Date", "20261124T093000Z"), aws.IncompleteSignature, "", "more than one X-Amz-Date"},
		{"30 February", false, "", []string{"X-Amz-Date", "20260230T000000Z", "Authorization", goodHeader}, aws.IncompleteSignature, "", "Date must be in ISO-8601 'basic format'. Got '20260230T000000Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"two tokens", false, "", append(auth("AKID", "AKID"), "X-Amz-Security-Token", "a", "X-Amz-Security-Token", "b"), aws.IncompleteSignature, "", "more than one X-Amz-Security-Token"},
		{"no content hash, S3", true, "", auth("AKID", "AKID"), aws.Custom, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"},
		{"an odd content hash, S3", true, "", append(auth("host;", "host;x-amz-content-sha256;"), "X-Amz-Content-Sha256", "abc"), aws.Custom, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "},
		{"an ECDSA stream under HMAC", true, "", append(auth("host;", "host;x-amz-content-sha256;"), "X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), aws.Custom, "InvalidArgument", "must be"},
		{"an x-amz header unsigned, S3", true, "", append(auth("host;", "host;x-amz-content-sha256;"), "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD", "X-Amz-Acl", "private"), aws.AccessDenied, "", "There were headers present in the request which were not signed"},

		{"a parameter twice", false, goodQuery + "&X-Amz-Date=20261124T093001Z", nil, aws.IncompleteSignature, "", "'X-Amz-Date' must be specified once."},
		{"the same parameter, escaped", false, goodQuery + "&X%2DAmz%2DSignature=1", nil, aws.IncompleteSignature, "", "'X-Amz-Signature' must be specified once."},
		{"the same parameter in other case", true, goodQuery + "&x-amz-expires=9", nil, aws.Custom, "AuthorizationQueryParametersError", "X-Amz-Expires must be specified once."},
		{"parameters missing", false, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261124T093000Z", nil, aws.IncompleteSignature, "",
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."},
		{"parameters missing, S3", true, "X-Amz-Signature=1", nil, aws.Custom, "AuthorizationQueryParametersError", "Query-string authentication version 4 requires the X-Amz-Algorithm, "},
		{"no expiry, S3", true, q("X-Amz-Expires=60&", ""), nil, aws.Custom, "AuthorizationQueryParametersError", "Query-string authentication version 4 requires"},
		{"expiry nought", true, q("Expires=60", "Expires=0"), nil, aws.Custom, "AuthorizationQueryParametersError", "at least 1"},
		{"expiry negative", true, q("Expires=60", "Expires=-1"), nil, aws.Custom, "AuthorizationQueryParametersError", "X-Amz-Expires must be non-negative"},
		{"expiry over a week", true, q("Expires=60", "Expires=604801"), nil, aws.Custom, "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"},
		{"expiry over what a number holds", false, q("Expires=60", "Expires=99999999999999999999"), nil, aws.IncompleteSignature, "", "less than a week"},
		{"expiry no number", false, q("Expires=60", "Expires=1e2"), nil, aws.IncompleteSignature, "", "X-Amz-Expires should be a number"},
		{"a broken escape", false, goodQuery + "&a%zz=1", nil, aws.Custom, "MalformedQueryString", "syntax error"},
		{"a broken escape, S3", true, q("%2F20261124", "%2"), nil, aws.Custom, "InvalidURI", "parse the specified URI"},
		{"a token beside", false, goodQuery, []string{"X-Amz-Security-Token", "t"}, aws.IncompleteSignature, "", "must not be a header of a presigned request"},
		{"an x-amz header on a link", true, goodQuery, []string{"X-Amz-Copy-Source", "/b/k"}, aws.AccessDenied, "", "not signed"},
		{"another date, S3", true, q("X-Amz-Date=20261124", "X-Amz-Date=20261125"), nil, aws.Custom, "AuthorizationQueryParametersError", "Invalid credential date"},
		{"no list of Regions", false, q("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), nil, aws.IncompleteSignature, "", "exactly 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sig, err := sigv4.Parse(request(c.query, c.headers...), sigv4.Rules{S3: c.s3})
			e, ok := errors.AsType[*aws.Error](err)
			if !ok || sig != nil {
				t.Fatalf("Parse = %v, %v", sig, err)
			}
			if e.Kind != c.kind || e.Code != c.code || !strings.Contains(e.Message, c.text) {
				t.Errorf("Parse = %d %+v, want %d %s %q", e.Kind, e, c.kind, c.code, c.text)
			}
			if strings.Contains(e.Message, "5fa00fa3") {
				t.Error("the error shows the signature")
			}
		})
	}
}

// TestNobodySigned: a request without a claim has no signature and no error.
func TestNobodySigned(t *testing.T) {
	for _, query := range []string{"", "Action=AssumeRoleWithSAML", "X-Amz-Security-Token=a", "Signature=a", "AWSAccessKeyId=a&Signature=b"} {
		if sig, err := sigv4.Parse(request(query), sigv4.Rules{}); sig != nil || err != nil {
			t.Errorf("%s: %v, %v", query, sig, err)
		}
	}
}

// TestAdmitRefuses holds clocks and scopes, worded as AWS words them.
func TestAdmitRefuses(t *testing.T) {
	own := sigv4.Scope{Services: []string{"iam"}, Regions: []string{"us-east-1", "eu-west-1"}}
	for _, c := range []struct {
		name  string
		rules sigv4.Rules
		query string
		now   time.Time
		scope sigv4.Scope
		want  string // "" = admitted
	}{
		{"now", sigv4.Rules{}, "", signedAt, own, ""},
		{"15 minutes on", sigv4.Rules{}, "", signedAt.Add(15 * time.Minute), own, ""},
		{"15 minutes ago", sigv4.Rules{}, "", signedAt.Add(-15 * time.Minute), own, ""},
		{"late", sigv4.Rules{}, "", signedAt.Add(15*time.Minute + time.Second), own,
			"Signature expired: 20261124T093000Z is now earlier than 20261124T093001Z (20261124T094501Z - 15 min.)"},
		{"late for JSON", sigv4.Rules{Skew: sigv4.JSONSkew}, "", signedAt.Add(301 * time.Second), own,
			"Signature expired: 20261124T093000Z is now earlier than 20261124T093001Z (20261124T093501Z - 5 min.)"},
		{"early", sigv4.Rules{Skew: sigv4.JSONSkew}, "", signedAt.Add(-301 * time.Second), own,
			"Signature not yet current: 20261124T093000Z is still later than 20261124T092959Z (20261124T092459Z + 5 min.)"},
		{"late at S3", sigv4.Rules{S3: true}, "", signedAt.Add(901 * time.Second), own, "The difference between the request time and the current time is too large."},
		{"a link outside S3 after its expiry", sigv4.Rules{}, goodQuery, signedAt.Add(10 * time.Minute), own, ""},
		{"a link outside S3 after the skew", sigv4.Rules{}, goodQuery, signedAt.Add(16 * time.Minute), own,
			"Signature expired: 20261124T093000Z is now earlier than 20261124T093100Z (20261124T094600Z - 15 min.)"},
		{"a link of S3", sigv4.Rules{S3: true}, goodQuery, signedAt.Add(time.Minute), own, ""},
		{"a link of S3, expired", sigv4.Rules{S3: true}, goodQuery, signedAt.Add(61 * time.Second), own, "Request has expired"},
		{"a link of S3, early", sigv4.Rules{S3: true}, goodQuery, signedAt.Add(-16 * time.Minute), own, "Request is not valid yet"},
		{"another Region", sigv4.Rules{}, "", signedAt, sigv4.Scope{Services: own.Services, Regions: []string{"us-east-1"}},
			"Credential should be scoped to a valid region, not 'eu-west-1'."},
		{"another Region, S3", sigv4.Rules{S3: true}, "", signedAt, sigv4.Scope{Services: own.Services, Regions: []string{"us-east-1"}},
			"The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'"},
		{"another service", sigv4.Rules{}, "", signedAt, sigv4.Scope{Services: []string{"sts"}, Regions: own.Regions},
			"Credential should be scoped to correct service: 'sts'."},
		{"another service and Region", sigv4.Rules{}, "", signedAt, sigv4.Scope{Services: []string{"sts"}},
			"Credential should be scoped to a valid region, not 'eu-west-1'. Credential should be scoped to correct service: 'sts'."},
		{"no scope at all", sigv4.Rules{}, "", signedAt, sigv4.Scope{}, "Credential should be scoped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := request(c.query)
			if c.query == "" {
				req = request("", "X-Amz-Date", "20261124T093000Z", "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD",
					"Authorization", strings.Replace(goodHeader, "host;", "host;x-amz-content-sha256;", 1))
			}
			sig, err := sigv4.Parse(req, c.rules)
			if err != nil {
				t.Fatal(err)
			}
			err = sig.Admit(c.now, c.scope)
			got := ""
			if err != nil {
				got = err.(*aws.Error).Message
			}
			if c.want == "" && err != nil || !strings.HasPrefix(got, c.want) {
				t.Errorf("Admit = %q, want %q", got, c.want)
			}
		})
	}
}

// TestVerifyNeedsEveryStep: no step may be left out.
func TestVerifyNeedsEveryStep(t *testing.T) {
	s := corpus(t)["query"]
	keys := sigv4.NewKeyCache(0)
	for _, skip := range []string{"none", "Admit", "Prepare"} {
		req := s.req
		sig, err := sigv4.Parse(&req, s.rules)
		if err != nil {
			t.Fatal(err)
		}
		if skip != "Admit" {
			if err := sig.Admit(signedAt, s.scope); err != nil {
				t.Fatal(err)
			}
		}
		if skip != "Prepare" {
			if err := sig.Prepare(sha256.Sum256(s.body)); err != nil {
				t.Fatal(err)
			}
		}
		if err := sig.Verify(keys, secret); (err == nil) != (skip == "none") {
			t.Errorf("without %s: %v", skip, err)
		}
		if err := sig.VerifyUnknown(keys); err == nil || err.(*aws.Error).Kind != aws.UnknownKey {
			t.Errorf("an unknown key: %v", err)
		}
	}
}

// TestSecretChange: a cached key is good for the secret it was made of alone.
func TestSecretChange(t *testing.T) {
	s := corpus(t)["json"]
	keys := sigv4.NewKeyCache(0)
	if err := s.verify(keys); err != nil {
		t.Fatal(err)
	}
	req := s.req
	sig, err := sigv4.Parse(&req, s.rules)
	if err == nil {
		err = sig.Admit(signedAt, s.scope)
	}
	if err == nil {
		err = sig.Prepare(sha256.Sum256(s.body))
	}
	if err != nil {
		t.Fatal(err)
	}
	if sig.Verify(keys, secret[1:]) == nil {
		t.Error("the signature passes by the old secret's key")
	}
}

// TestS3Mismatch: S3 shows what it signed, without tokens and customers' keys.
func TestS3Mismatch(t *testing.T) {
	s := sign(t, "GET", "http://localhost:4566/b/k", "s3", "S3cretToken", "",
		map[string]string{"X-Amz-Server-Side-Encryption-Customer-Key": "Y3VzdG9tZXI="}, false)
	s.req.Method = "PUT"
	e := s.verify(sigv4.NewKeyCache(0)).(*aws.Error)
	fields := map[string]string{}
	for _, f := range e.Fields {
		fields[f.Name] = f.Value
	}
	if e.Kind != aws.BadSignature || !strings.HasPrefix(fields["CanonicalRequest"], "PUT\n/b/k\n\n") ||
		!strings.HasPrefix(fields["StringToSign"], "AWS4-HMAC-SHA256\n20261124T093000Z\n20261124/eu-west-1/s3/aws4_request\n") ||
		!strings.HasPrefix(fields["StringToSignBytes"], "41 57 53 34 2d") || fields["AWSAccessKeyId"] != "AKIAIOSFODNN7EXAMPLE" {
		t.Errorf("%+v", e)
	}
	for _, f := range e.Fields {
		if strings.Contains(f.Value, "S3cretToken") || strings.Contains(f.Value, "Y3VzdG9tZXI=") {
			t.Errorf("%s shows a secret", f.Name)
		}
	}
}
