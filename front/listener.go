package front

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// recordHandshake is the first byte of a TLS connection (RFC 8446, 5.1); no
// HTTP request begins with it.
const recordHandshake = 0x16

// accept takes connections, waits for the first byte of each beside the
// others, and hands them on as what they are.
func (s *Server) accept(l net.Listener, open, refused *queue) error {
	var pause time.Duration
	for {
		raw, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // out of file descriptors, or the peer left while it queued
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.config.Log.Warn("cannot accept a connection", "error", err, "retry_in", pause)
			select {
			case <-time.After(pause):
				continue
			case <-s.conns.closing:
				return net.ErrClosed
			}
		}
		pause = 0
		tcp, ok := raw.(*net.TCPConn)
		if !ok {
			raw.Close()
			return errors.New("front: the listener is not of TCP")
		}
		c := s.conns.admit(tcp)
		if c == nil {
			continue
		}
		s.tasks.Go(func() { s.sort(c, open, refused) })
	}
}

// sort reads the first byte, after a trusted proxy's preamble if there is one, and chooses.
func (s *Server) sort(c *conn, open, refused *queue) {
	c.SetReadDeadline(time.Now().Add(s.config.Limits.FirstByte))
	_, err := io.ReadFull(c.TCPConn, c.first[:])
	if err == nil && c.first[0] == preamble[0] && s.conns.proxies.trusts(c.remote) {
		var t told
		if t, err = readPreamble(c.TCPConn); err == nil && !s.conns.believe(c, t) {
			c.TCPConn.Close()
			return
		}
		if err == nil {
			_, err = io.ReadFull(c.TCPConn, c.first[:])
		}
	}
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			s.conns.silent.Add(1)
		}
		if errors.Is(err, errPreamble) {
			s.conns.malformed.Add(1)
			io.WriteString(c.TCPConn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
		c.Close()
		return
	}
	c.hasFirst = true
	c.sorted.Store(true)
	c.SetReadDeadline(time.Time{})
	switch {
	case c.first[0] == recordHandshake:
		open.put(tls.Server(c, s.config.TLS), c)
	case s.config.Plain.admits(c.remote, addrOf(c.TCPConn.LocalAddr()).Addr(), s.conns.proxies):
		c.plain = true
		open.put(c, c)
	default:
		s.conns.plain.Add(1)
		refused.put(c, c)
	}
}

// queue is a listener of connections that have been accepted already.
type queue struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
	err   error // set before done is closed
}

func newQueue(addr net.Addr) *queue {
	return &queue{addr: addr, conns: make(chan net.Conn), done: make(chan struct{}), err: net.ErrClosed}
}

// put hands c on, or closes under when nobody takes any more.
func (q *queue) put(c net.Conn, under *conn) {
	select {
	case q.conns <- c:
	case <-q.done:
		under.Close()
	}
}

func (q *queue) fail(err error) {
	q.once.Do(func() { q.err = err; close(q.done) })
}

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, q.err
	}
}

// Close implements net.Listener.
func (q *queue) Close() error {
	q.fail(net.ErrClosed)
	return nil
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return q.addr }
