package sts_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
)

// reach is a handler as a client's way to it.
type reach struct{ http.Handler }

func (r reach) RoundTrip(request *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	sent := request.Clone(request.Context())
	sent.RequestURI, sent.RemoteAddr = request.URL.RequestURI(), "198.51.100.7:1024"
	if sent.Host == "" {
		sent.Host = request.URL.Host
	}
	if sent.Body == nil {
		sent.Body = http.NoBody
	}
	r.ServeHTTP(w, sent)
	return w.Result(), nil
}

// A session, made and used by AWS's own client, opens nothing once its time is
// over: AssumeRole's least and GetSessionToken's, to the second.
func TestSessionsEndWhenTheirTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		client := func(id, secret, token string) *sdk.Client {
			return sdk.New(sdk.Options{
				Region: "us-east-1", BaseEndpoint: new("http://garrison.example"), HTTPClient: &http.Client{Transport: reach{p.Gateway}},
				Credentials: credentials.NewStaticCredentialsProvider(id, secret, token), RetryMaxAttempts: 1,
			})
		}
		call(p, p.root[home], iamapi.CreateUser, &iamapi.CreateUserInput{UserName: "alice"})
		call(p, p.root[home], iamapi.PutUserPolicy, &iamapi.PutUserPolicyInput{UserName: "alice", PolicyName: "p",
			PolicyDocument: `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`})
		key := call(p, p.root[home], iamapi.CreateAccessKey, &iamapi.CreateAccessKeyInput{UserName: new("alice")}).AccessKey
		role := p.role(home, "reader", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+home+`:user/alice"},"Action":"sts:AssumeRole"}}`, "")
		alice := client(key.AccessKeyId, key.SecretAccessKey, "")

		assumed, err := alice.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("session"), DurationSeconds: new(int32(900))})
		if err != nil {
			t.Fatal(err)
		}
		made, err := alice.GetSessionToken(t.Context(), &sdk.GetSessionTokenInput{DurationSeconds: new(int32(900))})
		if err != nil {
			t.Fatal(err)
		}
		a, b := assumed.Credentials, made.Credentials
		sessions := map[string]*sdk.Client{
			"AssumeRole":      client(*a.AccessKeyId, *a.SecretAccessKey, *a.SessionToken),
			"GetSessionToken": client(*b.AccessKeyId, *b.SecretAccessKey, *b.SessionToken),
		}
		check := func(when, want string) {
			t.Helper()
			for of, session := range sessions {
				_, err := session.GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{})
				got, message := "", ""
				if e, ok := errors.AsType[smithy.APIError](err); ok {
					got, message = e.ErrorCode(), e.ErrorMessage()
				} else if err != nil {
					got = err.Error()
				}
				if got != want || want != "" && message != "The security token included in the request is expired" {
					t.Errorf("%s, %s's session is answered %q %q, want %q", when, of, got, message, want)
				}
			}
		}
		check("at first", "")
		time.Sleep(time.Until(*a.Expiration) - time.Second)
		check("a second before its end", "")
		time.Sleep(2 * time.Second)
		check("after its end", "ExpiredToken")
		if _, err := alice.GetCallerIdentity(t.Context(), &sdk.GetCallerIdentityInput{}); err != nil {
			t.Errorf("the key that made them: %v", err)
		}
	})
}

// A machine whose clock is wrong makes no session, of whatever kind, and goes on answering what needs none.
func TestNoSessionIsMadeByAWrongClock(t *testing.T) {
	p := newOrganization(t)
	p.enableRootAccess()
	alice := p.user("alice", allowAll)
	role := p.role(home, "reader", trusts(alice.ARN, ""), "")
	attempts := map[string]func() string{
		"AssumeRole": func() string {
			return try(p, alice, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: role, RoleSessionName: "session"})
		},
		"AssumeRoot": func() string {
			return try(p, alice, stsapi.AssumeRoot, assumingRoot(other, "IAMAuditRootUserCredentials"))
		},
		"GetSessionToken": func() string { return try(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}) },
		"GetFederationToken": func() string {
			return try(p, alice, stsapi.GetFederationToken, &stsapi.GetFederationTokenInput{Name: "guest"})
		},
	}
	for _, wrong := range []bool{false, true, false} {
		p.wrong = wrong
		for name, attempt := range attempts {
			if got := attempt(); (got == "") == wrong || wrong && !strings.Contains(got, "temporarily unavailable") {
				t.Errorf("%s, the clock being wrong: %t: %q", name, wrong, got)
			}
		}
		if got := try(p, alice, stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityInput{}); got != "" {
			t.Errorf("GetCallerIdentity: %q", got)
		}
	}
}
