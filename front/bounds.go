package front

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// connections counts what is open. At a bound the connection that has waited
// longest without a request under way makes room; if none waits, of the source
// that holds most the one whose body has been on its way longest; if all are
// busy otherwise, the new one is closed. So one who opens many and sends
// nothing, or hardly anything, keeps nobody out.
type connections struct {
	limits  Limits
	proxies Proxies
	closing chan struct{}

	accepted, evicted, full, sourceFull, silent, malformed, slow, plain atomic.Int64

	mu     sync.Mutex
	closed bool
	open   int
	source map[netip.Addr][]*conn // in the order of their coming
	order  map[*conn]int64        // when each came, for the eldest of all
	serial int64
}

func newConnections(l Limits, p Proxies) connections {
	return connections{limits: l, proxies: p, closing: make(chan struct{}), source: map[netip.Addr][]*conn{}, order: map[*conn]int64{}}
}

// admit enters a connection, or closes it and answers nil.
func (s *connections) admit(tcp *net.TCPConn) *conn {
	client := addrOf(tcp.RemoteAddr())
	c := &conn{TCPConn: tcp, owner: s, remote: client.Addr(), client: client, source: sourceOf(client.Addr())}
	c.waiting.Store(true)
	s.accepted.Add(1)
	if !s.enter(c) {
		tcp.Close()
		return nil
	}
	return c
}

// enter counts a connection for its source, and reports whether there is room
// or another could make some. A proxy's own are bounded together with all others alone.
func (s *connections) enter(c *conn) bool {
	s.mu.Lock()
	var leaves *conn
	full, refused := s.closed, &s.full
	switch {
	case full:
	case len(s.source[c.source]) >= s.limits.PerSource && !s.proxies.trusts(c.client.Addr()):
		if leaves = firstWaiting(s.source[c.source]); leaves == nil {
			leaves = slowest(s.source[c.source])
		}
		full, refused = leaves == nil, &s.sourceFull
	case s.open >= s.limits.Connections:
		if leaves = s.eldestWaiting(); leaves == nil {
			leaves = s.slowestOfMost()
		}
		full = leaves == nil
	}
	if leaves != nil {
		leaves.closed.Store(true)
		s.removeLocked(leaves)
	}
	if !full {
		s.serial++
		s.order[c] = s.serial
		s.source[c.source] = append(s.source[c.source], c)
		s.open++
	}
	s.mu.Unlock()

	if leaves != nil {
		s.evicted.Add(1)
		leaves.TCPConn.Close()
	}
	if full {
		refused.Add(1)
	}
	return !full
}

// believe takes a trusted proxy's word for where a connection comes from, and
// reports whether that source may have one more.
func (s *connections) believe(c *conn, t told) bool {
	if c.spokenFor, c.told = true, t; !t.client.IsValid() {
		return true
	}
	s.mu.Lock()
	_, held := s.order[c] // or it has made room for another already
	s.removeLocked(c)
	c.client, c.source = t.client, sourceOf(t.client.Addr())
	s.mu.Unlock()
	return held && s.enter(c)
}

func firstWaiting(conns []*conn) *conn {
	for _, c := range conns {
		if c.waiting.Load() {
			return c
		}
	}
	return nil
}

func (s *connections) eldestWaiting() (eldest *conn) {
	for c, serial := range s.order {
		if c.waiting.Load() && (eldest == nil || serial < s.order[eldest]) {
			eldest = c
		}
	}
	return eldest
}

// slowest is the connection whose body has been on its way longest, and for long enough.
func slowest(conns []*conn) (slowest *conn) {
	before := time.Now().Add(-evictable).UnixNano()
	for _, c := range conns {
		if began := c.receiving.began(); began != 0 && began < before {
			slowest, before = c, began
		}
	}
	return slowest
}

// slowestOfMost is the slowest of the source that holds most among those that have one.
func (s *connections) slowestOfMost() (leaves *conn) {
	most := 0
	for _, conns := range s.source {
		if len(conns) <= most {
			continue
		}
		if c := slowest(conns); c != nil {
			leaves, most = c, len(conns)
		}
	}
	return leaves
}

func (s *connections) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeLocked(c)
}

func (s *connections) removeLocked(c *conn) {
	if _, ok := s.order[c]; !ok {
		return
	}
	delete(s.order, c)
	s.open--
	rest := s.source[c.source]
	if i := slices.Index(rest, c); i >= 0 {
		rest = slices.Delete(rest, i, i+1)
	}
	if len(rest) == 0 {
		delete(s.source, c.source)
	} else {
		s.source[c.source] = rest
	}
}

// state follows http.Server: a connection is waiting unless a request's header
// has been read and its answer not yet been written.
func (s *connections) state(nc net.Conn, to http.ConnState) {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if c, ok := nc.(*conn); ok {
		if c.waiting.Store(to != http.StateActive); to == http.StateIdle {
			c.receiving.since.Store(0) // of a body that was not read, the rest is gone
		}
	}
}

// close drops connections that have not shown their first byte, and admits no more.
func (s *connections) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.closing)
	for c := range s.order {
		if !c.sorted.Load() {
			c.TCPConn.Close() // whoever waits for the byte removes it
		}
	}
}

func (s *connections) stats() Stats {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	return Stats{
		Open: open, Accepted: s.accepted.Load(), Evicted: s.evicted.Load(), Full: s.full.Load(), Source: s.sourceFull.Load(),
		Silent: s.silent.Load(), Malformed: s.malformed.Load(), Slow: s.slow.Load(), Plain: s.plain.Load(),
	}
}
