package gateway_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/trail"
)

const createForm = "Action=CreateUser&Version=2010-05-08&UserName=new"

func TestRefusalsBeforeAnyoneIsKnown(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	p.inactive["RETIRED"], p.policies["RETIRED"] = true, everything
	for _, c := range []struct {
		name, who string
		change    func(*http.Request)
		status    int
		code      string
	}{
		{"no signature", "ALICE", func(r *http.Request) { r.Header.Del("Authorization") }, 403, "MissingAuthenticationToken"},
		{"an unknown key", "NOBODY", func(*http.Request) {}, 403, "InvalidClientTokenId"},
		{"a wrong signature", "ALICE", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261124T090001Z") }, 403, "SignatureDoesNotMatch"},
		{"another body", "ALICE", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(createForm[:len(createForm)-1] + "x")) }, 403, "SignatureDoesNotMatch"},
		{"an inactive key", "RETIRED", func(*http.Request) {}, 403, "InvalidClientTokenId"},
		{"a session's key without its token", "ASIANOBODY", func(*http.Request) {}, 403, "InvalidClientTokenId"},
		{"a body that is too large", "ALICE", func(r *http.Request) { r.ContentLength = 1<<20 + 1 }, 413, ""},
		{"a body that breaks off", "ALICE", func(r *http.Request) { r.ContentLength = int64(len(createForm) + 9) }, 400, ""},
	} {
		status, body := p.post(c.who, "iam", createForm, c.change)
		if status != c.status || !strings.Contains(body, "<Code>"+c.code) {
			t.Errorf("%s = %d %s; want %d %s", c.name, status, body, c.status, c.code)
		}
	}
	if p.has("new") {
		t.Error("a refused call changed something")
	}
	// Only the inactive key's holder has proved who he is.
	p.wantRecords("retired iam:CreateUser InvalidClientTokenId")
	if err := p.unknown.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	counted := 0
	for _, e := range p.events() {
		if e.EventType == trail.ServiceEvent {
			counted++
		}
	}
	if counted == 0 {
		t.Error("calls that nobody can be charged with were not counted")
	}
}

func TestAnExpiredSessionIsChargedToItsHolder(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	r := httptest.NewRequest("POST", "http://localhost:4566/", strings.NewReader(createForm))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amz-Security-Token", "token of ASIAALICE")
	p.sign(r, "ASIAALICE", "iam", []byte(createForm))
	if status, body := p.send(r); status != 403 || !strings.Contains(body, "<Code>ExpiredToken<") {
		t.Errorf("an expired session = %d %s", status, body)
	}
	p.wantRecords("asiaalice iam:CreateUser ExpiredToken")

	r.Header.Set("X-Amz-Security-Token", "token of ASIABOB")
	r.Body = io.NopCloser(strings.NewReader(createForm))
	p.sign(r, "ASIAALICE", "iam", []byte(createForm))
	if status, body := p.send(r); status != 403 || !strings.Contains(body, "<Code>InvalidClientTokenId<") {
		t.Errorf("another session's token = %d %s", status, body)
	}
}

func TestRatesAreOneAccounts(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)}, func(c *gateway.Config) {
		c.Limits.Rates = map[string]gateway.Rate{"iam:CreateUser": {PerSecond: 1, Burst: 2}}
	})
	for i, want := range []string{"", "", "throttled"} {
		if _, err := invoke(p, "ALICE", iam.CreateUser, &iam.CreateUserInput{UserName: "n" + string(rune('0'+i))}); codeOf(err) != want {
			t.Errorf("call %d = %v, want %q", i, err, want)
		}
	}
	p.wantRecords("alice iam:CreateUser", "alice iam:CreateUser", "alice iam:CreateUser ThrottlingException")
}

func TestCallsAreRefusedBeforeSpaceEnds(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)}, func(c *gateway.Config) { c.MinFree = 1.1 })
	if status, body := p.post("ALICE", "iam", createForm); status != 503 || p.has("new") {
		t.Errorf("a call without space = %d %s", status, body)
	}
}

// bucketNamed is a bucket by name alone.
type bucketNamed string

