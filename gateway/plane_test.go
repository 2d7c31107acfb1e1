package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

const (
	account = "123456789012"
	secret  = "a secret that only tests know"
)

// service is a table of a test's own.
type service []gateway.Operation

func (s service) Operations() []gateway.Operation { return s }

// identities is the directory of a test: users by key id, with one policy each.
type identities struct {
	mu       sync.Mutex
	policies map[string]string // by key id
	inactive map[string]bool
}

func (d *identities) Credential(_ store.Tx, id string) (*gateway.Credential, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.policies[id]; !ok {
		return nil, store.ErrNotFound
	}
	return &gateway.Credential{Secret: secret, Active: !d.inactive[id], Principal: user(id)}, nil
}

func (d *identities) Policies(_ store.Tx, principal *aws.Principal, p *policy.Policies) (map[string]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if text := d.policies[principal.AccessKeyID]; text != "" {
		document, err := policy.Parse([]byte(text), policy.Identity)
		if err != nil {
			return nil, err
		}
		p.Identity = append(p.Identity[:0], policy.Compile(document, ""))
	}
	return nil, nil
}

func (d *identities) Open(token, id string) (*gateway.Credential, error) {
	if token != "token of "+id {
		return nil, &aws.Error{Kind: aws.BadToken, Message: "The security token included in the request is invalid"}
	}
	p := *user(id)
	p.Session = &aws.Session{IssuedAt: start.Add(-2 * time.Hour), ExpiresAt: start.Add(-time.Hour)}
	return &gateway.Credential{Secret: secret, Active: true, Principal: &p}, nil
}

func user(id string) *aws.Principal {
	name := strings.ToLower(id)
	return &aws.Principal{Kind: aws.User, Partition: "aws", Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name,
		ID: "AIDA" + id, Name: name, AccessKeyID: id}
}

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// start is the time at which every test begins.
var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// plane is a gateway with the tables of a test.
type plane struct {
	testing.TB
	*gateway.Gateway
	*identities
	engine  store.Engine
	journal *trail.Journal
	unknown *trail.Unattributed
	log     bytes.Buffer
	logger  *slog.Logger
}

func newPlane(t testing.TB, operations service, change ...func(*gateway.Config)) *plane {
	t.Helper()
	options := storetest.Options()
	journal := trail.NewJournal(options.Sealer)
	options.Journal = journal
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	p := &plane{TB: t, engine: engine, journal: journal, identities: &identities{
		policies: map[string]string{"ALICE": everything, "MALLORY": ""}, inactive: map[string]bool{},
	}}
	p.unknown = &trail.Unattributed{Engine: engine, Now: func() time.Time { return start }}
	p.logger = slog.New(slog.NewTextHandler(&p.log, nil))
	config := gateway.Config{
		Engine: engine, Directory: p.identities, Sessions: p.identities, Services: []gateway.Service{operations},
		Clock: func() time.Time { return start }, Unattributed: p.unknown, Log: p.logger,
	}
	for _, change := range change {
		change(&config)
	}
	if p.Gateway, err = gateway.New(config); err != nil {
		t.Fatal(err)
	}
	return p
}

// records are what the record holds, as "who service:Operation error".
func (p *plane) records() (lines []string) {
	p.Helper()
	for _, e := range p.events() {
		who := e.UserIdentity.UserName
		lines = append(lines, strings.TrimSpace(who+" "+strings.TrimSuffix(e.EventSource, ".amazonaws.com")+":"+e.EventName+" "+e.ErrorCode))
	}
	return lines
}

func (p *plane) events() (events []*trail.Event) {
	p.Helper()
	streams, err := p.engine.Streams(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, stream := range streams {
		for row, err := range p.engine.Rows(p.Context(), stream.ID, 0) {
			if err != nil {
				p.Fatal(err)
			}
			records, err := p.journal.Open(stream.ID, row)
			if err != nil {
				p.Fatal(err)
			}
			for _, r := range records {
				events = append(events, r.Event)
			}
		}
	}
	return events
}

func (p *plane) wantRecords(want ...string) {
	p.Helper()
	if got := strings.Join(p.records(), "\n"); got != strings.Join(want, "\n") {
		p.Errorf("the record holds\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// invoke makes a call in process as the holder of a key.
func invoke[In, Out any](p *plane, who string, op aws.Op[In, Out], in *In) (*Out, error) {
	p.Helper()
	return gateway.Invoke(p.Context(), p.Gateway, user(who), op, in)
}

// post sends a signed query request and answers status and body.
func (p *plane) post(who, service, form string, change ...func(*http.Request)) (int, string) {
	p.Helper()
	r := httptest.NewRequest("POST", "http://localhost:4566/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.sign(r, who, service, []byte(form))
	for _, change := range change {
		change(r)
	}
	return p.send(r)
}

func (p *plane) sign(r *http.Request, who, service string, body []byte) {
	p.Helper()
	sum := sha256.Sum256(body)
	err := v4.NewSigner().SignHTTP(context.Background(), awssdk.Credentials{AccessKeyID: who, SecretAccessKey: secret}, r,
		hex.EncodeToString(sum[:]), service, "us-east-1", start)
	if err != nil {
		p.Fatal(err)
	}
}

// sign3 signs a request to S3, whose paths are signed as they are.
func (p *plane) sign3(r *http.Request, body []byte) {
	p.Helper()
	sum := sha256.Sum256(body)
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(context.Background(),
		awssdk.Credentials{AccessKeyID: "ALICE", SecretAccessKey: secret}, r, hex.EncodeToString(sum[:]), "s3", "us-east-1", start)
	if err != nil {
		p.Fatal(err)
	}
}

func (p *plane) send(r *http.Request) (int, string) {
	p.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(body)
}

// codeOf is the wire code, or the kind, of an error.
func codeOf(err error) string {
	if m, ok := errors.AsType[aws.Modelled](err); ok {
		return m.ErrorShape()
	}
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return map[aws.Kind]string{aws.AccessDenied: "denied", aws.NotImplemented: "not implemented", aws.Throttled: "throttled",
			aws.Validation: "invalid", aws.Unavailable: "unavailable"}[e.Kind]
	}
	if err != nil {
		return "internal"
	}
	return ""
}
