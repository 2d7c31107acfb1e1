package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// longestSocket is the longest path that a socket's address holds on every
// system (macOS: 104 bytes with the final zero).
const longestSocket = 103

// listenSocket listens on a Unix socket of mode 0600.
func listenSocket(path string) (net.Listener, error) {
	short, done, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	short, done, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return new(net.Dialer).DialContext(ctx, "unix", short)
}

// shortPath is a path that a socket's address can hold: where the real one is
// too long, and the system has /proc, one by way of the opened directory.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) <= longestSocket {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	by := filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())))
	if _, err := os.Stat(by); err != nil {
		dir.Close()
		return path, func() {}, nil
	}
	return filepath.Join(by, filepath.Base(path)), func() { dir.Close() }, nil
}
