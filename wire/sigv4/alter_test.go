package sigv4_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/sigv4"
)

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

var signedAt = time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)

// signed is a request, its body and what a service asks of its signature.
type signed struct {
	req   wire.Request
	body  []byte
	rules sigv4.Rules
	scope sigv4.Scope
}

func (s *signed) verify(keys *sigv4.KeyCache) error {
	req := s.req
	sig, err := sigv4.Parse(&req, s.rules)
	if err != nil {
		return err
	}
	if sig == nil {
		return sigv4.Missing()
	}
	if err := sig.Admit(signedAt.Add(time.Minute), s.scope); err != nil {
		return err
	}
	if err := sig.Prepare(sha256.Sum256(s.body)); err != nil {
		return err
	}
	if sig.AccessKeyID != "AKIAIOSFODNN7EXAMPLE" {
		return sig.VerifyUnknown(keys)
	}
	if err := sig.Verify(keys, secret); err != nil {
		return err
	}
	if !s.rules.S3 {
		return nil
	}
	req.Body = bytes.NewReader(s.body)
	b, err := sigv4.NewBody(&req, sig)
	if err != nil {
		return err
	}
	_, err = new(bytes.Buffer).ReadFrom(b)
	return err
}

func (s *signed) clone() *signed {
	c := *s
	h := http.Header(c.req.Header.(wire.HTTPHeader)).Clone()
	c.req.Header = wire.HTTPHeader(h)
	c.body = bytes.Clone(c.body)
	return &c
}

func (s *signed) header() http.Header { return http.Header(s.req.Header.(wire.HTTPHeader)) }

// sign has AWS's SDK sign a request.
func sign(t testing.TB, method, url, service, token, body string, headers map[string]string, presign bool) *signed {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		r.Body, r.ContentLength = nil, 0
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	s3 := service == "s3"
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = s3 })
	creds := sdk.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: secret, SessionToken: token}
	s := &signed{body: []byte(body), rules: sigv4.Rules{S3: s3},
		scope: sigv4.Scope{Services: []string{service}, Regions: []string{"us-east-1", "eu-west-1"}}}
	s.req = wire.Request{Method: method, Host: r.URL.Host, ContentLength: r.ContentLength}
	if presign {
		if s3 {
			hash = "UNSIGNED-PAYLOAD"
			q := r.URL.Query()
			q.Set("X-Amz-Expires", "900")
			r.URL.RawQuery = q.Encode()
		}
		target, extra, err := signer.PresignHTTP(t.Context(), creds, r, hash, service, "eu-west-1", signedAt)
		if err != nil {
			t.Fatal(err)
		}
		u, err := http.NewRequest(method, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		for name, values := range extra {
			if name != "Host" {
				h[http.CanonicalHeaderKey(name)] = values
			}
		}
		s.req.RawPath, s.req.RawQuery, s.req.Header = u.URL.EscapedPath(), u.URL.RawQuery, wire.HTTPHeader(h)
		return s
	}
	if s3 {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	if err := signer.SignHTTP(t.Context(), creds, r, hash, service, "eu-west-1", signedAt); err != nil {
		t.Fatal(err)
	}
	s.req.RawPath, s.req.RawQuery, s.req.Header = r.URL.EscapedPath(), r.URL.RawQuery, wire.HTTPHeader(r.Header)
	return s
}

// corpus is a request of each kind that AWS's SDK signs.
func corpus(t testing.TB) map[string]*signed {
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "User-Agent": "x"}
	json := map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.Encrypt"}
	s3 := map[string]string{"Content-Type": "text/plain", "X-Amz-Meta-A": "b  c", "X-Amz-Tagging": "a=b"}
	return map[string]*signed{
		"query":             sign(t, "POST", "http://127.0.0.1:4566/", "iam", "", "Action=CreateUser&Version=2010-05-08&UserName=a", form, false),
		"query, session":    sign(t, "POST", "http://127.0.0.1:4566/", "sts", "T0ken+/==", "Action=GetCallerIdentity&Version=2011-06-15", form, false),
		"json":              sign(t, "POST", "http://localhost:4566/", "kms", "", `{"KeyId":"a"}`, json, false),
		"rest":              sign(t, "GET", "http://localhost:4566/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Ax%2Fy?b=2&a=1&a=%20+x&c", "lambda", "", "", nil, false),
		"s3":                sign(t, "PUT", "http://localhost:4566/b/a//../k%20%C3%A9%2Bx?tagging", "s3", "", "hello", s3, false),
		"s3, session":       sign(t, "GET", "http://b.s3.localhost:4566/k?list-type=2&prefix=a%2F", "s3", "T0ken+/==", "", nil, false),
		"presigned":         sign(t, "GET", "http://localhost:4566/?Action=GetCallerIdentity&Version=2011-06-15", "sts", "T0ken+/==", "", map[string]string{"X-K8s-Aws-Id": "c"}, true),
		"presigned s3":      sign(t, "PUT", "http://localhost:4566/b/k", "s3", "", "", map[string]string{"X-Amz-Tagging": "a=b"}, true),
		"presigned s3 read": sign(t, "GET", "http://localhost:4566/b/k%2Fx?versionId=3", "s3", "T0ken+/==", "", nil, true),
	}
}

