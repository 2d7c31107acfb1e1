package front

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dialFrom opens a connection from an address, by a proxy's word.
func (r *rig) dialFrom(t *testing.T, address string) net.Conn {
	t.Helper()
	c := r.dial(t)
	io.WriteString(c, from(address))
	return c
}

const slowHead = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nbegun"

// Two addresses that hold every connection with bodies which hardly come keep
// nobody out, neither who is new nor who sends as they do and holds little.
func TestSlowBodiesOfTwoAddressesKeepNobodyOut(t *testing.T) {
	t.Parallel()
	r := start(t, Config{Proxies: here, Limits: Limits{Connections: 9, PerSource: 4}})
	honest := r.dialFrom(t, "198.51.100.3")
	io.WriteString(honest, slowHead)
	crowd := map[string][]net.Conn{}
	for range 4 {
		for _, address := range []string{"198.51.100.1", "198.51.100.2"} {
			c := r.dialFrom(t, address)
			io.WriteString(c, slowHead)
			crowd[address] = append(crowd[address], c)
		}
	}
	time.Sleep(evictable + 200*time.Millisecond)
	for _, address := range []string{"198.51.100.4", "198.51.100.1"} { // a stranger, and one who shares an attacker's address
		if _, body := exchange(t, r.dialFrom(t, address), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); body != "HTTP/1.1 tls=false body=0" {
			t.Errorf("from %s: %q", address, body)
		}
	}
	if _, body := exchange(t, honest, strings.Repeat("x", 100000-len("begun"))); body != "HTTP/1.1 tls=false body=100000" {
		t.Errorf("a body that came slowly from elsewhere: %q", body)
	}
	if s := r.Stats(); s.Evicted == 0 || s.Open > 9 {
		t.Errorf("counters are %+v", s)
	}
}

// A body that is not read by anyone holds no connection either.
func TestABodyNobodyReadsIsGivenUp(t *testing.T) {
	t.Parallel()
	r := start(t, Config{Limits: Limits{PerSource: 1}, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	slow := r.dial(t)
	io.WriteString(slow, slowHead)
	time.Sleep(evictable + 200*time.Millisecond)
	exchange(t, r.dial(t), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if !gone(slow) {
		t.Error("a body that no handler reads keeps its connection")
	}
}

func TestBodiesKeepPace(t *testing.T) {
	const part = 50 * time.Millisecond
	for _, c := range []struct {
		name      string
		anyLength bool
		size      int // of a part
		want      bool
	}{
		{"slower than the least pace", false, 1, false},
		{"slower than the least pace, of any length", true, 1, false},
		{"at pace, for too long", false, 4000, false},
		{"at pace, of any length", true, 4000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan int64, 1)
			r := start(t, Config{
				Limits: Limits{Request: 8 * part, Answer: 8 * part, BodyGrace: 4 * part, BodyRate: 20000},
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.anyLength {
						r.Body.(interface{ AnyLength() }).AnyLength()
					}
					n, _ := io.Copy(io.Discard, r.Body)
					got <- n
					fmt.Fprint(w, n)
				})})
			conn := r.dial(t)
			const parts = 24 // three times as long as a body may take
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", parts*c.size)
			go func() {
				for range parts {
					if _, err := io.WriteString(conn, strings.Repeat("x", c.size)); err != nil {
						return
					}
					time.Sleep(part)
				}
			}()
			whole := <-got == int64(parts*c.size)
			if whole != c.want || (r.Stats().Slow == 0) != c.want {
				t.Errorf("it arrived whole: %t; %+v", whole, r.Stats())
			}
			if c.want {
				if _, body := exchange(t, conn, ""); body != fmt.Sprint(parts*c.size) {
					t.Errorf("answered %q", body)
				}
			}
		})
	}
}

// Over HTTP/2 one body's pace is not another's, and a connection that does
// nothing but receive can be given up.
func TestSlowBodiesOverHTTP2(t *testing.T) {
	t.Parallel()
	r := start(t, Config{Limits: Limits{PerSource: 1, BodyGrace: 300 * time.Millisecond, Header: 200 * time.Millisecond}})
	client := r.client(nil)
	body, more := io.Pipe()
	defer more.Close()
	slow := make(chan string, 1)
	go func() {
		answer, err := client.Post("https://"+r.addr, "", body)
		if err != nil {
			slow <- err.Error()
			return
		}
		text, _ := io.ReadAll(answer.Body)
		slow <- string(text)
	}()
	io.WriteString(more, "begun")
	if got := get(t, client, "https://"+r.addr); got != "HTTP/2.0 tls=true body=0" {
		t.Errorf("beside it: %q", got)
	}
	if got := <-slow; got == "" || r.Stats().Slow == 0 {
		t.Errorf("a body that does not go on: %q, %+v", got, r.Stats())
	}
	if got := get(t, client, "https://"+r.addr); got != "HTTP/2.0 tls=true body=0" {
		t.Errorf("after it: %q", got)
	}
}

// Time for a body is none for what is done with it: net/http, which over TLS
// watches for the client's leaving meanwhile, gives up no client for it.
func TestTimeForTheBodyIsNoneForTheAnswer(t *testing.T) {
	t.Parallel()
	r := start(t, Config{
		Limits: Limits{Header: 100 * time.Millisecond, BodyGrace: 100 * time.Millisecond},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.ReadAll(r.Body)
			select {
			case <-r.Context().Done():
				io.WriteString(w, "cut")
			case <-time.After(500 * time.Millisecond):
				io.WriteString(w, "done")
			}
		})})
	client := r.client(nil)
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	client.Transport.(*http.Transport).TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	for _, sent := range []string{"", "body"} {
		answer, err := client.Post("https://"+r.addr, "", strings.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(answer.Body); string(text) != "done" || answer.ProtoMajor != 1 {
			t.Errorf("with body %q over %s: %q", sent, answer.Proto, text)
		}
		answer.Body.Close()
	}
}
