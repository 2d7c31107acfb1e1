package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/garrison-security/garrison/store"
)

// migrations are the steps to this release's tables, in order, each a
// transaction of its own. They go forward only; a landed one is never changed.
// While one runs, and after it, nodes of the release before go on serving: a
// step adds, and what is no longer needed goes a release later. Each statement
// bears being run twice: CockroachDB commits before one that alters tables
// (autocommit_before_ddl), so that the lock alone does not keep two nodes apart.
var migrations = [][]string{
	{
		`CREATE TABLE IF NOT EXISTS garrison_kv (k bytea NOT NULL PRIMARY KEY, ver bigint NOT NULL, v bytea NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS garrison_streams (id bigint NOT NULL PRIMARY KEY, seq bigint NOT NULL CHECK (seq >= 0), last bigint NOT NULL,
			closed boolean NOT NULL, events boolean NOT NULL, fence bigint NOT NULL, beat timestamptz NOT NULL)`,
		`CREATE INDEX IF NOT EXISTS garrison_streams_open ON garrison_streams (id) WHERE NOT closed`,
		`CREATE TABLE IF NOT EXISTS garrison_rows (stream bigint NOT NULL, last bigint NOT NULL, first bigint NOT NULL,
			ver bigint NOT NULL, data bytea NOT NULL, PRIMARY KEY (stream, last))`,
	},
}

const (
	// createMeta makes the row under whose lock all else is made.
	createMeta = `CREATE TABLE IF NOT EXISTS garrison_meta (id bigint NOT NULL PRIMARY KEY, format bigint NOT NULL,
		release text NOT NULL, streams bigint NOT NULL)`
	insertMeta = `INSERT INTO garrison_meta (id, format, release, streams) VALUES (1, 0, '', 0) ON CONFLICT (id) DO NOTHING`
	lockMeta   = `SELECT format, release FROM garrison_meta WHERE id = 1 FOR UPDATE`
	stampMeta  = `UPDATE garrison_meta SET format = $1::bigint, release = $2::text WHERE id = 1`
	readMeta   = `SELECT format, release FROM garrison_meta WHERE id = 1`
)

// stamp is what the database says of the tables' format, and of the release
// that last opened them.
type stamp struct {
	format  int
	release string
}

// refuse is why tables with this stamp can't be used by release.
func (s stamp) refuse(release string) error {
	if s.format >= unfinished {
		return store.ErrUnfinished
	}
	if s.format > len(migrations) || store.Newer(s.release, release) {
		return fmt.Errorf("the store was written by release %s (format %d); this is release %s (format %d), which is older",
			s.release, s.format, release, len(migrations))
	}
	return nil
}

// migrate brings the tables to this release's format, or refuses them by name.
func (s *session) migrate(ctx context.Context, release string) error {
	for try := range tries {
		err := s.prepareMeta(ctx)
		if err == nil {
			break
		}
		if !crossing(err) || try == tries-1 {
			return unavailable(err)
		}
		jitter(ctx, try+4)
	}
	for try := 0; ; {
		done, err := s.step(ctx, release)
		switch {
		case crossing(err) && try < tries:
			try++
			jitter(ctx, try+4)
		case err != nil:
			if _, ok := errors.AsType[*pgconn.PgError](err); ok {
				err = unavailable(err)
			}
			return fmt.Errorf("bring the tables to format %d: %w", len(migrations), err)
		case done:
			return nil
		}
	}
}

func (s *session) prepareMeta(ctx context.Context) error {
	if err := s.script(ctx, createMeta); err != nil {
		return err
	}
	return s.script(ctx, insertMeta)
}

// step takes the next step of the migrations, if there is one, and stamps the tables.
func (s *session) step(ctx context.Context, release string) (done bool, err error) {
	defer func() {
		if err != nil {
			s.leave(ctx)
		}
	}()
	if err := s.script(ctx, "BEGIN"); err != nil {
		return false, unavailable(err)
	}
	found, err := s.readStamp(ctx, lockMeta)
	if err != nil {
		return false, err
	}
	if err := found.refuse(release); err != nil {
		return false, err
	}
	now := stamp{min(found.format+1, len(migrations)), release}
	if found.format < len(migrations) {
		for _, sql := range migrations[found.format] {
			if err := s.script(ctx, sql); err != nil {
				return false, err
			}
		}
	}
	if now != found {
		err = s.run(ctx, stampMeta, []byte(strconv.Itoa(now.format)), []byte(now.release))
	}
	if err == nil {
		err = s.script(ctx, "COMMIT")
	}
	return now.format == len(migrations), err
}

func (s *session) readStamp(ctx context.Context, sql string) (found stamp, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := s.open(ctx); err != nil {
		return found, unavailable(err)
	}
	answer := s.conn.ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	if answer.Err != nil {
		return found, answer.Err
	}
	if len(answer.Rows) != 1 || len(answer.Rows[0]) != 2 {
		return found, fmt.Errorf("%w: the table garrison_meta is damaged", store.ErrUnavailable)
	}
	found.release = string(answer.Rows[0][1])
	found.format, err = strconv.Atoi(string(answer.Rows[0][0]))
	return found, unavailable(err)
}

// run is script with parameters, in text.
func (s *session) run(ctx context.Context, sql string, args ...[]byte) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return s.conn.ExecParams(ctx, sql, args, nil, nil, nil).Read().Err
}

// crossing tells that another first start was met, and perhaps its half-made table.
func crossing(err error) bool { return conflicting(err) || code(err, "23505", "42710", "42P07") }

func code(err error, codes ...string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	for _, c := range codes {
		if ok && e.Code == c {
			return true
		}
	}
	return false
}

// Plan tells, in words, what opening the store would do, and changes nothing.
func Plan(ctx context.Context, url, release string) (string, error) {
	config, err := parse(url)
	if err != nil {
		return "", err
	}
	e := &Engine{dialer: &dialer{config: config}, tuning: defaultTuning()}
	s := &session{dialer: e.dialer}
	defer s.close()
	if err := s.open(ctx); err != nil {
		return "", unavailable(err)
	}
	version, err := s.version(ctx)
	if err != nil {
		return "", err
	}
	if err := e.setClock(ctx, s); err != nil {
		return "", err
	}
	found, err := s.readStamp(ctx, readMeta)
	switch {
	case code(err, "42P01"): // there is no such table
		return fmt.Sprintf("%s: empty; a start makes the tables, of format %d", version, len(migrations)), nil
	case err != nil:
		return "", unavailable(err)
	}
	if err := found.refuse(release); err != nil {
		return "", err
	}
	if found.format < len(migrations) {
		return fmt.Sprintf("%s: tables of format %d; a start migrates them to %d", version, found.format, len(migrations)), nil
	}
	return fmt.Sprintf("%s: tables of format %d, as this release wants them", version, found.format), nil
}

// clockTolerance is how far a node's clock may be from the database's.
const clockTolerance = 30 * time.Second

// setClock compares the clocks, and refuses a machine whose clock is wrong.
func (e *Engine) setClock(ctx context.Context, s *session) error {
	before := e.now()
	answer, err := s.one(ctx, answerTime, clock)
	if err != nil {
		return unavailable(err)
	}
	e.compare(before, answer)
	if off := e.ClockOffset(); off.Abs() > clockTolerance {
		return fmt.Errorf("this machine's clock is %v from the database's; it may be %v: set it right", off.Round(time.Second), clockTolerance)
	}
	return nil
}
