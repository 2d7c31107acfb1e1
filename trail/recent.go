package trail

import (
	"bytes"
	"sync"
	"time"

	"github.com/garrison-security/garrison/store"
)

// Rows opened for one follower are kept for the others, which want them at
// about the same time: so many events and sealed bytes at most, and so long.
const (
	recentEvents = 4096
	recentBytes  = 8 << 20
	recentAge    = time.Second
)

// recent is what followers of this process opened last. Its records are shared: nobody writes to them.
type recent struct {
	mu     sync.Mutex
	rows   map[Position]*openedRow // by the row's last event
	order  []*openedRow            // by age
	events int
	bytes  int
}

// openedRow is a row as it was read, and what it holds once somebody has opened it.
type openedRow struct {
	last    Position
	row     store.Row
	at      time.Time
	open    sync.Once
	records []Record
	err     error
}

// Open is Journal.Open, or what it answered a moment ago for the very same bytes.
func (r *recent) Open(j *Journal, stream uint64, row store.Row) ([]Record, error) {
	o := r.of(Position{stream, row.Last}, row)
	o.open.Do(func() { o.records, o.err = j.Open(stream, row) })
	return o.records, o.err
}

func (r *recent) of(last Position, row store.Row) *openedRow {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.rows[last]; o != nil && o.row.First == row.First && bytes.Equal(o.row.Data, row.Data) {
		return o
	}
	if r.rows == nil {
		r.rows = map[Position]*openedRow{}
	}
	o := &openedRow{last: last, row: row, at: time.Now()}
	if len(r.order) == 0 {
		time.AfterFunc(recentAge, r.age)
	}
	r.rows[last], r.order = o, append(r.order, o)
	r.events, r.bytes = r.events+o.count(), r.bytes+len(o.row.Data)
	for (r.events > recentEvents || r.bytes > recentBytes) && len(r.order) > 1 {
		r.drop()
	}
	return o
}

// age drops what is too old, and comes again while there is more.
func (r *recent) age() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.order) > 0 && time.Since(r.order[0].at) >= recentAge {
		r.drop()
	}
	if len(r.order) > 0 {
		time.AfterFunc(recentAge-time.Since(r.order[0].at), r.age)
	}
}

func (r *recent) drop() {
	o := r.order[0]
	r.order[0] = nil
	r.order, r.events, r.bytes = r.order[1:], r.events-o.count(), r.bytes-len(o.row.Data)
	if r.rows[o.last] == o {
		delete(r.rows, o.last)
	}
}

func (o *openedRow) count() int { return int(o.row.Last - o.row.First + 1) }
