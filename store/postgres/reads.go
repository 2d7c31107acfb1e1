package postgres

import (
	"bytes"
	"fmt"

	"github.com/garrison-security/garrison/store"
)

// span is the range from <= key < to; a nil to is no bound. What was found in
// it is told by the count of its pairs and the sum of their versions.
type span struct {
	from, to []byte
	count    uint64
	sum      sum
}

func (s *span) holds(key []byte) bool {
	return bytes.Compare(key, s.from) >= 0 && (s.to == nil || bytes.Compare(key, s.to) < 0)
}

// rowName is the place of a row of events.
type rowName struct{ stream, last uint64 }

// reads are what a transaction has read.
type reads struct {
	keys   map[string]*entry
	ranges []span
	rows   map[rowName]uint64 // versions, 0: there was none
}

func (r *reads) empty() bool { return len(r.keys) == 0 && len(r.ranges) == 0 && len(r.rows) == 0 }

func (r *reads) size() int { return len(r.keys) + 16*len(r.ranges) + len(r.rows) }

// question asks the database for the present versions of what transactions have read.
type question struct {
	keys    map[string]uint64 // the answer: versions
	ranges  map[[2]string]*span
	rows    map[rowName]uint64
	asked   []*span // of ranges, in order
	streams []uint64
}

func ask() *question {
	return &question{keys: map[string]uint64{}, ranges: map[[2]string]*span{}, rows: map[rowName]uint64{}}
}

func rangeName(s *span) [2]string { return [2]string{string(s.from), string(s.to)} }

func (q *question) add(r *reads) {
	for key := range r.keys {
		q.keys[key] = 0
	}
	for i := range r.ranges {
		s := &r.ranges[i]
		if name := rangeName(s); q.ranges[name] == nil {
			of := &span{from: s.from, to: s.to}
			q.ranges[name] = of
			q.asked = append(q.asked, of)
		}
	}
	for name := range r.rows {
		q.rows[name] = 0
	}
}

// calls are what asks it; answered takes the results in the same order.
func (q *question) calls() (calls []call) {
	if len(q.keys) > 0 {
		keys := make([][]byte, 0, len(q.keys))
		for key := range q.keys {
			keys = append(keys, []byte(key))
		}
		calls = append(calls, call{versionsOfKeys, [][]byte{byteArray(keys)}})
	}
	for _, s := range q.asked {
		if s.to == nil {
			calls = append(calls, call{sumFrom, [][]byte{s.from}})
		} else {
			calls = append(calls, call{sumOfRange, [][]byte{s.from, s.to}})
		}
	}
	of := map[uint64][]uint64{}
	for name := range q.rows {
		if of[name.stream] == nil {
			q.streams = append(q.streams, name.stream)
		}
		of[name.stream] = append(of[name.stream], name.last)
	}
	for _, stream := range q.streams {
		calls = append(calls, call{versionsOfRows, [][]byte{bigint(stream), bigintArray(of[stream])}})
	}
	return calls
}

// answered takes in results, and returns those that are not the question's.
func (q *question) answered(results []result) (rest []result, err error) {
	next := func() (r result) {
		r, results = results[0], results[1:]
		return r
	}
	if len(q.keys) > 0 {
		for _, row := range next().rows {
			version, err := row.number(1)
			if err != nil {
				return nil, err
			}
			q.keys[string(row[0])] = version
		}
	}
	for _, s := range q.asked {
		rows := next().rows
		if len(rows) != 1 || len(rows[0]) != 2 {
			return nil, errAnswer
		}
		if s.count, err = rows[0].number(0); err == nil {
			s.sum, err = parseSum(rows[0][1])
		}
		if err != nil {
			return nil, err
		}
	}
	for _, stream := range q.streams {
		for _, row := range next().rows {
			last, err := row.number(0)
			if err != nil {
				return nil, err
			}
			if q.rows[rowName{stream, last}], err = row.number(1); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// holds tells, once the question is answered, whether r is still so.
func (q *question) holds(r *reads) bool {
	for key, e := range r.keys {
		if q.keys[key] != e.version {
			return false
		}
	}
	for i := range r.ranges {
		s := &r.ranges[i]
		if now := q.ranges[rangeName(s)]; now.count != s.count || now.sum != s.sum {
			return false
		}
	}
	for name, version := range r.rows {
		if q.rows[name] != version {
			return false
		}
	}
	return true
}

// refresh drops from the cache what the answer contradicts.
func (q *question) refresh(c *cache) {
	for key, version := range q.keys {
		c.drop(key, version)
	}
}

// errTooMany refuses a transaction that reads more than can be checked.
var errTooMany = fmt.Errorf("%w: more than %d reads", store.ErrTooLarge, store.MaxReads)
