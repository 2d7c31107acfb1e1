package cloudtrail

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// codeOf is the wire code, or the kind, of an error.
func codeOf(err error) string {
	if m, ok := errors.AsType[aws.Modelled](err); ok {
		return m.ErrorShape()
	}
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return map[aws.Kind]string{aws.AccessDenied: "AccessDenied", aws.NotImplemented: "NotImplemented", aws.Validation: "Validation",
			aws.Unavailable: "Unavailable"}[e.Kind]
	}
	return fmt.Sprint(err)
}

// background runs the service until the test ends.
func background(p *plane) {
	ctx, stop := context.WithCancel(p.Context())
	done := make(chan error, 1)
	go func() { done <- p.service.Run(ctx) }()
	p.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			p.Errorf("Run: %v", err)
		}
	})
}

// rows are all rows of the index.
func (p *plane) rows() (keys []string, events int) {
	p.Helper()
	err := p.engine.View(p.Context(), func(tx store.Tx) error {
		keys, events = nil, 0
		for pair, err := range tx.Scan(store.Key(postingTable, ""), tableEnd(), false) {
			if err != nil {
				return err
			}
			keys = append(keys, string(pair.Key))
			_, scope, parts, _ := store.Parts(pair.Key)
			v, err := postings.Get(tx, scope, parts...)
			if err != nil {
				return err
			}
			events += len(v.Events)
		}
		return nil
	})
	if err != nil {
		p.Fatal(err)
	}
	return keys, events
}

func TestPagesAreStableWhileEventsAreAppended(t *testing.T) {
	p := newPlane(t)
	background(p)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 120 {
		// Three of each second, whose order is that of their positions.
		p.add(event(home, n, func(e *trail.Event) { e.EventTime = noon.Add(-time.Duration(n/3) * time.Second) }))
	}
	var found []int
	in := calls()
	in.MaxResults = new(int32(7))
	for added := 1000; ; added++ {
		out := p.lookup(home, in)
		found = append(found, numbers(t, out.Events)...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
		// Newer than all that was shown: not to be seen by this listing.
		p.add(event(home, added, func(e *trail.Event) { e.EventTime = noon.Add(time.Duration(random.IntN(3)) * time.Second) }))
	}
	if len(found) != 120 {
		t.Fatalf("%d events: %v", len(found), found)
	}
	var want []int
	for n := 0; n < 120; n += 3 {
		want = append(want, n+2, n+1, n)
	}
	if !slices.Equal(found, want) {
		t.Errorf("events %v", found)
	}
}

func TestTheLastPageHasNoToken(t *testing.T) {
	both(t, func(t *testing.T, p *plane, ready func()) {
		for n := range 4 {
			p.add(event(home, n))
		}
		ready()
		in := calls()
		in.MaxResults = new(int32(2))
		in.NextToken = p.lookup(home, in).NextToken
		out := p.lookup(home, in)
		wantNumbers(t, "the last page", out.Events, 2, 3)
		if out.NextToken != nil {
			t.Error("the last page has a token")
		}
	})
}

func TestTokensOpenForTheirListingAlone(t *testing.T) {
	p := newPlane(t)
	for n := range 10 {
		p.add(event(home, n), event(other, n))
	}
	in := calls()
	in.MaxResults, in.EndTime = new(int32(3)), new(noon)
	token := *p.lookup(home, in).NextToken
	next := func(account string, change func(*cloudtrail.LookupEventsInput)) string {
		in := in
		in.NextToken = &token
		change(&in)
		out, err := gateway.Invoke(t.Context(), p.Gateway, user(account, "auditor"), cloudtrail.LookupEvents, &in)
		if err == nil {
			return fmt.Sprint(numbers(t, out.Events))
		}
		return codeOf(err)
	}
	const refused = "InvalidNextTokenException"
	for _, c := range []struct {
		name, account string
		change        func(*cloudtrail.LookupEventsInput)
		want          string
	}{
		{"as given", home, func(*cloudtrail.LookupEventsInput) {}, "[3 4 5]"},
		{"another page size", home, func(in *cloudtrail.LookupEventsInput) { in.MaxResults = new(int32(2)) }, "[3 4]"},
		{"another account", other, func(*cloudtrail.LookupEventsInput) {}, refused},
		{"another attribute", home, func(in *cloudtrail.LookupEventsInput) {
			in.LookupAttributes = by(cloudtrail.LookupAttributeKeyEventName, "CreateUser").LookupAttributes
		}, refused},
		{"no attribute", home, func(in *cloudtrail.LookupEventsInput) { in.LookupAttributes = nil }, refused},
		{"another start", home, func(in *cloudtrail.LookupEventsInput) { in.StartTime = new(noon.Add(-time.Hour)) }, refused},
		{"another end", home, func(in *cloudtrail.LookupEventsInput) { in.EndTime = new(noon.Add(-time.Second)) }, refused},
		{"the end as a start", home, func(in *cloudtrail.LookupEventsInput) { in.StartTime, in.EndTime = in.EndTime, nil }, refused},
		{"a longer one", home, func(in *cloudtrail.LookupEventsInput) { in.NextToken = new(token + "A") }, refused},
		{"none to speak of", home, func(in *cloudtrail.LookupEventsInput) { in.NextToken = new("====") }, refused},
	} {
		if got := next(c.account, c.change); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		altered := slices.Clone(sealed)
		altered[i] ^= 1
		if got := next(home, func(in *cloudtrail.LookupEventsInput) {
			in.NextToken = new(base64.RawURLEncoding.EncodeToString(altered))
		}); got != refused {
			t.Errorf("byte %d altered: %s", i, got)
		}
	}
	eu := in
	eu.NextToken = &token
	if _, err := p.service.lookupEvents(t.Context(), &gateway.Call{Account: home, Region: "eu-west-1", Time: noon}, "", &eu); codeOf(err) != refused {
		t.Errorf("another Region: %v", err)
	}
}

// TestTheConsumerIsStoppedAndRunAgain stops the consumer at random, in the
// middle of what it writes too, and finds each event once.
func TestTheConsumerIsStoppedAndRunAgain(t *testing.T) {
	p := newPlane(t)
	random := rand.New(rand.NewPCG(3, 4))
	n := 0
	died := errors.New("died")
	for range 60 {
		var some []*trail.Event
		for range 1 + random.IntN(20) {
			some = append(some, event(home, n))
			n++
		}
		p.add(some...)
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Millisecond)
		batches := random.IntN(3)
		_ = p.service.Trail.Follow(ctx, follower, func(tx store.Tx, records []trail.Record) error {
			if batches--; batches < 0 {
				stop()
			}
			if err := p.service.index(tx, records); err != nil || batches < 0 && random.IntN(2) == 0 {
				return errors.Join(err, died)
			}
			return nil
		})
		stop()
		if random.IntN(4) == 0 {
			wantNumbers(t, "meanwhile", p.all(home, calls(), 50), upTo(n)...)
		}
	}
	p.caught()
	wantNumbers(t, "in the end", p.all(home, calls(), 50), upTo(n)...)
	p.caught()
	perEvent := len(attributes(event(home, 0)))
	_, events := p.rows()
	// The look-ups are in the index too.
	lookups := int(p.end()) - n
	if want := n*perEvent + lookups*len(attributes(&trail.Event{
		EventID: "i", EventName: "n", EventSource: "s", UserIdentity: trail.UserIdentity{UserName: "u", AccessKeyID: "k"},
	})); events != want {
		t.Errorf("the index has %d places, want %d", events, want)
	}
}

