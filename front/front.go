// Package front stands between the network and the path of a call: listeners
// on which HTTP and HTTPS share a port, certificates, and the bounds on what a
// stranger can hold: connections, header bytes, time. It knows nothing of AWS
// and imports nothing of ours.
package front

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Plain says who may speak plain HTTP.
type Plain uint8

// Who may speak plain HTTP. The zero value is the careful default.
const (
	PlainLoopback Plain = iota // clients on this machine, over the loopback interface
	PlainAnyone
	PlainNobody
	PlainProxies // as PlainLoopback, and the trusted proxies
)

// Limits bound what one client, and all together, can hold. A zero field
// takes the value of DefaultLimits.
type Limits struct {
	Connections int           // open at once
	PerSource   int           // of these, from one address (IPv6: one /64)
	HeaderBytes int           // request line and header fields together; more is answered 431
	FirstByte   time.Duration // from the connection to its first byte
	Header      time.Duration // from there, or from the TLS handshake, to the end of the header
	Request     time.Duration // from the end of the header to the end of the body, unless it may be of any length
	Answer      time.Duration // from the end of the header to the last byte of the answer
	BodyRate    int           // bytes a second that a body has to come at on average,
	BodyGrace   time.Duration // after so long
	Idle        time.Duration // between requests
	Streams     int           // HTTP/2: requests at once on a connection
}

// DefaultLimits are the bounds that hold where nothing else is configured.
var DefaultLimits = Limits{
	Connections: 4096, PerSource: 2048, HeaderBytes: 64 << 10,
	FirstByte: 10 * time.Second, Header: 10 * time.Second, Request: time.Minute, Answer: time.Minute,
	BodyRate: 4 << 10, BodyGrace: 10 * time.Second, Idle: 2 * time.Minute, Streams: 128,
}

// Config is what a Server is made of.
type Config struct {
	Handler http.Handler
	TLS     *tls.Config // see TLSConfig
	Plain   Plain
	Proxies Proxies // whose word about clients is taken
	Limits  Limits
	Log     *slog.Logger
}

// Server serves HTTP/1.1, and HTTP/1.1 or HTTP/2 over TLS, on any number of listeners.
type Server struct {
	config Config
	http   *http.Server
	refuse *http.Server // plain HTTP from where it is not allowed
	conns  connections
	tasks  sync.WaitGroup
}

// New makes a server; nothing listens yet.
func New(c Config) *Server {
	c.Limits = c.Limits.orDefault()
	s := &Server{config: c, conns: newConnections(c.Limits, c.Proxies)}
	errorLog := log.New(complaints{c.Log}, "", 0)
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		TLSConfig:         c.TLS,
		ReadHeaderTimeout: c.Limits.Header,
		ReadTimeout:       c.Limits.Header + min(c.Limits.BodyGrace, c.Limits.Request), // extended while a body keeps pace
		WriteTimeout:      c.Limits.Answer,
		IdleTimeout:       c.Limits.Idle,
		// net/http adds 4 KiB to what it is told, and then counts exactly.
		MaxHeaderBytes: c.Limits.HeaderBytes - 4096,
		ConnState:      s.conns.state,
		ConnContext:    withConn,
		ErrorLog:       errorLog,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: c.Limits.Streams},
	}
	s.refuse = &http.Server{
		Handler:           http.HandlerFunc(refusePlain),
		ReadHeaderTimeout: c.Limits.Header,
		ReadTimeout:       c.Limits.Header,
		WriteTimeout:      c.Limits.Header,
		MaxHeaderBytes:    c.Limits.HeaderBytes - 4096,
		ErrorLog:          errorLog,
	}
	s.refuse.SetKeepAlivesEnabled(false)
	return s
}

// complaints takes what net/http complains of. A handler's panic is a bug of
// ours; the rest is what strangers send, and any of them could fill a log with it.
type complaints struct{ log *slog.Logger }

func (c complaints) Write(p []byte) (int, error) {
	text := strings.TrimSpace(string(p))
	if strings.HasPrefix(text, "http: panic serving") || strings.HasPrefix(text, "http2: panic serving") {
		c.log.Error(text)
	} else {
		c.log.Debug(text)
	}
	return len(p), nil
}

func (l Limits) orDefault() Limits {
	or(&l.Connections, DefaultLimits.Connections)
	or(&l.PerSource, DefaultLimits.PerSource)
	or(&l.HeaderBytes, DefaultLimits.HeaderBytes)
	or(&l.FirstByte, DefaultLimits.FirstByte)
	or(&l.Header, DefaultLimits.Header)
	or(&l.Request, DefaultLimits.Request)
	or(&l.Answer, DefaultLimits.Answer)
	or(&l.BodyRate, DefaultLimits.BodyRate)
	or(&l.BodyGrace, DefaultLimits.BodyGrace)
	or(&l.Idle, DefaultLimits.Idle)
	or(&l.Streams, DefaultLimits.Streams)
	return l
}

func or[T comparable](field *T, value T) {
	if zero := *new(T); *field == zero {
		*field = value
	}
}

// Serve answers connections of l until Shutdown, which it reports as nil.
func (s *Server) Serve(l net.Listener) error {
	open, refused := newQueue(l.Addr()), newQueue(l.Addr())
	s.tasks.Go(func() { ignoreClosed(s.refuse.Serve(refused)) })
	s.tasks.Go(func() {
		err := s.accept(l, open, refused)
		open.fail(err)
		refused.fail(err)
	})
	defer l.Close()
	return ignoreClosed(s.http.Serve(open))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Shutdown closes the listeners given to Serve and what has sent no request,
// lets requests under way end, and closes what is left when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.conns.close()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.refuse.Close()
	s.tasks.Wait()
	return err
}

// Stats are counters for the metrics page.
type Stats struct {
	Open      int   // connections now
	Accepted  int64 // connections since the start
	Evicted   int64 // connections closed to make room for others
	Full      int64 // connections refused since there was no room
	Source    int64 // connections refused since their source held too many
	Silent    int64 // connections closed since no first byte came in time
	Malformed int64 // connections closed for a malformed PROXY preamble of a trusted proxy
	Slow      int64 // bodies given up since they did not keep pace
	Plain     int64 // connections that spoke plain HTTP where it is not served
}

// Stats reads the counters.
func (s *Server) Stats() Stats { return s.conns.stats() }
