package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// serving starts a server for a test and answers root's key.
func serving(t *testing.T, args ...string) (*server, key) {
	t.Helper()
	s, err := start(t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.running() {
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		}
	})
	root, err := s.credential("default")
	if err != nil {
		t.Fatal(err)
	}
	return s, root
}

// TestSignIn goes through the rows of the error table that the query protocol
// has: what is sent, and what AWS answers.
func TestSignIn(t *testing.T) {
	t.Parallel()
	s, root := serving(t)
	ctx := t.Context()
	c := config(s.endpoint, "us-east-1", root, &http.Transport{})
	users := iam.NewFromConfig(c)
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")}); err != nil {
		t.Fatal(err)
	}
	made, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := users.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: aws.String("alice"), AccessKeyId: made.AccessKey.AccessKeyId, Status: "Inactive",
	}); err != nil {
		t.Fatal(err)
	}
	inactive := key{ID: *made.AccessKey.AccessKeyId, Secret: *made.AccessKey.SecretAccessKey}
	got, err := sts.NewFromConfig(c).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	session := key{*got.Credentials.AccessKeyId, *got.Credentials.SecretAccessKey, *got.Credentials.SessionToken}

	now := func() time.Time { return time.Now() }
	type request = func() *http.Request
	signed := func(k key, at time.Time, service, region string, change func(*http.Request)) request {
		return func() *http.Request {
			r := callerIdentity(t, s.endpoint)
			sign(t, r, k, at, service, region)
			if change != nil {
				change(r)
			}
			return r
		}
	}
	for _, c := range []struct {
		name    string
		request request
		status  int
		code    string
		message string // pattern
	}{
		{"a right signature", signed(root, now(), "sts", "us-east-1", nil), 200, "", ""},
		{"a session", signed(session, now(), "sts", "us-east-1", nil), 200, "", ""},
		{"no signature", func() *http.Request { return callerIdentity(t, s.endpoint) }, 403, "MissingAuthenticationToken", ""},
		{"a header that is none", func() *http.Request {
			r := callerIdentity(t, s.endpoint)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
			return r
		}, 400, "IncompleteSignature", ""},
		{"an unknown key id", signed(key{ID: "AKIAIOSFODNN7EXAMPLE", Secret: root.Secret}, now(), "sts", "us-east-1", nil), 403, "InvalidClientTokenId", "The security token included in the request is invalid"},
		{"an inactive key", signed(inactive, now(), "sts", "us-east-1", nil), 403, "InvalidClientTokenId", ""},
		{"a wrong secret", signed(key{ID: root.ID, Secret: "x" + root.Secret[1:]}, now(), "sts", "us-east-1", nil), 403, "SignatureDoesNotMatch", ""},
		{"a session's key without its token", signed(key{ID: session.ID, Secret: session.Secret}, now(), "sts", "us-east-1", nil), 403, "InvalidClientTokenId", ""},
		{"a long-term key with a token", signed(key{root.ID, root.Secret, session.Token}, now(), "sts", "us-east-1", nil), 403, "InvalidClientTokenId", ""},
		{"another token than the key's", signed(key{session.ID, session.Secret, "x" + session.Token[1:]}, now(), "sts", "us-east-1", nil), 403, "InvalidClientTokenId", ""},
		{"a signature of 20 minutes ago", signed(root, now().Add(-20*time.Minute), "sts", "us-east-1", nil), 403, "SignatureDoesNotMatch", `^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$`},
		{"a signature of 20 minutes hence", signed(root, now().Add(20*time.Minute), "sts", "us-east-1", nil), 403, "SignatureDoesNotMatch", `^Signature not yet current: `},
		{"another service's scope", signed(root, now(), "iam", "us-east-1", nil), 400, "InvalidAction", ""},
		{"a Region that is none", signed(root, now(), "sts", "mars-north-1", nil), 403, "SignatureDoesNotMatch", ""},
		{"another body than the signed one", signed(root, now(), "sts", "us-east-1", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(identityBody + "&a=b"))
			r.ContentLength = int64(len(identityBody + "&a=b"))
		}), 403, "SignatureDoesNotMatch", ""},
		{"another host than the signed one", signed(root, now(), "sts", "us-east-1", func(r *http.Request) { r.Host = "elsewhere" }), 403, "SignatureDoesNotMatch", ""},
		{"a query added", signed(root, now(), "sts", "us-east-1", func(r *http.Request) { r.URL.RawQuery = "a=b" }), 403, "SignatureDoesNotMatch", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := http.DefaultClient.Do(c.request())
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			code, message := element(body, "Code"), element(body, "Message")
			if answer.StatusCode != c.status || code != c.code || !regexp.MustCompile(c.message).MatchString(message) {
				t.Errorf("answered %d %s %q, want %d %s %q", answer.StatusCode, code, message, c.status, c.code, c.message)
			}
			if answer.Header.Get("x-amzn-RequestId") == "" || answer.Header.Get("Date") == "" {
				t.Errorf("the answer has no request id or no date: %v", answer.Header)
			}
			if strings.Contains(string(body), root.Secret) {
				t.Error("the answer holds a secret")
			}
		})
	}
}

const identityBody = "Action=GetCallerIdentity&Version=2011-06-15"

func callerIdentity(t *testing.T, endpoint string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, endpoint+"/", strings.NewReader(identityBody))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

func sign(t *testing.T, r *http.Request, k key, at time.Time, service, region string) {
	t.Helper()
	hash := sha256.Sum256([]byte(identityBody))
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{
		AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token,
	}, r, hex.EncodeToString(hash[:]), service, region, at); err != nil {
		t.Fatal(err)
	}
}

// element is the text of the first XML element of that name.
func element(body []byte, name string) string {
	_, rest, _ := strings.Cut(string(body), "<"+name+">")
	text, _, _ := strings.Cut(rest, fmt.Sprintf("</%s>", name))
	return text
}