// TestAlterations: what AWS's SDK signs is taken; with any signed part altered
// it is refused.
func TestAlterations(t *testing.T) {
	for name, s := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			keys := sigv4.NewKeyCache(16)
			for range 3 { // derived, then cached
				if err := s.verify(keys); err != nil {
					t.Fatalf("as signed: %v", err)
				}
			}
			for what, altered := range alterations(s) {
				if altered.verify(keys) == nil || altered.verify(sigv4.NewKeyCache(16)) == nil {
					t.Errorf("passes with %s altered", what)
				}
			}
			if err := s.verify(keys); err != nil {
				t.Errorf("in the end: %v", err)
			}
		})
	}
}

// alterations are copies of s, each with one signed part changed, doubled or gone.
func alterations(s *signed) map[string]*signed {
	all := map[string]*signed{}
	alter := func(what string, change func(c *signed)) {
		c := s.clone()
		change(c)
		all[what] = c
	}
	alter("the method", func(c *signed) { c.req.Method = "PATCH" })
	alter("the path", func(c *signed) { c.req.RawPath += "x" })
	alter("the path's end", func(c *signed) { c.req.RawPath += "%2F" })
	alter("the host", func(c *signed) { c.req.Host = "x" + c.req.Host })
	alter("a parameter added", func(c *signed) { c.req.RawQuery += "&zz=1" })
	alter("a nameless parameter added", func(c *signed) { c.req.RawQuery += "&=1" })
	if !(s.rules.S3 && s.req.Header.Get("Authorization") == "") {
		alter("the body", func(c *signed) { c.body = append(c.body, 'x') })
	}
	if len(s.body) > 0 {
		alter("the body's first byte", func(c *signed) { c.body[0] ^= 1 })
	}
	pairs := strings.Split(s.req.RawQuery, "&")
	for i, p := range pairs {
		if p == "" {
			continue
		}
		set := func(to ...string) func(*signed) {
			return func(c *signed) {
				c.req.RawQuery = strings.Join(append(append(append([]string{}, pairs[:i]...), to...), pairs[i+1:]...), "&")
			}
		}
		n := fmt.Sprintf("pair %d, %.30s", i, p)
		alter(n+" gone", set())
		alter(n+" twice", set(p, p))
		alter(n+" longer", set(p+"x"))
		alter(n+" renamed", set("x"+p))
		alter(n+" in other case", set(swapCase(p)))
	}
	signedHeaders := s.header().Get("Authorization")
	for name, values := range s.header() {
		lower := strings.ToLower(name)
		if name == "Authorization" || !strings.Contains(signedHeaders+strings.ToLower(s.req.RawQuery), lower) {
			continue
		}
		alter(name+" gone", func(c *signed) { c.header().Del(name) })
		if name == "Content-Length" { // gone is no change: the request has it
			delete(all, name+" gone")
		}
		alter(name+" twice", func(c *signed) { c.header()[name] = append([]string{values[0]}, values...) })
		alter(name+" longer", func(c *signed) { c.header().Set(name, values[0]+"1") })
		alter(name+" in part", func(c *signed) { c.header().Set(name, values[0][1:]) })
	}
	alter("an x-amz header added", func(c *signed) { c.header().Set("X-Amz-Acl", "public-read-write") })
	alter("a target added", func(c *signed) { c.header().Add("X-Amz-Target", "TrentService.Decrypt") })
	if signedHeaders == "" {
		return all
	}
	auth := func(what, from, to string) {
		if !strings.Contains(signedHeaders, from) {
			panic(from)
		}
		alter(what, func(c *signed) { c.header().Set("Authorization", strings.Replace(signedHeaders, from, to, 1)) })
	}
	auth("the key id", "AKIAIOSFODNN7EXAMPLE/", "AKIAIOSFODNN7EXAMPLF/")
	auth("the scope's date", "/20261124/", "/20261123/")
	auth("the scope's Region", "/eu-west-1/", "/us-east-1/")
	auth("the scope's end", "/aws4_request", "/aws4_requesT")
	auth("the scope's service", "/"+s.scope.Services[0]+"/", "/ec2/")
	auth("the algorithm", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
	auth("the list of headers", "SignedHeaders=", "SignedHeaders=a;")
	auth("host among the headers", "host;", "")
	auth("a header's case", "host;", "Host;")
	_, list, _ := strings.Cut(signedHeaders, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	names := strings.Split(list, ";")
	slices.Reverse(names)
	auth("the order of headers", list, strings.Join(names, ";"))
	auth("a header twice in the list", "host;", "host;host;")
	for i := range 64 {
		at := strings.Index(signedHeaders, "Signature=") + 10 + i
		for _, by := range []string{swapBit(signedHeaders[at]), "", strings.ToUpper(signedHeaders[at : at+1])} {
			if by == signedHeaders[at:at+1] {
				continue
			}
			alter(fmt.Sprintf("digit %d of the signature %q", i, by), func(c *signed) {
				c.header().Set("Authorization", signedHeaders[:at]+by+signedHeaders[at+1:])
			})
		}
	}
	return all
}

func swapBit(c byte) string {
	if c == 'f' {
		return "0"
	}
	if c == '9' {
		return "a"
	}
	return string(c + 1)
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s) + "x"
}

// TestHarmless: what means the same may be spelled otherwise.
func TestHarmless(t *testing.T) {
	all := corpus(t)
	keys := sigv4.NewKeyCache(0)
	for name, change := range map[string]func(c *signed){
		"query":        func(c *signed) { c.header()["Content-Type"][0] = " " + c.header()["Content-Type"][0] + "  " },
		"rest":         func(c *signed) { c.req.RawQuery = "c=&a=%20%20x&a=1&&b=%32" },
		"s3":           func(c *signed) { c.header().Set("X-Amz-Meta-A", "b c"); c.req.RawPath = "/b/%61//../k%20%c3%a9%2Bx" },
		"json":         func(c *signed) { c.header().Set("User-Agent", "another") },
		"presigned s3": func(c *signed) { c.body = []byte("any") },
	} {
		c := all[name].clone()
		change(c)
		if err := c.verify(keys); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for sep, by := range map[string]string{", ": ",", ",": ",  "} {
		c := all["query"].clone()
		c.header().Set("Authorization", strings.ReplaceAll(c.header().Get("Authorization"), sep, by))
		if err := c.verify(keys); err != nil {
			t.Errorf("%q as %q: %v", sep, by, err)
		}
	}
}

// plainHeader is a header that is not net/http's.
type plainHeader struct{ wire.HTTPHeader }

// TestOtherHeaders: another front end's headers are read by the same rules.
func TestOtherHeaders(t *testing.T) {
	for name, s := range corpus(t) {
		c := s.clone()
		c.req.Header = plainHeader{c.req.Header.(wire.HTTPHeader)}
		if err := c.verify(sigv4.NewKeyCache(0)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.req.Header.(plainHeader).HTTPHeader["X-Amz-Acl"] = []string{"private"}
		if c.verify(sigv4.NewKeyCache(0)) == nil {
			t.Errorf("%s passes with a header added", name)
		}
	}
}

// TestContentHash: outside S3 a hash in the header may be left out, and must be
// the body's, however well it is signed.
func TestContentHash(t *testing.T) {
	right := sha256.Sum256([]byte("{}"))
	for hash, want := range map[string]bool{hex.EncodeToString(right[:]): true, strings.Repeat("0", 64): false, "UNSIGNED-PAYLOAD": false} {
		s := sign(t, "POST", "http://localhost/", "kms", "", "{}", map[string]string{"X-Amz-Content-Sha256": hash}, false)
		if err := s.verify(sigv4.NewKeyCache(0)); (err == nil) != want {
			t.Errorf("%s: %v", hash, err)
		}
	}
}

// TestUnsignedBody: an operation that takes a body unsigned takes it only as such.
func TestUnsignedBody(t *testing.T) {
	r, err := http.NewRequest("PUT", "http://localhost/snapshots/s/blocks/1", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	creds := sdk.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, "UNSIGNED-PAYLOAD", "ebs", "eu-west-1", signedAt); err != nil {
		t.Fatal(err)
	}
	s := &signed{body: []byte("any"), rules: sigv4.Rules{UnsignedBody: true}, scope: sigv4.Scope{Services: []string{"ebs"}, Regions: []string{"eu-west-1"}}}
	s.req = wire.Request{Method: "PUT", RawPath: r.URL.EscapedPath(), Host: "localhost", Header: wire.HTTPHeader(r.Header), ContentLength: 1}
	if err := s.verify(sigv4.NewKeyCache(0)); err != nil {
		t.Error(err)
	}
	s.rules.UnsignedBody = false
	if s.verify(sigv4.NewKeyCache(0)) == nil {
		t.Error("an unsigned body passes where it may not")
	}
}
