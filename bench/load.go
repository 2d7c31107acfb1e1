package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// figures are what one measurement came to.
type figures struct {
	rate     float64 // calls a second
	p50, p99 time.Duration
	cpu      time.Duration // of the server, a call
	answer   int           // bytes of an answer's body
}

// measure sends requests over as many connections at once, each waiting for
// its answer, after a warm-up. next is a request's bytes; it is called by one
// goroutine a connection.
func (s *server) measure(connections int, span time.Duration, next func(connection int) []byte) (figures, error) {
	conns := make([]*client, connections)
	for i := range conns {
		c, err := dial(s.addr)
		if err != nil {
			return figures{}, err
		}
		defer c.conn.Close()
		conns[i] = c
	}
	return measure(conns, span, next, s.cpu)
}

// measure sends requests over connections; cpu is what their servers have used.
func measure(conns []*client, span time.Duration, next func(connection int) []byte, cpu func() (time.Duration, error)) (figures, error) {
	if _, _, err := drive(conns, span/4, next); err != nil {
		return figures{}, err
	}
	before, err := cpu()
	if err != nil {
		return figures{}, err
	}
	began := time.Now()
	times, answer, err := drive(conns, span, next)
	if err != nil {
		return figures{}, err
	}
	took := time.Since(began)
	after, err := cpu()
	if err != nil {
		return figures{}, err
	}
	slices.Sort(times)
	n := len(times)
	return figures{
		rate: float64(n) / took.Seconds(), p50: times[n/2], p99: times[n*99/100],
		cpu: (after - before) / time.Duration(n), answer: answer,
	}, nil
}

// drive sends requests for a while and answers how long each took.
func drive(conns []*client, span time.Duration, next func(int) []byte) (times []time.Duration, answer int, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	until := time.Now().Add(span)
	for i, c := range conns {
		all.Go(func() {
			var own []time.Duration
			size := 0
			for time.Now().Before(until) {
				request := next(i)
				if request == nil {
					break
				}
				began := time.Now()
				n, failed := c.call(request)
				if failed != nil {
					mu.Lock()
					err = failed
					mu.Unlock()
					return
				}
				own, size = append(own, time.Since(began)), n
			}
			mu.Lock()
			times, answer = append(times, own...), max(answer, size)
			mu.Unlock()
		})
	}
	all.Wait()
	if err == nil && len(times) == 0 {
		err = fmt.Errorf("no call was answered within %v", span)
	}
	return times, answer, err
}

// client is a connection that sends bytes made before, so that the load costs little beside the server.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	body bytes.Buffer
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 16<<10)}, nil
}

// call sends a request and reads its answer, which must be 200. It answers the body's length.
func (c *client) call(request []byte) (int, error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	status, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	good := bytes.HasPrefix(status, []byte("HTTP/1.1 200 "))
	line := string(bytes.TrimSpace(status))
	length := 0
	for {
		header, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(header) <= 2 {
			break
		}
		if name, value, ok := strings.Cut(textproto.TrimString(string(header)), ":"); ok && strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, err
			}
		}
	}
	c.body.Reset()
	to := io.Discard
	if !good {
		to = &c.body
	}
	if _, err := io.CopyN(to, c.r, int64(length)); err != nil {
		return 0, err
	}
	if !good {
		return 0, fmt.Errorf("%s: %s", line, c.body.String())
	}
	return length, nil
}
