package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/garrison-security/garrison/store"
)

const (
	connectTime = 3 * time.Second
	// answerTime bounds a round trip that reads, commitTime one that commits.
	answerTime = 5 * time.Second
	commitTime = 10 * time.Second
	// refuseTime is how long after a failed connection all that need a new one are refused at once.
	refuseTime = 300 * time.Millisecond
)

// dialer makes connections.
type dialer struct {
	config *pgconn.Config
	trips  prometheus.Observer // nil: nobody counts

	mu     sync.Mutex
	failed time.Time // under mu: when a connection last failed
	err    error     // under mu: how
}

func (d *dialer) connect(ctx context.Context, notice pgconn.NoticeHandler) (*pgconn.PgConn, error) {
	d.mu.Lock()
	failed, err := d.failed, d.err
	d.mu.Unlock()
	if err != nil && time.Since(failed) < refuseTime {
		return nil, err
	}
	config := d.config.Copy()
	config.OnNotice = notice
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err = err; err != nil {
		d.failed = time.Now()
	}
	return conn, err
}

// session is a connection that one goroutine uses, made when it is needed and
// made anew after it broke.
type session struct {
	*dialer
	conn     *pgconn.PgConn
	prepared map[*statement]*pgconn.StatementDescription
	warned   bool // the server has sent a warning during the last round trip
}

// call is one execution of a statement.
type call struct {
	*statement
	args [][]byte
}

// result is what a call was answered.
type result struct {
	rows []row
	tag  pgconn.CommandTag
}

var binaryFormat = []int16{1}

// do runs calls in one round trip, as the server's errors allow: after the
// first that fails none is run. A *pgconn.PgError leaves the session usable,
// perhaps in a failed transaction; after any other error it is closed, and
// what became of the calls is unknown.
func (s *session) do(ctx context.Context, limit time.Duration, calls ...call) ([]result, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	s.warned = false
	began := time.Now()
	p := s.conn.StartPipeline(ctx)
	pending := map[*statement]bool{}
	for _, c := range calls {
		if known := s.prepared[c.statement]; known != nil {
			p.SendQueryStatement(known, c.args, binaryFormat, binaryFormat)
			continue
		}
		if !pending[c.statement] {
			pending[c.statement] = true
			p.SendPrepare(c.name, c.sql, nil)
		}
		p.SendQueryPrepared(c.name, c.args, binaryFormat, binaryFormat)
	}
	var results []result
	err := p.Sync()
	if err == nil {
		results, err = s.collect(p, calls, pending)
	}
	if closing := p.Close(); err == nil {
		err = closing
	}
	if s.trips != nil {
		s.trips.Observe(time.Since(began).Seconds())
	}
	if s.conn.IsClosed() {
		s.close()
	} else if err != nil {
		if _, ok := errors.AsType[*pgconn.PgError](err); !ok {
			s.close()
		}
	}
	if err == nil && len(results) != len(calls) {
		return nil, errAnswer
	}
	return results, err
}

// collect reads the answers to calls.
func (s *session) collect(p *pgconn.Pipeline, calls []call, pending map[*statement]bool) (results []result, err error) {
	for {
		got, err := p.GetResults()
		if err != nil {
			return results, err
		}
		switch got := got.(type) {
		case *pgconn.StatementDescription:
			what := calls[len(results)].statement
			got.Name = what.name
			s.prepared[what] = got
		case *pgconn.ResultReader:
			var r result
			for got.NextRow() {
				r.rows = append(r.rows, cloneRow(got.Values()))
			}
			if r.tag, err = got.Close(); err != nil {
				return results, err
			}
			results = append(results, r)
		case *pgconn.PipelineSync:
			return results, nil
		default:
			return results, errAnswer
		}
	}
}

func cloneRow(values [][]byte) row {
	r := make(row, len(values))
	for i, v := range values {
		if v != nil {
			r[i] = append(make([]byte, 0, len(v)), v...)
		}
	}
	return r
}

// one runs a single statement.
func (s *session) one(ctx context.Context, limit time.Duration, what *statement, args ...[]byte) (result, error) {
	results, err := s.do(ctx, limit, call{what, args})
	if err != nil {
		return result{}, err
	}
	return results[0], nil
}

// again is do for calls that may be run twice: if the session had idled, and
// broke, they are run once more on a new one.
func (s *session) again(ctx context.Context, calls ...call) ([]result, error) {
	idled := s.conn != nil
	results, err := s.do(ctx, answerTime, calls...)
	if err != nil && idled && s.conn == nil && ctx.Err() == nil {
		return s.do(ctx, answerTime, calls...)
	}
	return results, err
}

// script runs SQL without parameters that is used once, such as a migration's.
func (s *session) script(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()
	if err := s.open(ctx); err != nil {
		return err
	}
	_, err := s.conn.Exec(ctx, sql).ReadAll()
	if s.conn.IsClosed() {
		s.close()
	}
	return err
}

func (s *session) open(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	s.close()
	conn, err := s.connect(ctx, func(_ *pgconn.PgConn, n *pgconn.Notice) {
		s.warned = s.warned || n.SeverityUnlocalized == "WARNING"
	})
	if err != nil {
		return err
	}
	s.conn, s.prepared = conn, map[*statement]*pgconn.StatementDescription{}
	return nil
}

// leave ends a transaction that failed, or the connection with it.
func (s *session) leave(ctx context.Context) {
	if s.conn == nil || s.conn.TxStatus() == 'I' {
		return
	}
	if _, err := s.one(ctx, answerTime, rollback); err != nil {
		s.close()
	}
}

func (s *session) close() {
	if s.conn == nil {
		return
	}
	conn := s.conn
	s.conn, s.prepared = nil, nil
	if !conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // the server finds out by itself
	}
}

// again codes: the transaction was undone and may be run again.
// https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
func conflicting(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// refused tells that the server answered with an error, so that the calls it
// stands for had no effect; after a FATAL one that is not known.
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.SeverityUnlocalized != "FATAL" && e.SeverityUnlocalized != "PANIC" && !strings.HasPrefix(e.Code, "08")
}

// unavailable wraps an error of the database, whose type goes no further.
func unavailable(err error) error {
	switch {
	case err == nil, errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		return err
	}
	return fmt.Errorf("%w: the database: %v", store.ErrUnavailable, err)
}

// pool is the sessions of those who read at length: scans, followers, views of
// a snapshot.
type pool struct {
	*dialer
	free chan *session
}

func newPool(d *dialer, size int) *pool {
	p := &pool{d, make(chan *session, size)}
	for range size {
		p.free <- &session{dialer: d}
	}
	return p
}

func (p *pool) take(ctx context.Context) (*session, error) {
	select {
	case s := <-p.free:
		return s, nil
	default:
	}
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case s := <-p.free:
		return s, nil
	case <-timer.C:
		return nil, fmt.Errorf("%w: too many reads at once", store.ErrUnavailable)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pool) give(s *session) {
	if s.conn != nil && s.conn.TxStatus() != 'I' {
		s.close()
	}
	p.free <- s
}

// read runs a statement that only reads, on any session.
func (p *pool) read(ctx context.Context, calls ...call) ([]result, error) {
	s, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.give(s)
	results, err := s.again(ctx, calls...)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return results, unavailable(err)
}

// close ends the sessions. Those in use are waited for.
func (p *pool) close() {
	for range cap(p.free) {
		(<-p.free).close()
	}
}
