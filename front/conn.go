package front

import (
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
)

// conn is a connection under the bounds of connections. Its first byte has
// been read, and is given out again.
type conn struct {
	*net.TCPConn
	owner  *connections
	remote netip.Addr // the other end: of the client, or of a proxy
	source netip.Addr // what the bound per source counts; under owner's lock
	first  [1]byte

	// Set before the connection is handed on.
	client    netip.AddrPort // where it comes from, by a trusted proxy's preamble or in truth
	spokenFor bool           // a trusted proxy sent a preamble
	told      told           // what it says
	plain     bool

	receiving receiving
	body      body // of the request under way, HTTP/1

	hasFirst bool        // owned by the reader
	probe    *byte       // net/http's buffer for its background read; owned by the reader
	sorted   atomic.Bool // its first byte is known
	waiting  atomic.Bool // no request is under way
	closed   atomic.Bool
}

// backgroundRead is the function of net/http that, while a handler runs, reads
// one byte to learn whether the client has left.
const backgroundRead = "net/http.(*connReader).backgroundRead"

// Read implements net.Conn. On a plain connection it answers net/http's
// background read with nothing at once: parking a goroutine in the poller and
// waking it again costs a tenth of a small call, and nothing that is recorded
// depends on the client's staying. So a request's context is not cancelled
// when its client leaves. The read is known by the address of its buffer,
// which is one a connection; it is learnt from the first such caller's name.
func (c *conn) Read(p []byte) (int, error) {
	if c.hasFirst && len(p) > 0 {
		c.hasFirst = false
		p[0] = c.first[0]
		return 1, nil
	}
	if len(p) == 1 && c.plain {
		if c.probe == &p[0] {
			return 0, nil
		}
		if c.probe == nil && calledBy(backgroundRead) {
			c.probe = &p[0]
			return 0, nil
		}
	}
	return c.TCPConn.Read(p)
}

// calledBy says whether Read's caller has that name.
func calledBy(name string) bool {
	var pcs [2]uintptr
	n := runtime.Callers(3, pcs[:]) // Callers, calledBy, Read
	frame, _ := runtime.CallersFrames(pcs[:n]).Next()
	return frame.Function == name
}

// Close implements net.Conn.
func (c *conn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.owner.remove(c)
	}
	return c.TCPConn.Close()
}

func addrOf(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return netip.AddrPortFrom(tcp.AddrPort().Addr().Unmap(), tcp.AddrPort().Port())
	}
	return netip.AddrPort{}
}

// sourceOf is what one client is taken to hold: an IPv4 address, an IPv6 /64.
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is6() && !a.IsLoopback() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
