package cloudtrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// both runs a test on what the index has, and on what it has not yet.
func both(t *testing.T, run func(t *testing.T, p *plane, ready func())) {
	t.Run("indexed", func(t *testing.T) { p := newPlane(t); run(t, p, p.caught) })
	t.Run("not yet indexed", func(t *testing.T) { run(t, newPlane(t), func() {}) })
}

func TestLookUpByEachAttribute(t *testing.T) {
	both(t, func(t *testing.T, p *plane, ready func()) {
		p.add(event(home, 1))
		p.add(event(home, 2, func(e *trail.Event) {
			e.EventName, e.ReadOnly = "GetUser", true
			e.UserIdentity.UserName, e.UserIdentity.AccessKeyID = "bob", "AKIABOB"
		}))
		p.add(event(home, 3, func(e *trail.Event) {
			e.EventSource, e.EventName, e.RequestParameters = "kms.amazonaws.com", "DisableKey", []byte(`{"keyId":"k"}`)
			e.Resources = []trail.Resource{{AccountID: home, Type: "AWS::KMS::Key", ARN: "arn:aws:kms:us-east-1:111122223333:key/k"}}
			e.UserIdentity = trail.UserIdentity{Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/r/night", AccessKeyID: "ASIANIGHT"}
		}), event(home, 4, func(e *trail.Event) {
			e.UserIdentity = trail.UserIdentity{Type: "Root", ARN: "arn:aws:iam::111122223333:root"}
		}))
		ready()
		for _, c := range []struct {
			key   cloudtrail.LookupAttributeKey
			value string
			want  []int
		}{
			{cloudtrail.LookupAttributeKeyEventId, "00000002-0000-4000-8000-" + home, []int{2}},
			{cloudtrail.LookupAttributeKeyEventId, "00000002-0000-4000-8000-" + other, nil},
			{cloudtrail.LookupAttributeKeyEventName, "CreateUser", []int{1, 4}},
			{cloudtrail.LookupAttributeKeyEventName, "createuser", nil},
			{cloudtrail.LookupAttributeKeyReadOnly, "true", []int{2}},
			{cloudtrail.LookupAttributeKeyReadOnly, "false", []int{1, 3, 4}},
			{cloudtrail.LookupAttributeKeyUsername, "alice", []int{1}},
			{cloudtrail.LookupAttributeKeyUsername, "night", []int{3}},
			{cloudtrail.LookupAttributeKeyUsername, "root", []int{4}},
			{cloudtrail.LookupAttributeKeyResourceType, "AWS::IAM::User", []int{1, 2, 4}},
			{cloudtrail.LookupAttributeKeyResourceType, "AWS::KMS::Key", []int{3}},
			{cloudtrail.LookupAttributeKeyResourceName, "user-2", []int{2}},
			{cloudtrail.LookupAttributeKeyResourceName, "arn:aws:kms:us-east-1:111122223333:key/k", []int{3}},
			{cloudtrail.LookupAttributeKeyEventSource, "iam.amazonaws.com", []int{1, 2, 4}},
			{cloudtrail.LookupAttributeKeyEventSource, "kms.amazonaws.com", []int{3}},
			{cloudtrail.LookupAttributeKeyAccessKeyId, "AKIABOB", []int{2}},
			{cloudtrail.LookupAttributeKeyAccessKeyId, "ASIANIGHT", []int{3}},
		} {
			in := by(c.key, c.value)
			in.EndTime = new(noon.Add(-time.Second)) // none of the look-ups themselves
			wantNumbers(t, fmt.Sprintf("%s %s", c.key, c.value), p.lookup(home, in).Events, c.want...)
		}
		wantNumbers(t, "all", p.lookup(home, cloudtrail.LookupEventsInput{EndTime: new(noon.Add(-time.Second))}).Events, 1, 2, 3, 4)
	})
}

func TestAnEventIsShownAsCloudTrailShowsIt(t *testing.T) {
	p := newPlane(t)
	p.add(event(home, 1, func(e *trail.Event) {
		e.EventTime = e.EventTime.Add(123456789)
		e.ResponseElements = []byte(`{"user":{"userName":"user-1","userId":"AIDAONE","arn":"arn:aws:iam::111122223333:user/user-1"}}`)
	}), event(home, 2, func(e *trail.Event) {
		e.UserIdentity = trail.UserIdentity{Type: "AWSService", InvokedBy: "x.amazonaws.com"}
		e.RequestParameters, e.ReadOnly = nil, true
	}))
	got := p.lookup(home, calls()).Events
	wantNumbers(t, "events", got, 1, 2)
	e := got[0]
	if *e.EventName != "CreateUser" || *e.EventSource != "iam.amazonaws.com" || *e.ReadOnly != "false" || *e.Username != "alice" ||
		*e.AccessKeyId != "AKIAALICE" || !e.EventTime.Equal(noon.Add(-time.Second)) {
		t.Errorf("event %+v", e)
	}
	var names []string
	for _, r := range e.Resources {
		names = append(names, *r.ResourceType+" "+*r.ResourceName)
	}
	want := []string{"AWS::IAM::User user-1", "AWS::IAM::User arn:aws:iam::111122223333:user/user-1", "AWS::IAM::User AIDAONE"}
	if !slices.Equal(names, want) {
		t.Errorf("resources %q, want %q", names, want)
	}
	var record struct{ EventID, EventTime, RecipientAccountID string }
	if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &record); err != nil || record.EventID != *e.EventId ||
		record.EventTime != "2026-11-24T11:59:59Z" || record.RecipientAccountID != home {
		t.Errorf("record %s: %v", *e.CloudTrailEvent, err)
	}
	if e := got[1]; e.Username != nil || e.AccessKeyId != nil || e.Resources == nil || len(e.Resources) != 0 || *e.ReadOnly != "true" {
		t.Errorf("an event of a service %+v", e)
	}
}