func (b bucketNamed) ARN() string             { return "arn:aws:s3:::" + string(b) }
func (b bucketNamed) ResourceAccount() string { return account }

// s3Request is a signed request to S3, of signed bytes or of others.
func (p *plane) s3Request(method, target string, signed, sent []byte) *http.Request {
	r := httptest.NewRequest(method, "http://localhost:4566"+target, bytes.NewReader(sent))
	p.sign3(r, signed)
	return r
}

func TestStreamedBodiesCountOnlyWhenTheyAreWhatWasSigned(t *testing.T) {
	put := gateway.Stream(s3.PutObject,
		func(_ *gateway.Call, in *s3.PutObjectInput) (bucketNamed, error) {
			return bucketNamed(in.Bucket + "/" + in.Key), nil
		},
		func(_ context.Context, call *gateway.Call, _ bucketNamed, _ *s3.PutObjectInput, body io.Reader) (string, error) {
			if call.Tx != nil {
				t.Error("a body was received inside a transaction")
			}
			all, err := io.ReadAll(body)
			return string(all), err
		},
		func(_ context.Context, call *gateway.Call, _ bucketNamed, in *s3.PutObjectInput, received string) (*s3.PutObjectOutput, error) {
			return nil, rows.Put(call.Tx, call.Account, &row{received}, in.Key)
		})
	p := newPlane(t, service{put})
	if status, body := p.send(p.s3Request("PUT", "/bucket/good", []byte("hello"), []byte("hello"))); status != 200 || !p.has("good") {
		t.Errorf("PutObject = %d %s", status, body)
	}
	status, body := p.send(p.s3Request("PUT", "/bucket/bad", []byte("hello"), []byte("hellO")))
	if status != 400 || !strings.Contains(body, "XAmzContentSHA256Mismatch") || p.has("bad") {
		t.Errorf("another body than was signed = %d %s", status, body)
	}
	p.policies["ALICE"] = ""
	if status, body := p.send(p.s3Request("PUT", "/bucket/denied", []byte("hello"), []byte("hello"))); status != 403 || p.has("denied") {
		t.Errorf("a denied upload = %d %s", status, body)
	}
	p.wantRecords("alice s3:PutObject", "alice s3:PutObject XAmzContentSHA256Mismatch", "alice s3:PutObject AccessDenied")
}

func TestABodyOfS3sThatIsReadWholeIsCheckedToo(t *testing.T) {
	tag := gateway.Op(s3.PutBucketTagging,
		func(_ *gateway.Call, in *s3.PutBucketTaggingInput) (bucketNamed, error) {
			return bucketNamed(in.Bucket), nil
		},
		func(_ context.Context, call *gateway.Call, _ bucketNamed, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
			return nil, rows.Put(call.Tx, call.Account, &row{}, in.Tagging.TagSet[0].Key)
		})
	p := newPlane(t, service{tag})
	const good = `<Tagging><TagSet><Tag><Key>good</Key><Value>1</Value></Tag></TagSet></Tagging>`
	bad := strings.Replace(good, "good", "evil", 1)
	if status, body := p.send(p.s3Request("PUT", "/bucket?tagging", []byte(good), []byte(good))); status/100 != 2 || !p.has("good") {
		t.Errorf("PutBucketTagging = %d %s", status, body)
	}
	if status, body := p.send(p.s3Request("PUT", "/bucket?tagging", []byte(good), []byte(bad))); status != 400 || p.has("evil") {
		t.Errorf("another body than was signed = %d %s", status, body)
	}
}

func TestEveryAnswerNamesItsRequest(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	for _, c := range []struct {
		name string
		r    *http.Request
		want []string
	}{
		{"a refusal", httptest.NewRequest("POST", "http://localhost:4566/", strings.NewReader(createForm)), []string{"X-Amzn-Requestid"}},
		{"S3", p.s3Request("GET", "/", nil, nil), []string{"X-Amz-Request-Id", "X-Amz-Id-2"}},
	} {
		c.r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, c.r)
		for _, header := range c.want {
			if w.Header().Get(header) == "" {
				t.Errorf("the answer to %s has no %s: %v", c.name, header, w.Header())
			}
		}
	}
}
