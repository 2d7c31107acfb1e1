package xks

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// Bounds on what a proxy may cost.
const (
	// DefaultTimeout is how long a proxy may take to answer, connection and TLS included.
	//
	// https://docs.aws.amazon.com/kms/latest/developerguide/xks-troubleshooting.html#fix-xks-latency
	DefaultTimeout = 250 * time.Millisecond

	dialTime    = 5 * time.Second // a connection that comes too late for its request serves later ones
	idleTime    = 90 * time.Second
	answerSize  = 64 << 10 // bytes
	headSize    = 16 << 10 // bytes
	connections = 64       // to one host
)

// Options are what a Client is made of.
type Options struct {
	// Hosts are those that may be reached, by lower-case name, and the address (host:port) under which; "": port 443 of the host itself.
	Hosts map[string]string
	// Roots are the authorities of proxies' certificates; nil: the system's.
	Roots *x509.CertPool
	// Timeout is how long a proxy may take to answer; 0: DefaultTimeout.
	Timeout time.Duration
	// Clock is what requests are dated by.
	Clock func() time.Time
}

// Client reaches proxies. It keeps connections open, and is safe for concurrent use.
type Client struct {
	Options
	transport *http.Transport
}

// New makes a Client.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{Options: o}
	c.transport = &http.Transport{
		DialTLSContext: c.dial, MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: idleTime,
		MaxResponseHeaderBytes: headSize, DisableCompression: true,
	}
	return c
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Proxy is a proxy, and how to be known to it.
type Proxy struct {
	Host        string // lower-case
	Path        string // "/prefix/kms/xks/v1"
	Region      string // from which it is asked
	AccessKeyID string
	Secret      []byte
}

// dial connects to a host that may be reached, and makes sure that it is the one.
func (c *Client) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, Unlisted
	}
	to, listed := c.Hosts[host]
	if !listed {
		return nil, Unlisted
	}
	if to == "" {
		to = net.JoinHostPort(host, "443")
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, Unreachable
	}
	conn := tls.Client(raw, &tls.Config{ServerName: host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12, Time: c.Clock})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, BadTLS
	}
	return conn, nil
}

// post sends in, and reads the answer into out. What the network spoils is sent
// once more: AWS retries a request that had no answer in time, once.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/xks-monitoring.html#latency-graph
func (c *Client) post(ctx context.Context, p *Proxy, path string, in, out any) error {
	if _, listed := c.Hosts[p.Host]; !listed {
		return Unlisted
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	defer clear(body)
	err = c.try(ctx, p, path, body, out)
	if (err == TimedOut || err == Unreachable) && ctx.Err() == nil {
		err = c.try(ctx, p, path, body, out)
	}
	return err
}

// try sends a request once.
func (c *Client) try(ctx context.Context, p *Proxy, path string, body []byte, out any) error {
	var connected atomic.Bool
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), c.Timeout)
	defer cancel()
	target := &url.URL{Scheme: "https", Host: p.Host, Path: p.Path + path}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return Malformed
	}
	p.sign(r, body, c.Clock())
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.transport.RoundTrip(r) // and not a Client: no redirection is followed
	if err != nil {
		return lost(ctx, err, connected.Load())
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerSize+1))
	if err != nil {
		return lost(ctx, err, true)
	}
	defer clear(text)
	if len(text) > answerSize {
		return Malformed
	}
	if answer.StatusCode == http.StatusOK {
		if json.Unmarshal(text, out) != nil {
			return Malformed
		}
		return nil
	}
	var said struct{ ErrorName string }
	if json.Unmarshal(text, &said) != nil || answer.StatusCode < 400 {
		return Malformed
	}
	if fault, ok := named[said.ErrorName]; ok {
		return fault
	}
	return Malformed
}

// lost says why there was no answer.
func lost(ctx context.Context, err error, connected bool) error {
	fault, ok := errors.AsType[Fault](err)
	switch {
	case ok:
		return fault
	case ctx.Err() != nil && connected:
		return TimedOut
	}
	return Unreachable
}