func TestLookUpWithinATimeRange(t *testing.T) {
	both(t, func(t *testing.T, p *plane, ready func()) {
		for _, n := range []int{0, 10, 11, 3600, 86400, 86400 * 45, 86400 * 89, 86400*90 - 1, 86400*90 + 1, 86400 * 200} {
			p.add(event(home, n, func(e *trail.Event) {
				if n == 10 {
					e.EventTime = e.EventTime.Add(900 * time.Millisecond) // shown as of ten seconds before noon
				}
			}))
		}
		ready()
		ago := func(seconds float64) *time.Time {
			return new(noon.Add(-time.Duration(seconds * float64(time.Second))))
		}
		for _, c := range []struct {
			name       string
			start, end *time.Time
			want       []int
		}{
			{"without bounds", nil, nil, []int{0, 10, 11, 3600, 86400, 86400 * 45, 86400 * 89, 86400*90 - 1}},
			{"with a start before all", ago(86400 * 365), nil, []int{0, 10, 11, 3600, 86400, 86400 * 45, 86400 * 89, 86400*90 - 1}},
			{"with a start at an event", ago(10), nil, []int{0, 10}},
			{"with a start within an event's second", ago(9.5), nil, []int{0}},
			{"with a start in the future", ago(-60), nil, nil},
			{"with an end at an event", nil, ago(3600), []int{3600, 86400, 86400 * 45, 86400 * 89, 86400*90 - 1}},
			{"with an end at a second shown", ago(11), ago(10), []int{10, 11}},
			{"of one second", ago(10), ago(10), []int{10}},
			{"of days", ago(86400 * 46), ago(86400), []int{86400, 86400 * 45}},
			{"older than can be looked up", ago(86400 * 300), ago(86400 * 91), nil},
			{"of before 1970", new(time.Unix(-1000, 0)), new(time.Unix(-500, 0)), nil},
			{"without an end worth the name", new(time.Unix(1<<50, 0)), new(time.Unix(1<<51, 0)), nil},
		} {
			in := calls()
			in.StartTime, in.EndTime = c.start, c.end
			wantNumbers(t, "a range "+c.name, p.lookup(home, in).Events, c.want...)
			wantNumbers(t, "in pages of two, a range "+c.name, p.all(home, in, 2), c.want...)
		}
	})
}

