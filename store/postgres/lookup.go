package postgres

import (
	"context"
	"fmt"

	"github.com/garrison-security/garrison/store"
)

const (
	// inlineBytes is the size up to which a value comes with others in one answer.
	inlineBytes = 64 << 10
	lookupKeys  = 512 // keys in one query, but always all of one caller
	lookers     = 2
)

// lookup is keys that a transaction wants to read.
type lookup struct {
	keys  []string
	found []*entry // in the order of keys, when reply says nil
	reply chan error
}

// look reads keys from the database, together with what others read just now.
func (e *Engine) look(ctx context.Context, keys []string) ([]*entry, error) {
	l := &lookup{keys: keys, reply: make(chan error, 1)}
	if err := e.lookups.push(l); err != nil {
		return nil, err
	}
	select {
	case err := <-l.reply:
		return l.found, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lookAll answers lookups until the queue is closed.
func (e *Engine) lookAll() {
	s := &session{dialer: e.dialer}
	defer s.close()
	for range e.lookups.wake {
		n := 0
		batch, open := e.lookups.take(func(_ int, l *lookup) bool {
			n += len(l.keys)
			return n <= lookupKeys
		})
		if !open {
			return
		}
		if len(batch) > 0 {
			e.answerLookups(s, batch)
		}
	}
}

func (e *Engine) answerLookups(s *session, batch []*lookup) {
	found := map[string]*entry{}
	for _, l := range batch {
		for _, key := range l.keys {
			found[key] = nil
		}
	}
	err := readEntries(e.ctx, s, found)
	for _, l := range batch {
		if err == nil {
			l.found = make([]*entry, len(l.keys))
			for i, key := range l.keys {
				l.found[i] = found[key]
			}
		}
		l.reply <- unavailable(err)
	}
	if err == nil {
		for key, entry := range found {
			e.cache.fill(key, entry)
		}
	}
}

// readEntries reads the entries of wanted's keys.
func readEntries(ctx context.Context, s *session, wanted map[string]*entry) error {
	keys := make([][]byte, 0, len(wanted))
	for key := range wanted {
		keys = append(keys, []byte(key))
	}
	answer, err := s.read(ctx, readKeys, [][]byte{byteArray(keys), bigint(inlineBytes)})
	if err != nil {
		return err
	}
	for key := range wanted {
		wanted[key] = &entry{}
	}
	for _, row := range answer.rows {
		version, err := row.number(1)
		if err != nil || len(row) != 3 {
			return errAnswer
		}
		key := string(row[0])
		if row[2] != nil {
			wanted[key] = &entry{version: version, sealed: row[2]}
		} else if wanted[key], err = readEntry(ctx, s, row[0]); err != nil {
			return err
		}
	}
	return nil
}

// readEntry reads one entry, however large.
func readEntry(ctx context.Context, s *session, key []byte) (*entry, error) {
	answer, err := s.read(ctx, readKey, [][]byte{key})
	if err != nil {
		return nil, err
	}
	if len(answer.rows) == 0 {
		return &entry{}, nil
	}
	row := answer.rows[0]
	version, err := row.number(0)
	if err != nil || len(row) != 2 || row[1] == nil {
		return nil, errAnswer
	}
	return &entry{version: version, sealed: row[1]}, nil
}

// check is what a transaction without changes has read: is it still so, all at one moment?
type check struct {
	reads *reads
	holds bool // when reply says nil
	reply chan error
}

const (
	checkReads = 8192 // reads that are checked together, but always all of one caller
	checkers   = 2
)

// still tells whether r holds at one moment between the call and the return.
func (e *Engine) still(ctx context.Context, r *reads) (bool, error) {
	if r.empty() {
		return true, nil
	}
	c := &check{reads: r, reply: make(chan error, 1)}
	if err := e.checks.push(c); err != nil {
		return false, err
	}
	select {
	case err := <-c.reply:
		return c.holds, err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// checkAll answers checks until the queue is closed.
func (e *Engine) checkAll() {
	s := &session{dialer: e.dialer}
	defer s.close()
	for range e.checks.wake {
		n := 0
		batch, open := e.checks.take(func(_ int, c *check) bool {
			n += c.reads.size()
			return n <= checkReads
		})
		if !open {
			return
		}
		if len(batch) > 0 {
			err := e.answerChecks(s, batch)
			for _, c := range batch {
				c.reply <- unavailable(err)
			}
		}
	}
}

func (e *Engine) answerChecks(s *session, batch []*check) error {
	for try := range tries {
		q := ask()
		for _, c := range batch {
			q.add(c.reads)
		}
		calls := append(append([]call{{statement: beginReading}}, q.calls()...), call{statement: commit})
		results, err := s.again(e.ctx, calls...)
		if conflicting(err) {
			s.leave(e.ctx)
			jitter(e.ctx, try)
			continue
		}
		if err != nil {
			s.leave(e.ctx)
			return err
		}
		if _, err := q.answered(results[1:]); err != nil {
			return err
		}
		q.refresh(e.cache)
		for _, c := range batch {
			c.holds = q.holds(c.reads)
		}
		return nil
	}
	return fmt.Errorf("%w: a read met others' writes too often", store.ErrUnavailable)
}
