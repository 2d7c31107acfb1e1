package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/garrison-security/garrison/front"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// ServeCmd serves AWS's APIs until SIGTERM.
type ServeCmd struct{ Settings }

// Run implements the subcommand.
func (c *ServeCmd) Run(ctx context.Context, io streams, config *configFile) error {
	if faults := c.faults(); len(faults) > 0 {
		return config.faultErrors(faults)
	}
	s := &server{settings: c.Settings, io: io, log: newLog(io.err, c.LogLevel, c.LogFormat)}
	for _, text := range c.cautions() {
		s.log.Warn(text)
	}
	return s.run(ctx)
}

// server is a serving process.
type server struct {
	settings Settings
	io       streams
	log      *slog.Logger

	house        *house
	gateway      *gateway.Gateway
	front        *front.Server
	health       *health
	admin        *adminServer
	unattributed *trail.Unattributed
	consumers    []consumer
	listeners    []net.Listener // those of --listen, then those of --admin-listen
	public       int            // how many of these are --listen's
	adminAt      net.Listener   // the admin socket's
	started      time.Time
}

// run opens what is to be opened, in an order in which a failure leaves
// nothing behind, serves until ctx ends, and closes all again.
func (s *server) run(ctx context.Context) (err error) {
	s.started = time.Now()
	tuneCollector()
	f := founding{s.settings.Account, s.settings.Partition, givenKey()}
	if err := f.check(dataDir(s.settings.Data), s.settings.Engine); err != nil {
		return err
	}
	if err := unserved(ctx, dataDir(s.settings.Data)); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	defer func() {
		for _, l := range s.listeners {
			l.Close()
		}
	}()
	by := thisOperator()
	if s.house, err = makeHouse(ctx, s.settings.House, s.log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.house.close()) }()
	if err := s.begin(ctx, by, f); err != nil {
		return err
	}
	return s.serve(ctx, by)
}

// begin does what init does where it has not been done, and puts the rooms together.
func (s *server) begin(ctx context.Context, by operator, f founding) error {
	made, err := s.house.found(ctx, by, f)
	switch {
	case err != nil:
		return err
	case made != "":
		s.log.Info("made an account", "account", made, "credentials", s.house.dir.credentials())
	case f.partition != "" && s.house.Partition != f.partition:
		return usageError{fmt.Errorf("--partition: this installation is of partition %s", s.house.Partition)}
	case f.key != nil:
		s.log.Warn(rootKeyVariable + " is ignored: the account has its root's key already")
	}
	if err := s.house.claimBlobs(ctx); err != nil {
		return err
	}
	services, err := newServices(s.house, &s.settings)
	if err != nil {
		return err
	}
	s.unattributed = &trail.Unattributed{Engine: s.house.engine}
	rates, err := s.settings.rates()
	if err != nil {
		return usageError{err}
	}
	s.health = &health{engine: s.house.engine}
	pages := &internalPages{server: s, health: s.health}
	if s.gateway, err = gateway.New(gateway.Config{
		Engine: s.house.engine, Directory: services.directory, Sessions: services.sessions,
		Guardrails: services.limits, Denials: services.denials, Services: services.all, Unserved: services.unserved,
		Partition: s.house.Partition, Regions: s.settings.Region, Hosts: s.settings.EndpointNames,
		Client: clientOf, Internal: pages, Unattributed: s.unattributed, Limits: gateway.Limits{Rates: rates},
		MinFree: float64(s.settings.MinFree) / 100, Log: s.log,
	}); err != nil {
		return usageError{err}
	}
	s.consumers = append(services.consumers, consumer{"client tokens", s.gateway.Run})
	config, err := s.tls()
	if err != nil {
		return err
	}
	plain, err := s.settings.plain()
	if err != nil {
		return err
	}
	proxies, err := s.settings.proxies()
	if err != nil {
		return usageError{err}
	}
	s.front = front.New(front.Config{
		Handler: s.gateway, TLS: config, Plain: plain, Proxies: proxies, Log: s.log,
		Limits: front.Limits{Connections: s.settings.MaxConnections, PerSource: s.settings.MaxConnectionsPerSource},
	})
	pages.metrics = s.metrics()
	s.admin, s.adminAt, err = listenAdmin(s.house)
	return err
}

// clientOf is front's word for who sent a request.
func clientOf(r *http.Request) (gateway.Client, error) {
	c, err := front.ClientOf(r)
	return gateway.Client{Remote: c.Remote, Secure: c.Secure, TLS: c.TLS}, err
}

