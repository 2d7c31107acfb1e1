package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/garrison-security/garrison/store"
)

// oldest is the first major release of PostgreSQL that is spoken to.
const oldest = 15

// poolSize is how many sessions read at length; a node has seven more.
const poolSize = 8

// Open opens the store in the database that url names, whose tables are made if
// there are none. Other processes may use it at the same time. It begins a new
// event stream.
func Open(ctx context.Context, url string, options store.Options) (*Engine, error) {
	return open(ctx, url, options, func(*Engine) {})
}

func open(ctx context.Context, url string, options store.Options, tune func(*Engine)) (_ *Engine, err error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	measures := store.NewMeasures()
	measures.RoundTrips = store.NewRoundTrips()
	d := &dialer{config: config, trips: measures.RoundTrips}
	e := &Engine{
		measures: measures, options: options, dialer: d, pool: newPool(d, poolSize), cache: newCache(), tuning: defaultTuning(),
		lookups: newQueue[*lookup](), checks: newQueue[*check](), unused: make(chan struct{}),
	}
	measures.Cache = e.cache.asked
	measures.More = append(measures.More, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "garrison_store_clock_offset_seconds", Help: "How far this machine's clock is ahead of the database's.",
	}, func() float64 { return e.ClockOffset().Seconds() }))
	e.wanted = make(chan struct{}, 1)
	tune(e)
	e.committer, e.bulk = newCommitter(e, false), newCommitter(e, true)
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if err := e.start(ctx); err != nil {
		e.cancel()
		e.committer.session.close()
		return nil, fmt.Errorf("open the store at %s: %w", config.Host, err)
	}
	for range lookers {
		e.workers.Go(e.lookAll)
	}
	for range checkers {
		e.workers.Go(e.checkAll)
	}
	e.workers.Go(e.lookOut)
	go e.committer.run()
	go e.bulk.run()
	return e, nil
}

func newCommitter(e *Engine, bulk bool) *committer {
	return &committer{Engine: e, bulk: bulk, queue: newQueue[*request](), session: &session{dialer: e.dialer}, ended: make(chan struct{})}
}

// start checks what database this is, brings its tables in step, and begins the stream.
func (e *Engine) start(ctx context.Context) error {
	s := e.committer.session
	if err := s.open(ctx); err != nil {
		return unavailable(err)
	}
	if _, err := s.version(ctx); err != nil {
		return err
	}
	if err := e.setClock(ctx, s); err != nil {
		return err
	}
	if err := s.migrate(ctx, e.options.Release); err != nil {
		return err
	}
	if err := e.committer.openOwn(ctx); err != nil {
		return unavailable(err)
	}
	seen, err := e.others(s)
	e.seen = seen
	return unavailable(err)
}

// version is the database's name and version; one that is too old is refused.
func (s *session) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	answer := s.conn.ExecParams(ctx, "SELECT version()", nil, nil, nil, nil).Read()
	if answer.Err != nil {
		return "", unavailable(answer.Err)
	}
	if len(answer.Rows) != 1 || len(answer.Rows[0]) != 1 {
		return "", unavailable(errAnswer)
	}
	text := string(answer.Rows[0][0])
	name, _, _ := strings.Cut(text, " (")
	name, _, _ = strings.Cut(name, " on ")
	number, ok := strings.CutPrefix(name, "PostgreSQL ")
	if !ok || strings.Contains(number, "-YB-") {
		return name, nil // an engine that speaks the protocol
	}
	end := strings.IndexFunc(number+" ", func(r rune) bool { return r < '0' || r > '9' })
	if major, err := strconv.Atoi(number[:end]); err != nil || major < oldest {
		return "", fmt.Errorf("%s is too old: PostgreSQL %d or later is needed", name, oldest)
	}
	return name, nil
}
