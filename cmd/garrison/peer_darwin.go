package main

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf is the user at the other end of a Unix socket, if admitted.
func peerOf(c net.Conn) (operator, error) {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return operator{}, errors.New("not a Unix socket")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return operator{}, err
	}
	var peer *unix.Xucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		peer, failed = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	}); err != nil {
		return operator{}, err
	}
	if failed != nil {
		return operator{}, failed
	}
	if err := admitted(int(peer.Uid)); err != nil {
		return operator{}, err
	}
	return operatorWithID(int(peer.Uid)), nil
}
