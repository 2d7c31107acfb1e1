package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// wire stands between an engine and its database: it counts round trips, and
// breaks what a test wants broken.
type wire struct {
	trips atomic.Int64

	mu     sync.Mutex
	down   bool                           // under mu: no new connection comes about
	commit func(c *cable, b []byte) error // under mu: takes the place of the next write that commits
	silent bool                           // under mu: what is sent does not arrive
	cables []*cable                       // under mu
}

var errCut = errors.New("the wire is cut")

// cable is one connection.
type cable struct {
	net.Conn
	wire    *wire
	writing atomic.Bool
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	down := w.down
	w.mu.Unlock()
	if down {
		return nil, errCut
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &cable{Conn: conn, wire: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cables = append(w.cables, c)
	return c, nil
}

// committing tells whether bytes end a transaction that writes: they execute
// the statement that moves the stream on.
func committing(b []byte) bool {
	return bytes.Contains(b, []byte("\x00as\x00")) || bytes.Contains(b, []byte("\x00ad\x00"))
}

func (c *cable) Write(b []byte) (int, error) {
	if !c.writing.Swap(true) {
		c.wire.trips.Add(1)
	}
	c.wire.mu.Lock()
	commit, silent := c.wire.commit, c.wire.silent
	if commit != nil && committing(b) {
		c.wire.commit = nil
	} else {
		commit = nil
	}
	c.wire.mu.Unlock()
	switch {
	case commit != nil:
		return len(b), commit(c, b)
	case silent:
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *cable) Read(b []byte) (int, error) {
	c.writing.Store(false)
	return c.Conn.Read(b)
}

func (w *wire) set(change func(w *wire)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

// cut breaks all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cables {
		c.Conn.Close()
	}
	w.cables = nil
}
