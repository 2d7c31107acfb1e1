package cloudtrail

import (
	"cmp"
	"encoding/binary"
	"errors"
	"time"

	"github.com/garrison-security/garrison/trail"
)

// place is where an event stands in the order of look-ups, which is by time,
// newest first. Of events at one time those of the later position come first,
// so that no two share a place.
type place struct {
	time   int64 // Unix nanoseconds
	stream uint64
	number uint64
}

func placeOf(r *trail.Record) place {
	return place{r.Event.EventTime.UnixNano(), r.Position.Stream, r.Position.Number}
}

// compare is negative if p comes before q: if it is newer.
func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(q.time, p.time), cmp.Compare(q.stream, p.stream), cmp.Compare(q.number, p.number))
}

// at is the place behind all events at t or later, and ahead of all older ones.
func at(t time.Time) place { return place{time: t.UnixNano()} }

const placeSize = 24

func (p place) bytes() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, placeSize), uint64(p.time))
	b = binary.BigEndian.AppendUint64(b, p.stream)
	return binary.BigEndian.AppendUint64(b, p.number)
}

func parsePlace(b []byte) (place, error) {
	if len(b) != placeSize {
		return place{}, errors.New("cloudtrail: not a place")
	}
	return place{int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}, nil
}

const nanosADay = int64(24 * time.Hour)

// dayOf is the day of a time, counted from 1970-01-01.
func dayOf(nanos int64) int64 { return floor(nanos, nanosADay) }

// secondOf is the second of a time, counted likewise.
func secondOf(nanos int64) int64 { return floor(nanos, int64(time.Second)) }

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}