func TestLookUpRefuses(t *testing.T) {
	p := newPlane(t)
	name := cloudtrail.LookupAttribute{AttributeKey: cloudtrail.LookupAttributeKeyEventName, AttributeValue: "CreateUser"}
	for _, c := range []struct {
		name, who string
		in        cloudtrail.LookupEventsInput
		want      string
	}{
		{"strangers", "mallory", cloudtrail.LookupEventsInput{}, "AccessDenied"},
		{"strangers, whatever else is wrong", "mallory", cloudtrail.LookupEventsInput{NextToken: new("x")}, "AccessDenied"},
		{"two attributes", "alice", cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrail.LookupAttribute{name, name}}, "InvalidLookupAttributesException"},
		{"an unknown attribute", "alice", by("Colour", "red"), "Validation"},
		{"an empty value", "alice", by(name.AttributeKey, ""), "Validation"},
		{"a ReadOnly that is neither", "alice", by(cloudtrail.LookupAttributeKeyReadOnly, "True"), "InvalidLookupAttributesException"},
		{"an end before the start", "alice", cloudtrail.LookupEventsInput{StartTime: &noon, EndTime: new(noon.Add(-time.Second))}, "InvalidTimeRangeException"},
		{"no results", "alice", cloudtrail.LookupEventsInput{MaxResults: new(int32(0))}, "Validation"},
		{"51 results", "alice", cloudtrail.LookupEventsInput{MaxResults: new(int32(51))}, "Validation"},
		{"insights", "alice", cloudtrail.LookupEventsInput{EventCategory: new(cloudtrail.EventCategoryInsight)}, "NotImplemented"},
		{"an empty token", "alice", cloudtrail.LookupEventsInput{NextToken: new("")}, "InvalidNextTokenException"},
		{"a token of its caller's making", "alice", cloudtrail.LookupEventsInput{NextToken: new("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")}, "InvalidNextTokenException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := gateway.Invoke(t.Context(), p.Gateway, user(home, c.who), cloudtrail.LookupEvents, &c.in)
			if got := codeOf(err); got != c.want {
				t.Errorf("LookupEvents: %v, want %s", err, c.want)
			}
		})
	}
}

func TestMaxResultsIsBoundedHereToo(t *testing.T) {
	for _, n := range []int32{-1, 0, 51, 1 << 30} {
		_, err := newQuery(&gateway.Call{Time: noon}, &cloudtrail.LookupEventsInput{MaxResults: &n})
		if got := codeOf(err); got != "InvalidMaxResultsException" {
			t.Errorf("MaxResults %d: %v", n, err)
		}
	}
}

func TestALookUpShowsItsRegionAndItsAccount(t *testing.T) {
	both(t, func(t *testing.T, p *plane, ready func()) {
		in := func(region string) func(*trail.Event) { return func(e *trail.Event) { e.AWSRegion = region } }
		p.add(event(home, 1), event(other, 2), event(home, 3, in("eu-west-1")), event(other, 4), event(home, 5))
		p.add(event(home, 6, in("")), event(home, 7, func(e *trail.Event) { e.ManagementEvent = false }),
			event(home, 8, func(e *trail.Event) { e.EventCategory = trail.Data }),
			event(home, 9, func(e *trail.Event) { e.RecipientAccountID = "" }))
		ready()
		wantNumbers(t, home, p.lookup(home, calls()).Events, 1, 5)
		wantNumbers(t, other, p.lookup(other, calls()).Events, 2, 4)
		wantNumbers(t, "a third", p.lookup("777788889999", calls()).Events)
		input := calls()
		out, err := p.service.lookupEvents(t.Context(), &gateway.Call{Account: home, Region: "eu-west-1", Time: noon}, "", &input)
		if err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "eu-west-1", out.Events, 3)
		keys, _ := p.rows()
		for _, key := range keys {
			if store.Scope([]byte(key)) == "" {
				t.Errorf("the installation's own record is indexed: %q", key)
			}
		}
	})
}

func TestALookUpSeesWhatWasAcknowledgedBeforeIt(t *testing.T) {
	p := newPlane(t)
	background(p)
	for n := range 200 {
		p.add(event(home, n))
		wantNumbers(t, "at once", p.lookup(home, by(cloudtrail.LookupAttributeKeyEventId, *eventID(n))).Events, n)
	}
	wantNumbers(t, "all", p.all(home, calls(), 50), upTo(200)...)
}

func eventID(n int) *string { return new(fmt.Sprintf("%08x-0000-4000-8000-%s", n, home)) }

func TestErasedAndMissingEventsArePassedOver(t *testing.T) {
	p := newPlane(t)
	for n := range 300 {
		p.add(event(home, n))
	}
	p.caught()
	if _, err := p.service.Trail.Erase(t.Context(), trail.Erasure{
		Account: home, Before: noon.Add(-50 * time.Second), Reason: "asked for", Now: noon,
	}); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "with the older ones erased", p.all(home, calls(), 7), upTo(51)...)
	for n := 1000; n < 1010; n++ {
		p.add(event(home, n))
	}
	p.caught()
	wantNumbers(t, "behind the erased ones", p.all(home, calls(), 50), append(upTo(51), 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009)...)
	if _, err := p.service.Trail.Cut(t.Context(), trail.Cut{Through: trail.Position{Stream: 1, Number: 20}, Reason: "asked for", Now: noon}); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "with the first ones cut", p.all(home, calls(), 50)[:31], upTo(51)[20:]...)
}
