package front

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// rig is a server on a free port of loopback, and what is needed to speak to it.
type rig struct {
	*Server
	addr  string
	roots *x509.CertPool
}

func start(t *testing.T, c Config) *rig {
	t.Helper()
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if c.TLS == nil {
		c.TLS = TLSConfig(authority.Certificates([]string{"127.0.0.1", "localhost"}, time.Now), nil)
	}
	if c.Handler == nil {
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%s tls=%t body=%d", r.Proto, r.TLS != nil, n)
		})
	}
	c.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(c)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	return &rig{s, l.Addr().String(), roots}
}

func (r *rig) client(c *tls.Config) *http.Client {
	if c == nil {
		c = &tls.Config{}
	}
	c.RootCAs = r.roots
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	answer, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (r *rig) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// exchange sends raw bytes and reads one answer.
func exchange(t *testing.T, c net.Conn, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	return answer, string(body)
}

// gone says whether the server has closed c.
func gone(c net.Conn) bool {
	_, err := io.ReadAll(c)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

func TestOnePortServesHTTPAndHTTPS(t *testing.T) {
	r := start(t, Config{})
	for url, want := range map[string]string{
		"http://" + r.addr:  "HTTP/1.1 tls=false body=0",
		"https://" + r.addr: "HTTP/2.0 tls=true body=0",
	} {
		if got := get(t, r.client(nil), url); got != want {
			t.Errorf("%s answered %q, want %q", url, got, want)
		}
	}
	one := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.roots, NextProtos: []string{"http/1.1"}}}}
	if got, want := get(t, one, "https://"+r.addr), "HTTP/1.1 tls=true body=0"; got != want {
		t.Errorf("over TLS without h2 it answered %q, want %q", got, want)
	}
}

func TestPlainHTTPIsRefusedInTheClientsForm(t *testing.T) {
	r := start(t, Config{Plain: PlainNobody})
	for contentType, want := range map[string]string{
		"application/x-amz-json-1.1":        `{"__type":"AccessDeniedException","message":"This endpoint takes`,
		"application/x-www-form-urlencoded": `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>This endpoint takes`,
	} {
		answer, body := exchange(t, r.dial(t), "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: "+contentType+"\r\nContent-Length: 0\r\n\r\n")
		if answer.StatusCode != 403 || !strings.Contains(body, want) || !answer.Close {
			t.Errorf("%s: answered %d, close %t: %s", contentType, answer.StatusCode, answer.Close, body)
		}
	}
	if got, want := get(t, r.client(nil), "https://"+r.addr), "HTTP/2.0 tls=true body=0"; got != want {
		t.Errorf("over TLS it answered %q, want %q", got, want)
	}
}

func TestWhoMaySpeakPlainHTTP(t *testing.T) {
	for _, c := range []struct {
		plain         Plain
		remote, local string
		want          bool
	}{
		{PlainLoopback, "127.0.0.1", "127.0.0.1", true},
		{PlainLoopback, "::1", "::1", true},
		{PlainLoopback, "127.9.9.9", "127.0.0.1", true},
		{PlainLoopback, "192.0.2.1", "192.0.2.2", false},
		{PlainLoopback, "192.0.2.2", "192.0.2.2", false},
		{PlainLoopback, "127.0.0.1", "192.0.2.2", false},
		{PlainLoopback, "192.0.2.1", "127.0.0.1", false},
		{PlainAnyone, "192.0.2.1", "192.0.2.2", true},
		{PlainNobody, "127.0.0.1", "127.0.0.1", false},
	} {
		if got := c.plain.admits(netip.MustParseAddr(c.remote), netip.MustParseAddr(c.local), nil); got != c.want {
			t.Errorf("setting %d, from %s to %s: %t", c.plain, c.remote, c.local, got)
		}
	}
}

func TestHeaderBound(t *testing.T) {
	const bound = 64 << 10
	r := start(t, Config{})
	for _, c := range []struct{ size, want int }{{bound, 200}, {bound + 1, 431}, {3 * bound, 431}} {
		head := "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: "
		head += strings.Repeat("a", c.size-len(head)-len("\r\n\r\n")) + "\r\n\r\n"
		answer, _ := exchange(t, r.dial(t), head)
		if answer.StatusCode != c.want {
			t.Errorf("a header of %d bytes is answered %d, want %d", c.size, answer.StatusCode, c.want)
		}
	}
}

func TestSlowClientsAreDropped(t *testing.T) {
	short := 100 * time.Millisecond
	r := start(t, Config{Limits: Limits{FirstByte: short, Header: short, Request: 2 * short, Idle: short}})
	for name, sent := range map[string]string{
		"nothing sent":       "",
		"half a TLS record":  "\x16\x03",
		"half a header":      "GET / HT",
		"half a body":        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
		"half a chunk":       "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc",
		"idle after a call":  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"a line without end": "GET / HTTP/1.1\r\nHost: x\r\nA: ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := r.dial(t)
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			if !gone(c) {
				t.Error("it is still connected after 10 s")
			}
		})
	}
}

func TestShutdownLetsCallsEnd(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	r := start(t, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entered <- true
		<-leave
		io.WriteString(w, "done")
	})})
	silent, busy := r.dial(t), r.dial(t)
	answered := make(chan string)
	go func() {
		_, body := exchange(t, busy, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		answered <- body
	}()
	<-entered
	stopped := make(chan error)
	go func() { stopped <- r.Shutdown(t.Context()) }()
	if !gone(silent) {
		t.Error("a connection without a request is held")
	}
	select {
	case err := <-stopped:
		t.Fatalf("Shutdown = %v before the call's end", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if body := <-answered; body != "done" {
		t.Errorf("the call under way was answered %q", body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Error("it still accepts connections")
	}
}
