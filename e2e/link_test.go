package e2e

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// link is a node's way to its database, which a test can spoil.
type link struct {
	listener net.Listener
	to       string
	slow     atomic.Int64 // nanoseconds that each piece of an answer takes longer
	mute     atomic.Bool  // what is asked arrives, and no answer comes back

	mu    sync.Mutex
	conns map[net.Conn]bool // under mu
}

// newLink is a link to an address, as long as the test lasts.
func newLink(t *testing.T, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &link{listener: l, to: to, conns: map[net.Conn]bool{}}
	go k.accept()
	t.Cleanup(func() { l.Close(); k.cut() })
	return k
}

func (k *link) address() string { return k.listener.Addr().String() }

func (k *link) accept() {
	for {
		near, err := k.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", k.to)
		if err != nil {
			near.Close()
			continue
		}
		k.mu.Lock()
		k.conns[near], k.conns[far] = true, true
		k.mu.Unlock()
		go k.carry(far, near, false)
		go k.carry(near, far, true)
	}
}

// carry takes bytes along until one side ends, and then closes both.
func (k *link) carry(to, from net.Conn, answers bool) {
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.conns, to)
		to.Close()
		from.Close()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if answers {
			time.Sleep(time.Duration(k.slow.Load()))
		}
		if answers && k.mute.Load() {
			n = 0
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

// cut breaks all connections.
func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.conns {
		c.Close()
	}
}
