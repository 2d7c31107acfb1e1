package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

const (
	mostResults = 50 // and what MaxResults is where the caller says nothing
	// answerBytes is the size of records at which a page ends before it is full.
	answerBytes = 1 << 20
	// pageRounds bounds how often a page is filled up because index entries
	// point at events that were erased or cut.
	pageRounds = 20
)

// query is a look-up as it was asked for.
type query struct {
	account, region string
	by              attribute
	below           place // only what is older
	oldest          int64 // and not older than this, in Unix nanoseconds
	limit           int
}

// admits tells whether the look-up shows the record. It says so of the record
// itself, whatever led to it.
func (q *query) admits(r *trail.Record) bool {
	if r.Event == nil || r.Scope != q.account || r.Event.AWSRegion != q.region || !listed(r.Event) {
		return false
	}
	if p := placeOf(r); p.compare(q.below) <= 0 || p.time < q.oldest {
		return false
	}
	return q.by == attribute{} || contains(attributes(r.Event), q.by)
}

// lookupEvents finds a page of events, newest first.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func (s *Service) lookupEvents(ctx context.Context, call *gateway.Call, _ gateway.Anything, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
	q, err := newQuery(call, in)
	if err != nil {
		return nil, err
	}
	of := store.Listing{Name: "cloudtrail:LookupEvents", Account: call.Account, Filter: filterOf(call, in)}
	if in.NextToken != nil {
		if q.below, err = s.openToken(of, *in.NextToken, q.below); err != nil {
			return nil, err
		}
	}
	out := &cloudtrail.LookupEventsOutput{Events: []cloudtrail.Event{}}
	more, err := s.page(ctx, q, out)
	if err != nil || !more {
		return out, err
	}
	token, err := s.Tokens.Seal(of, q.below.bytes())
	out.NextToken = &token
	return out, err
}

func answerLookup(_ context.Context, _ *gateway.Call, _ gateway.Anything, _ *cloudtrail.LookupEventsInput, found *cloudtrail.LookupEventsOutput) (*cloudtrail.LookupEventsOutput, error) {
	return found, nil
}

// page fills out, and moves q.below to where the next page begins. more is true
// if there may be one.
func (s *Service) page(ctx context.Context, q *query, out *cloudtrail.LookupEventsOutput) (more bool, err error) {
	size := 0
	for range pageRounds {
		want := q.limit - len(out.Events) + 1
		found, err := s.search(ctx, q, want)
		if err != nil {
			return false, err
		}
		for i := range found {
			if len(out.Events) == q.limit || size > answerBytes {
				return true, nil
			}
			if r := &found[i]; q.admits(&r.Record) {
				text := string(r.Event.AppendJSON(nil))
				size += len(text)
				out.Events = append(out.Events, eventOf(r.Event, text))
			}
			q.below = found[i].place
		}
		if len(found) < want {
			return false, nil
		}
	}
	return true, nil
}

// newQuery is what the input asks for.
func newQuery(call *gateway.Call, in *cloudtrail.LookupEventsInput) (*query, error) {
	q := &query{
		account: call.Account, region: call.Region, limit: mostResults,
		// Whose clock is ahead of this node's may have recorded something already.
		below:  at(call.Time.Add(24 * time.Hour)),
		oldest: call.Time.Add(-retention).UnixNano(),
	}
	if in.EventCategory != nil {
		return nil, gateway.NotImplemented(call.Operation, "EventCategory")
	}
	if in.MaxResults != nil {
		if q.limit = int(*in.MaxResults); q.limit < 1 || q.limit > mostResults {
			return nil, &cloudtrail.InvalidMaxResultsException{
				Message: fmt.Sprintf("A max results value of %d is invalid. Specify max results between 1 and %d.", q.limit, mostResults),
			}
		}
	}
	switch len(in.LookupAttributes) {
	case 0:
	case 1:
		a := in.LookupAttributes[0]
		q.by = attribute{a.AttributeKey, a.AttributeValue}
		if q.by.key == cloudtrail.LookupAttributeKeyReadOnly && q.by.value != "true" && q.by.value != "false" {
			return nil, &cloudtrail.InvalidLookupAttributesException{Message: "The value of ReadOnly must be true or false."}
		}
	default:
		return nil, &cloudtrail.InvalidLookupAttributesException{Message: "You can only specify one lookup attribute."}
	}
	if in.StartTime != nil && in.EndTime != nil && in.StartTime.After(*in.EndTime) {
		return nil, &cloudtrail.InvalidTimeRangeException{Message: "The start time must be before the end time."}
	}
	// Events are shown to the second, and compared as they are shown. What a time's nanoseconds can't
	// count lies beyond all events.
	if t := in.StartTime; t != nil && t.After(call.Time.Add(-retention)) {
		q.oldest = min(t.Unix(), lastSecond) * int64(time.Second)
		if t.Nanosecond() > 0 {
			q.oldest += int64(time.Second)
		}
	}
	if t := in.EndTime; t != nil && t.Before(call.Time) {
		q.below = at(time.Unix(max(t.Unix(), 0)+1, 0))
	}
	return q, nil
}

// lastSecond is the last one that can be counted in nanoseconds, less a margin.
const lastSecond = math.MaxInt64/int64(time.Second) - 10

// filterOf is all that chooses what is listed, but for MaxResults: as AWS has
// it, a token is used with the parameters that it was given for.
func filterOf(call *gateway.Call, in *cloudtrail.LookupEventsInput) string {
	b := strconv.AppendQuote(nil, call.Region)
	for _, t := range []*time.Time{in.StartTime, in.EndTime} {
		b = append(b, ' ')
		if t != nil {
			b = t.UTC().AppendFormat(b, time.RFC3339Nano)
		}
	}
	for _, a := range in.LookupAttributes {
		b = strconv.AppendQuote(append(b, ' '), string(a.AttributeKey))
		b = strconv.AppendQuote(append(b, ' '), a.AttributeValue)
	}
	return string(b)
}

// openToken is the place that a token carries, or limit if that comes later.
func (s *Service) openToken(of store.Listing, token string, limit place) (place, error) {
	invalid := &cloudtrail.InvalidNextTokenException{Message: "The specified next token is not valid."}
	b, err := s.Tokens.Open(of, token)
	if errors.Is(err, store.ErrToken) || err == nil && b == nil {
		return place{}, invalid
	}
	if err != nil {
		return place{}, err
	}
	p, err := parsePlace(b)
	if err != nil {
		return place{}, invalid
	}
	if p.compare(limit) < 0 {
		return limit, nil
	}
	return p, nil
}

// eventOf is e as look-ups show it; text is its record.
func eventOf(e *trail.Event, text string) cloudtrail.Event {
	out := cloudtrail.Event{
		EventId: &e.EventID, EventName: &e.EventName, EventSource: &e.EventSource,
		ReadOnly: new(strconv.FormatBool(e.ReadOnly)), EventTime: new(e.EventTime.Truncate(time.Second)),
		CloudTrailEvent: &text, Resources: []cloudtrail.Resource{},
	}
	if name := userName(&e.UserIdentity); name != "" {
		out.Username = &name
	}
	if id := e.UserIdentity.AccessKeyID; id != "" {
		out.AccessKeyId = &id
	}
	for _, r := range resources(e) {
		shown := cloudtrail.Resource{ResourceName: &r.name}
		if r.kind != "" {
			shown.ResourceType = &r.kind
		}
		out.Resources = append(out.Resources, shown)
	}
	return out
}
