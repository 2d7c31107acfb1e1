package front

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBackgroundReadIsSilenced pins what conn.Read rests on in net/http.
func TestBackgroundReadIsSilenced(t *testing.T) {
	entered, leave := make(chan *http.Request), make(chan bool)
	r := start(t, Config{Handler: http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		entered <- request
		<-leave
	})})
	c := r.dial(t)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	request := <-entered
	c.Close()
	select {
	case <-request.Context().Done():
		t.Error("the client's leaving was seen: net/http's background read reached the connection")
	case <-time.After(100 * time.Millisecond):
	}
	r.conns.mu.Lock()
	known := slices.Collect(maps.Keys(r.conns.order))
	r.conns.mu.Unlock()
	close(leave)
	r.Shutdown(t.Context()) // what the connection's goroutine wrote may be read from here on
	for _, known := range known {
		if known.probe == nil {
			t.Errorf("no read of one byte by %s was seen: net/http has changed, conn.Read must follow", backgroundRead)
		}
	}
}

func TestTLSKeepsItsBackgroundRead(t *testing.T) {
	entered, left := make(chan bool), make(chan bool)
	r := start(t, Config{Handler: http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		entered <- true
		select {
		case <-request.Context().Done():
			left <- true
		case <-time.After(5 * time.Second):
			left <- false
		}
	})})
	client := r.client(nil)
	client.Timeout = 50 * time.Millisecond
	go client.Get("https://" + r.addr)
	<-entered
	if !<-left {
		t.Error("a client's leaving does not end the request's context over TLS")
	}
}

// TestBytesAreNeitherLostNorMade makes net/http read a single byte of its own:
// a request line's first 4,095 bytes come alone, and leave one free in its
// buffer of 4,096. What follows comes pipelined.
func TestBytesAreNeitherLostNorMade(t *testing.T) {
	r := start(t, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %s", len(r.URL.Path), body)
	})})
	for length := 4096; length < 4106; length++ {
		c := r.dial(t)
		answers := bufio.NewReader(c)
		for range 2 { // on a fresh connection, and on one whose background read is known
			path := "/" + strings.Repeat("a", length-len("POST /"))
			request := "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\nHost: x\r\n\r\n"
			for _, piece := range []string{request[:4095], request[4095:]} {
				if _, err := io.WriteString(c, piece); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Millisecond)
			}
			for _, want := range []string{fmt.Sprint(len(path), " ok"), "1 "} {
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatalf("length %d: %v", length, err)
				}
				if body, _ := io.ReadAll(answer.Body); string(body) != want {
					t.Fatalf("length %d: answered %q, want %q", length, body, want)
				}
			}
		}
	}
}
