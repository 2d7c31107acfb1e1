package trail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

const (
	// unattributedSources bounds how many networks and errors are told apart in a minute; what
	// comes beyond is counted together, so that a flood fills neither memory nor the record.
	unattributedSources = 1024
	unattributedEvery   = time.Minute
)

// Unattributed counts the calls that no account can be charged with: unsigned
// ones, those of unknown keys, those that are no AWS call. Once a minute what
// was counted is recorded, one event for each source network and error, in the
// installation's record. A process that is killed loses the counts of its last
// minute. It is safe for concurrent use.
type Unattributed struct {
	Engine store.Engine
	Now    func() time.Time // nil is time.Now

	mu     sync.Mutex
	counts map[source]*count
}

// source is where calls came from, and why they were refused.
type source struct {
	network netip.Prefix // not valid: sources beyond the bound
	code    string
}

type count struct {
	calls       uint64
	first, last time.Time
}

// Count counts a call made at now from an address, refused with the error code.
func (u *Unattributed) Count(now time.Time, from netip.Addr, code string) {
	if len(code) > 128 {
		code = code[:128]
	}
	s := source{networkOf(from), code}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.add(s, count{1, now, now})
}

// add adds c to what was counted of s. The caller holds mu.
func (u *Unattributed) add(s source, c count) {
	if u.counts == nil {
		u.counts = map[source]*count{}
	}
	have := u.counts[s]
	if have == nil && len(u.counts) >= unattributedSources {
		s = source{}
		have = u.counts[s]
	}
	if have == nil {
		u.counts[s] = &c
		return
	}
	have.calls += c.calls
	if c.first.Before(have.first) {
		have.first = c.first
	}
	if c.last.After(have.last) {
		have.last = c.last
	}
}

// networkOf is the network that an address is counted with: /24 or /48.
func networkOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Run records what was counted once a minute, and when ctx ends for a last
// time. What can't be recorded is kept for the next minute. It returns ctx's
// error, or the last recording's.
func (u *Unattributed) Run(ctx context.Context) error {
	tick := time.NewTicker(unattributedEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := u.Flush(ctx); errors.Is(err, store.ErrClosed) {
				return err
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return errors.Join(ctx.Err(), u.Flush(last))
		}
	}
}

// Flush records what was counted until now.
func (u *Unattributed) Flush(ctx context.Context) error {
	u.mu.Lock()
	counts := u.counts
	u.counts = nil
	u.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	now := time.Now
	if u.Now != nil {
		now = u.Now
	}
	events := summaries(now(), counts)
	err := u.Engine.Update(ctx, func(tx store.Tx) error {
		for i := range events {
			if err := Append(tx, &events[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		for s, c := range counts {
			u.add(s, *c)
		}
		return fmt.Errorf("record unattributed calls: %w", err)
	}
	return nil
}

// summaries are the events for counts, in the order of their networks.
func summaries(now time.Time, counts map[source]*count) []Event {
	events := make([]Event, 0, len(counts))
	for s, c := range counts {
		address := "other"
		if s.network.IsValid() {
			address = s.network.String()
		}
		details := strconv.AppendUint([]byte(`{"calls":`), c.calls, 10)
		details = append(appendTime(append(details, `,"first":"`...), c.first), '"')
		details = append(appendTime(append(details, `,"last":"`...), c.last), `"}`...)
		e := own("UnattributedCalls", now)
		e.SourceIPAddress, e.ErrorCode, e.ServiceEventDetails = address, s.code, details
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.SourceIPAddress, b.SourceIPAddress), cmp.Compare(a.ErrorCode, b.ErrorCode))
	})
	return events
}

// ownSource is the source of the events that the record's keeper makes itself.
const ownSource = "trail.garrison"

// own is an event of the installation that no call made.
func own(name string, now time.Time) Event {
	return Event{
		UserIdentity: UserIdentity{Type: "AWSService", InvokedBy: ownSource}, EventTime: now,
		EventSource: ownSource, EventName: name, SourceIPAddress: ownSource, UserAgent: ownSource,
		EventID: NewID(), EventType: ServiceEvent, ManagementEvent: true,
	}
}
