package gateway

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
)

// room is a bound that all share and of which one source can hold half: so one
// that sends slowly what it never ends keeps nobody else out.
type room struct {
	bound  int64
	seed   maphash.Seed // nobody outside can tell who shares a share
	held   atomic.Int64
	shares [1024]atomic.Int64 // by the hash of a source
}

func newRoom(bound int64) *room { return &room{bound: bound, seed: maphash.MakeSeed()} }

// share is the part of the room that an address's source (an IPv4 address, an
// IPv6 /64) takes from.
func (m *room) share(a netip.Addr) *atomic.Int64 {
	bytes := a.Unmap().As16()
	if a.Unmap().Is6() && !a.IsLoopback() {
		clear(bytes[8:])
	}
	return &m.shares[maphash.Bytes(m.seed, bytes[:])%uint64(len(m.shares))]
}

// enter takes n for a share, and reports whether there was room. Leave with leave.
func (m *room) enter(share *atomic.Int64, n int64) bool {
	if !enter(share, n, m.bound/2) {
		return false
	}
	if !enter(&m.held, n, m.bound) {
		leave(share, n)
		return false
	}
	return true
}

func (m *room) leave(share *atomic.Int64, n int64) {
	leave(&m.held, n)
	leave(share, n)
}
