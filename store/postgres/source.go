package postgres

import "context"

// found is a pair that a page of a scan holds.
type found struct {
	key []byte
	*entry
}

// live reads the database as it is at each read, and what the cache holds.
type live struct{ *Engine }

func (l live) entries(ctx context.Context, keys []string) ([]*entry, error) {
	all := make([]*entry, len(keys))
	var missing []string
	for i, key := range keys {
		if all[i] = l.cache.get(key); all[i] == nil {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	read, err := l.look(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i] == nil {
			all[i], read = read[0], read[1:]
		}
	}
	return all, nil
}

func (l live) page(ctx context.Context, s *span, reverse bool, limit int) (page []found, more bool, err error) {
	session, err := l.pool.take(ctx)
	if err != nil {
		return nil, false, err
	}
	defer l.pool.give(session)
	page, more, err = readPage(ctx, session, s, reverse, limit)
	return page, more, failure(ctx, err)
}

func (l live) row(ctx context.Context, name rowName) (first, version uint64, err error) {
	session, err := l.pool.take(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer l.pool.give(session)
	first, version, err = readRow(ctx, session, name)
	return first, version, failure(ctx, err)
}

// failure is what the caller is told of an error that ctx may have caused.
func failure(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return unavailable(err)
}

// snapshot reads the database as it was at one moment, in a transaction of its own.
type snapshot struct{ *session }

func (v snapshot) entries(ctx context.Context, keys []string) ([]*entry, error) {
	wanted := make(map[string]*entry, len(keys))
	for _, key := range keys {
		wanted[key] = nil
	}
	if err := readEntries(ctx, v.session, wanted); err != nil {
		return nil, v.failure(ctx, err)
	}
	all := make([]*entry, len(keys))
	for i, key := range keys {
		all[i] = wanted[key]
	}
	return all, nil
}

func (v snapshot) page(ctx context.Context, s *span, reverse bool, limit int) (page []found, more bool, err error) {
	page, more, err = readPage(ctx, v.session, s, reverse, limit)
	return page, more, v.failure(ctx, err)
}

func (v snapshot) row(ctx context.Context, name rowName) (first, version uint64, err error) {
	first, version, err = readRow(ctx, v.session, name)
	return first, version, v.failure(ctx, err)
}

// failure keeps apart what another snapshot may get past.
func (v snapshot) failure(ctx context.Context, err error) error {
	if conflicting(err) {
		return err
	}
	return failure(ctx, err)
}

// readPage reads the first pairs of s, in the direction of the scan; more is
// true if there may be others.
func readPage(ctx context.Context, session *session, s *span, reverse bool, limit int) (page []found, more bool, err error) {
	small, more, err := readSmall(ctx, session, s, reverse, limit)
	if err != nil {
		return nil, false, err
	}
	page = small[:0]
	for _, f := range small {
		if f.sealed == nil {
			if f.entry, err = readEntry(ctx, session, f.key); err != nil {
				return nil, false, err
			}
			if f.version == 0 { // gone meanwhile
				continue
			}
		}
		page = append(page, f)
	}
	return page, more, nil
}

// readSmall is readPage without what is large, which has no value then.
func readSmall(ctx context.Context, session *session, s *span, reverse bool, limit int) (page []found, more bool, err error) {
	what, args := pageUp, [][]byte{s.from, s.to}
	switch {
	case s.to == nil && reverse:
		what, args = pageAbove, args[:1]
	case s.to == nil:
		what, args = pageFrom, args[:1]
	case reverse:
		what = pageDown
	}
	args = append(args, bigint(uint64(limit)), bigint(inlineBytes))
	answer, err := session.read(ctx, what, args)
	if err != nil {
		return nil, false, err
	}
	page = make([]found, 0, len(answer.rows))
	for _, row := range answer.rows {
		version, err := row.number(1)
		if err != nil || len(row) != 3 {
			return nil, false, errAnswer
		}
		page = append(page, found{row[0], &entry{version: version, sealed: row[2]}})
	}
	return page, len(answer.rows) == limit, nil
}

// read runs a statement that reads, twice if the session had idled and broke.
func (s *session) read(ctx context.Context, what *statement, args [][]byte) (result, error) {
	if s.conn != nil && s.conn.TxStatus() != 'I' { // a snapshot's, which can't go on elsewhere
		return s.one(ctx, answerTime, what, args...)
	}
	results, err := s.again(ctx, call{what, args})
	if err != nil {
		return result{}, err
	}
	return results[0], nil
}

// readRow is the state of a row of events; version 0 means that there is none.
func readRow(ctx context.Context, session *session, name rowName) (first, version uint64, err error) {
	if name.stream > maxNumber || name.last > maxNumber {
		return 0, 0, nil
	}
	r, err := session.read(ctx, rowState, [][]byte{bigint(name.stream), bigint(name.last)})
	if err != nil || len(r.rows) == 0 {
		return 0, 0, err
	}
	if first, err = r.rows[0].number(0); err == nil {
		version, err = r.rows[0].number(1)
	}
	return first, version, err
}

// maxNumber is the largest number that the database holds.
const maxNumber = 1<<63 - 1
