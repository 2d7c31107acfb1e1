package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

const (
	home  = "111122223333"
	other = "444455556666"
)

// noon is when the tests' calls are made, unless they say otherwise.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// plane is a gateway that serves CloudTrail from memory.
type plane struct {
	testing.TB
	*gateway.Gateway
	service *Service
	engine  store.Engine

	mu  sync.Mutex
	now time.Time // under mu
}

func newPlane(t testing.TB) *plane {
	t.Helper()
	options := storetest.Options()
	journal := trail.NewJournal(options.Sealer)
	options.Journal = journal
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	p := &plane{TB: t, engine: engine, now: noon}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	p.service = New(Options{
		Trail: &trail.Trail{Engine: engine, Journal: journal}, Tokens: store.Tokens{Sealer: options.Sealer},
		Clock: p.clock, Log: log,
	})
	p.Gateway, err = gateway.New(gateway.Config{
		Engine: engine, Directory: everybody{}, Sessions: everybody{}, Services: []gateway.Service{p.service},
		Unattributed: new(trail.Unattributed), Clock: p.clock, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *plane) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *plane) at(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
}

// everybody is a directory whose users may do everything, but mallory.
type everybody struct{}

var allowAll = func() *policy.Policy {
	document, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`), policy.Identity)
	if err != nil {
		panic(err)
	}
	return policy.Compile(document, "")
}()

func (everybody) Credential(store.Tx, string) (*gateway.Credential, error) {
	return nil, store.ErrNotFound
}
func (everybody) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}
func (everybody) Policies(_ store.Tx, who *aws.Principal, p *policy.Policies) (map[string]string, error) {
	if who.Name != "mallory" {
		p.Identity = append(p.Identity[:0], allowAll)
	}
	return nil, nil
}

func user(account, name string) *aws.Principal {
	return &aws.Principal{Kind: aws.User, Partition: "aws", Account: account, Name: name,
		ARN: "arn:aws:iam::" + account + ":user/" + name, ID: "AIDA" + name, AccessKeyID: "AKIA" + name}
}

// lookup looks up as the auditor of an account, and must succeed. Its own event is of noon.
func (p *plane) lookup(account string, in cloudtrail.LookupEventsInput) *cloudtrail.LookupEventsOutput {
	p.Helper()
	out, err := gateway.Invoke(p.Context(), p.Gateway, user(account, "auditor"), cloudtrail.LookupEvents, &in)
	if err != nil {
		p.Fatalf("LookupEvents: %v", err)
	}
	return out
}

// by looks up by an attribute.
func by(key cloudtrail.LookupAttributeKey, value string) cloudtrail.LookupEventsInput {
	return cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrail.LookupAttribute{{AttributeKey: key, AttributeValue: value}}}
}

// calls is all that the tests' calls, but for look-ups themselves.
func calls() cloudtrail.LookupEventsInput {
	return by(cloudtrail.LookupAttributeKeyEventSource, "iam.amazonaws.com")
}

// all looks up page after page, n events each.
func (p *plane) all(account string, in cloudtrail.LookupEventsInput, n int32) (events []cloudtrail.Event) {
	p.Helper()
	in.MaxResults = &n
	for range 100_000 {
		out := p.lookup(account, in)
		events = append(events, out.Events...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return events
		}
	}
	p.Fatal("pages without an end")
	return nil
}

// event is the n-th event of an account, n seconds before noon.
func event(account string, n int, change ...func(*trail.Event)) *trail.Event {
	e := &trail.Event{
		UserIdentity: trail.UserIdentity{
			Type: "IAMUser", PrincipalID: "AIDAALICE", ARN: "arn:aws:iam::" + account + ":user/alice",
			AccountID: account, AccessKeyID: "AKIAALICE", UserName: "alice",
		},
		EventTime: noon.Add(-time.Duration(n) * time.Second), EventSource: "iam.amazonaws.com", EventName: "CreateUser",
		AWSRegion: "us-east-1", SourceIPAddress: "192.0.2.7", RequestID: trail.NewID(),
		EventID:           fmt.Sprintf("%08x-0000-4000-8000-%s", n, account),
		RequestParameters: fmt.Appendf(nil, `{"userName":"user-%d"}`, n),
		ManagementEvent:   true, RecipientAccountID: account,
	}
	for _, change := range change {
		change(e)
	}
	return e
}

// add appends events, all in one transaction.
func (p *plane) add(events ...*trail.Event) {
	p.Helper()
	err := p.engine.Update(p.Context(), func(tx store.Tx) error {
		for _, e := range events {
			if err := trail.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.Fatal(err)
	}
}

// caught runs the consumer until it has handled all that there is.
func (p *plane) caught() {
	p.Helper()
	end := p.end()
	ctx, stop := context.WithCancel(p.Context())
	done := make(chan error, 1)
	go func() { done <- p.service.Trail.Follow(ctx, follower, p.service.index) }()
	for p.indexed() < end {
		select {
		case err := <-done:
			p.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		p.Fatal(err)
	}
}

// end is the number of the record's last event.
func (p *plane) end() (last uint64) {
	p.Helper()
	for row, err := range p.engine.Rows(p.Context(), 1, 0) {
		if err != nil {
			p.Fatal(err)
		}
		last = row.Last
	}
	return last
}

// indexed is the number of the last event that the consumer has handled.
func (p *plane) indexed() (last uint64) {
	p.Helper()
	err := p.engine.View(p.Context(), func(tx store.Tx) error {
		after, err := trail.Cursors(tx, follower)
		last = after[1]
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return last
}

// numbers are the numbers of the tests' events among those found.
func numbers(t testing.TB, events []cloudtrail.Event) (n []int) {
	t.Helper()
	for _, e := range events {
		var number int
		if _, err := fmt.Sscanf(*e.EventId, "%08x-0000-4000-8000-", &number); err != nil {
			t.Fatalf("event %s (%s) is none of the test's", *e.EventId, *e.EventName)
		}
		n = append(n, number)
	}
	return n
}

// wantNumbers wants exactly these events, in this order.
func wantNumbers(t testing.TB, what string, events []cloudtrail.Event, want ...int) {
	t.Helper()
	if got := numbers(t, events); !slices.Equal(got, want) {
		t.Errorf("%s: events %v, want %v", what, got, want)
	}
}

// upTo are the numbers from 0 to n-1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
