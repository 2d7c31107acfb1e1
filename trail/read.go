package trail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

// Trail is the record that an engine keeps.
type Trail struct {
	Engine  store.Engine
	Journal *Journal

	held   sync.Map // the names that this process follows under a lease
	recent recent
}

// Filter chooses records. The zero Filter takes all but those that were erased.
type Filter struct {
	Name      string // eventName, or a service's prefix and it: "CreateUser", "iam:CreateUser"
	Principal string // the caller's ARN, principal id, user name, access key id or account
	Error     string // errorCode; "*" is any error, "none" no error
	Account   string // the account whose record it is
	Since     time.Time
	Until     time.Time // exclusive; zero: no end
	Erased    bool      // take erased records too, whatever the rest says
}

// Match tells whether f takes r.
func (f *Filter) Match(r *Record) bool {
	e := r.Event
	if e == nil {
		return f.Erased
	}
	return (f.Account == "" || f.Account == r.Scope) &&
		(f.Name == "" || f.named(e)) &&
		(f.Principal == "" || f.by(&e.UserIdentity)) &&
		(f.Error == "" || f.failed(e.ErrorCode)) &&
		!e.EventTime.Before(f.Since) && (f.Until.IsZero() || e.EventTime.Before(f.Until))
}

func (f *Filter) named(e *Event) bool {
	service, name, ok := strings.Cut(f.Name, ":")
	if !ok {
		return strings.EqualFold(f.Name, e.EventName)
	}
	source, _, _ := strings.Cut(e.EventSource, ".")
	return strings.EqualFold(service, source) && (name == "*" || strings.EqualFold(name, e.EventName))
}

func (f *Filter) by(u *UserIdentity) bool {
	if i := u.issuer(); i != nil && (f.Principal == i.ARN || f.Principal == i.PrincipalID || f.Principal == i.UserName) {
		return true
	}
	switch f.Principal {
	case u.ARN, u.PrincipalID, u.UserName, u.AccessKeyID, u.AccountID, u.InvokedBy:
		return true
	}
	return false
}

func (u *UserIdentity) issuer() *SessionIssuer {
	if u.SessionContext == nil {
		return nil
	}
	return u.SessionContext.SessionIssuer
}

func (f *Filter) failed(code string) bool {
	switch f.Error {
	case "*":
		return code != ""
	case "none":
		return code == ""
	}
	return f.Error == code
}

// After says from where to read: of each stream the number of the last event
// not to be read. Streams that are not in it are read from their first event.
type After map[uint64]uint64

// Read yields the durable records after the given positions that filter takes,
// stream by stream in the order in which they were opened. With follow it goes
// on with what is added, until ctx ends; that ends the sequence without error.
func (t *Trail) Read(ctx context.Context, after After, filter Filter, follow bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		r := &reading{t, &filter, yield, After{}, map[uint64]bool{}}
		maps.Copy(r.at, after)
		tail := tail{engine: t.Engine}
		for {
			streams, err := tail.streams(ctx)
			more := false
			if err == nil {
				more, err = r.round(ctx, streams)
			}
			if err == nil && (!more || !follow) {
				return
			}
			if err == nil {
				err = tail.wait(ctx)
			}
			if err != nil {
				if ctx.Err() == nil {
					yield(Record{}, err)
				}
				return
			}
		}
	}
}

// reading is a Read under way.
type reading struct {
	*Trail
	filter *Filter
	yield  func(Record, error) bool
	at     After
	ended  map[uint64]bool // closed streams that were read to their end
}

// round yields what there is, and is false when no more is to be yielded.
func (r *reading) round(ctx context.Context, streams []store.Stream) (bool, error) {
	for _, s := range streams {
		if r.ended[s.ID] {
			continue
		}
		for row, err := range r.Engine.Rows(ctx, s.ID, r.at[s.ID]) {
			if err != nil {
				return false, err
			}
			records, err := r.Journal.Open(s.ID, row)
			if err != nil {
				return false, err
			}
			for i := range records {
				rec := &records[i]
				if rec.Position.Number <= r.at[s.ID] {
					continue
				}
				r.at[s.ID] = rec.Position.Number
				if r.filter.Match(rec) && !r.yield(*rec, nil) {
					return false, nil
				}
			}
		}
		r.ended[s.ID] = s.Closed
	}
	return true, nil
}

// ErrNoRecord means that no record stands at a position: cut, or not yet written.
var ErrNoRecord = errors.New("trail: no record at that position")

// At is the record at p.
func (t *Trail) At(ctx context.Context, p Position) (Record, error) {
	if p.Number == 0 {
		return Record{}, ErrNoRecord
	}
	for row, err := range t.Engine.Rows(ctx, p.Stream, p.Number-1) {
		if err != nil {
			return Record{}, err
		}
		if p.Number < row.First {
			break
		}
		records, err := t.Journal.Open(p.Stream, row)
		if err != nil {
			return Record{}, err
		}
		return records[p.Number-row.First], nil
	}
	return Record{}, fmt.Errorf("%w: %v", ErrNoRecord, p)
}

// end finds the last durable row of a stream without reading the others; ok is
// false if it has none. Engines read forwards alone, so it asks at growing
// distances whether there is more, then halves.
func (t *Trail) end(ctx context.Context, stream uint64) (row store.Row, ok bool, err error) {
	next := func(after uint64) (store.Row, bool, error) {
		for row, err := range t.Engine.Rows(ctx, stream, after) {
			return row, err == nil, err
		}
		return store.Row{}, false, nil
	}
	var low, high uint64 = 0, 1 // there is a row after low (once ok), none after high (once found)
	for found := true; found; {
		got, more, err := next(low)
		if err != nil {
			return store.Row{}, false, err
		}
		if !more {
			break
		}
		row, ok = got, true
		if high = max(high*16, row.Last); high > 1<<59 {
			return store.Row{}, false, ErrRow
		}
		if got, found, err = next(high); err != nil {
			return store.Row{}, false, err
		} else if found {
			row, low = got, row.Last
		}
	}
	for ok && row.Last < high {
		middle := row.Last + (high-row.Last)/2
		got, more, err := next(middle)
		if err != nil {
			return store.Row{}, false, err
		}
		if more {
			row = got
		} else {
			high = middle
		}
	}
	return row, ok, nil
}
