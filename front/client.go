package front

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Client is who sent a request, and how, as far as is known.
type Client struct {
	Remote netip.AddrPort // port 0: not known
	// Secure says that the client itself speaks TLS, with us or with a proxy that is trusted.
	Secure bool
	// TLS is the client's own connection; nil where there is none, or a proxy holds it.
	TLS *tls.ConnectionState
	// Direct says that no proxy spoke for the client.
	Direct bool
}

// ErrForwarded means that a trusted proxy forwarded a request in a way that can't be read.
var ErrForwarded = errors.New("front: X-Forwarded-For names no address where the client's should stand")

// ClientOf tells who sent a request that a Server handed on. A connection's
// PROXY preamble comes first; then, while the address is a trusted proxy's, the
// hops of X-Forwarded-For from the last to the first. What a stranger writes
// there is never read.
//
// Where a proxy forwards, the client counts as secure if X-Forwarded-Proto is
// there and says https throughout: a hop that is not told of is not trusted.
func ClientOf(r *http.Request) (Client, error) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		remote, _ := netip.ParseAddrPort(r.RemoteAddr)
		return Client{Remote: remote, Secure: r.TLS != nil, TLS: r.TLS, Direct: true}, nil
	}
	client := Client{Remote: c.client, Secure: r.TLS != nil, TLS: r.TLS, Direct: !c.spokenFor}
	if c.told.known {
		client.Secure, client.TLS = c.told.tls, nil
	}
	trusted := c.owner.proxies
	if !trusted.trusts(client.Remote.Addr()) {
		return client, nil
	}
	hops, schemes := r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"]
	if len(hops) == 0 && len(schemes) == 0 {
		return client, nil
	}
	client.TLS, client.Secure, client.Direct = nil, allHTTPS(schemes), false
	for i := len(hops) - 1; i >= 0; i-- {
		for rest, more := hops[i], true; more; {
			var hop string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, hop = rest[:comma], rest[comma+1:]
			} else {
				hop, more = rest, false
			}
			remote, ok := parseHop(strings.Trim(hop, " \t"))
			if !ok {
				return client, ErrForwarded
			}
			if client.Remote = remote; !trusted.trusts(remote.Addr()) {
				return client, nil
			}
		}
	}
	return client, nil
}

// parseHop reads an address, with or without a port.
func parseHop(text string) (netip.AddrPort, bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(withPort.Addr().Unmap(), withPort.Port()), withPort.Addr().Zone() == ""
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return netip.AddrPortFrom(a.Unmap(), 0), err == nil && a.Zone() == ""
}

// allHTTPS says whether there are schemes, and each is https.
func allHTTPS(lines []string) bool {
	for _, line := range lines {
		for scheme := range strings.SplitSeq(line, ",") {
			if !strings.EqualFold(strings.Trim(scheme, " \t"), "https") {
				return false
			}
		}
	}
	return len(lines) > 0
}

// connKey is where a request's context holds its *conn.
type connKey struct{}

// withConn is http.Server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}