// serve answers until ctx ends or something breaks, then lets calls under way end.
func (s *server) serve(ctx context.Context, by operator) error {
	addresses := s.addresses()
	if err := s.house.note(ctx, by, "Start", map[string]any{"release": release, "listen": addresses}); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	group, broken := errgroup.WithContext(running)
	for _, l := range s.listeners {
		group.Go(func() error { return s.front.Serve(l) })
	}
	group.Go(func() error {
		if err := s.admin.http.Serve(s.adminAt); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		if err := s.unattributed.Run(running); running.Err() == nil {
			return err
		}
		return nil
	})
	for _, c := range s.consumers {
		group.Go(func() error { return s.consume(running, c) })
	}
	s.announce(addresses)

	select {
	case <-ctx.Done():
		s.log.Info("stopping")
		s.health.draining.Store(true)
		select {
		case <-time.After(s.settings.DrainNotice):
		case <-broken.Done():
		}
	case <-broken.Done(): // the group's error says what broke
		s.health.draining.Store(true)
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.Drain)
	defer cancel()
	if err := s.front.Shutdown(draining); err != nil {
		s.log.Warn("calls under way were cut off", "error", err)
	}
	s.admin.close()
	stop()
	err := group.Wait()
	return errors.Join(err, s.house.note(context.WithoutCancel(ctx), by, "Stop", nil))
}

// A consumer that failed goes on after the least pause, then after twice as
// long each time, up to the most; one that did well for longer than that begins anew.
const (
	leastPause = 250 * time.Millisecond
	mostPause  = 10 * time.Second
)

// pauses are those of one consumer.
type pauses struct{ last time.Duration }

// next is how long to wait after a failure, when it had done well for so long.
func (p *pauses) next(well time.Duration) time.Duration {
	if p.last = min(2*p.last, mostPause); p.last == 0 || well > mostPause {
		p.last = leastPause
	}
	return p.last
}

// consume runs a consumer. One that fails goes on where it was, after a pause:
// what follows from the record may be late, and calls don't wait for it. An
// embedded engine that has failed is another matter: what is durable is not
// known until it is opened again, so the process ends.
func (s *server) consume(ctx context.Context, c consumer) error {
	for wait := (pauses{}); ; {
		began := time.Now()
		err := c.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, store.ErrClosed) || s.settings.Engine == "pebble" && errors.Is(err, store.ErrUnavailable) {
			return err
		}
		pause := wait.next(time.Since(began))
		s.log.Error("a consumer of the record failed", "consumer", c.name, "error", err, "goes_on_in", pause.String())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// listen takes the addresses, first of all: a second server fails here, before it touches anything.
func (s *server) listen() error {
	addresses, chosen := s.settings.Listen, true
	if len(addresses) == 0 {
		addresses, chosen = defaultTo, false
	}
	for i, address := range append(addresses[:len(addresses):len(addresses)], s.settings.AdminListen...) {
		l, err := net.Listen("tcp", address)
		if err != nil && !chosen && i == 1 && !errors.Is(err, syscall.EADDRINUSE) { // a machine without IPv6
			s.log.Warn("not served", "address", address, "error", err)
			continue
		}
		if err != nil {
			for _, l := range s.listeners {
				l.Close()
			}
			return err
		}
		if s.listeners = append(s.listeners, l); i < len(addresses) {
			s.public = len(s.listeners)
		}
	}
	return nil
}

func (s *server) adminListeners() []net.Listener { return s.listeners[s.public:] }

func (s *server) addresses() []string {
	list := make([]string, len(s.listeners))
	for i, l := range s.listeners {
		list[i] = l.Addr().String()
	}
	return list
}

// firstRegions are the Regions that a client is told to use where no list narrows them.
var firstRegions = map[string]string{
	"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1",
}

// announce writes what scripts read.
func (s *server) announce(addresses []string) {
	host, port, _ := net.SplitHostPort(addresses[0])
	scheme := "http"
	plain, _ := s.settings.plain()
	if plain == front.PlainNobody || (plain == front.PlainLoopback || plain == front.PlainProxies) && !isLoopback(host) {
		scheme = "https"
	}
	if unspecified(host) {
		host = "127.0.0.1"
	}
	endpoint := scheme + "://" + net.JoinHostPort(host, port)
	credentials, err := filepath.Abs(s.house.dir.credentials())
	if err != nil {
		credentials = s.house.dir.credentials()
	}
	region := firstRegions[s.house.Partition]
	if len(s.settings.Region) > 0 {
		region = s.settings.Region[0]
	}
	fmt.Fprintf(s.io.out, "export AWS_ENDPOINT_URL=%s\nexport AWS_SHARED_CREDENTIALS_FILE=%s\nexport AWS_DEFAULT_REGION=%s\nready %s\n",
		quote(endpoint), quote(credentials), quote(region), endpoint)
	s.log.Info("ready", "listen", addresses, "release", release, "after", time.Since(s.started).Round(time.Millisecond).String())
}

// quote makes text one word of a shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:@%+,="
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