func TestManyEventsOfOneSecondShareRows(t *testing.T) {
	p := newPlane(t)
	var some []*trail.Event
	for n := range 500 {
		some = append(some, event(home, n, func(e *trail.Event) { e.EventTime = noon }))
	}
	p.add(some...)
	p.caught()
	keys, events := p.rows()
	if len(keys) > 2*500+10 || events != 500*9 {
		t.Errorf("%d rows for %d places", len(keys), events)
	}
	want := upTo(500)
	slices.Reverse(want)
	wantNumbers(t, "one second", p.all(home, calls(), 50), want...)
}

func TestOldRowsAreSwept(t *testing.T) {
	p := newPlane(t)
	for n := range 300 {
		p.add(event(home, n*86400/3), event(other, n*86400))
	}
	p.caught()
	before, _ := p.rows()
	err := p.engine.Update(t.Context(), func(tx store.Tx) error {
		_, err := sweepSome(tx, store.Key(postingTable, other), dayOf(noon.UnixNano()))
		return err
	})
	if stepped, _ := p.rows(); err != nil || len(stepped) != len(before)-sweepStep {
		t.Errorf("a step leaves %d rows of %d: %v", len(stepped), len(before), err)
	}
	if err := p.service.sweep(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	after, _ := p.rows()
	if len(after) >= len(before) {
		t.Errorf("%d rows of %d stay", len(after), len(before))
	}
	for _, key := range after {
		_, _, parts, _ := store.Parts([]byte(key))
		day := int64(parts[0][0])<<24 | int64(parts[0][1])<<16 | int64(parts[0][2])<<8 | int64(parts[0][3])
		if day < dayOf(noon.Add(-90*24*time.Hour).UnixNano()) {
			t.Errorf("a row of day %d stays", day)
		}
	}
	if got := len(p.all(home, calls(), 50)); got != 90*3+1 {
		t.Errorf("%d events of %s", got, home)
	}
	if got := len(p.all(other, calls(), 50)); got != 91 {
		t.Errorf("%d events of %s", got, other)
	}
	if err := p.service.sweep(t.Context(), noon.Add(92*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if keys, _ := p.rows(); len(keys) != 0 {
		t.Errorf("%d rows stay", len(keys))
	}
}

func TestTheServiceSweepsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		p.add(event(home, 1))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.service.Run(ctx) }()
		time.Sleep(time.Second)
		if keys, _ := p.rows(); len(keys) == 0 {
			t.Error("nothing is indexed")
		}
		p.at(noon.Add(92 * 24 * time.Hour))
		time.Sleep(sweepEvery)
		synctest.Wait()
		if keys, _ := p.rows(); len(keys) != 0 {
			t.Errorf("%d rows stay", len(keys))
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestALookUpWaitsForAnIndexThatIsFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		var some []*trail.Event
		for n := range maxTail + 10 {
			some = append(some, event(other, n%5))
		}
		p.add(some...)
		p.add(event(home, 1))
		in := calls()
		_, err := gateway.Invoke(t.Context(), p.Gateway, user(home, "auditor"), cloudtrail.LookupEvents, &in)
		if codeOf(err) != "Unavailable" {
			t.Errorf("LookupEvents: %v", err)
		}
		go func() {
			time.Sleep(3 * time.Second)
			p.caught()
		}()
		wantNumbers(t, "once there is less", p.lookup(home, calls()).Events, 1)
		synctest.Wait()
	})
}
