package front

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestASilentCrowdKeepsNobodyOut(t *testing.T) {
	for name, limits := range map[string]Limits{
		"of one source": {PerSource: 8},
		"of all":        {Connections: 8, PerSource: 100},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Config{Limits: limits})
			crowd := make([]net.Conn, 30)
			for i := range crowd {
				crowd[i] = r.dial(t)
			}
			if got, want := get(t, r.client(nil), "http://"+r.addr), "HTTP/1.1 tls=false body=0"; got != want {
				t.Errorf("one who calls is answered %q, want %q", got, want)
			}
			if !gone(crowd[0]) {
				t.Error("the eldest was not closed to make room")
			}
			if s := r.Stats(); s.Open > 8 || s.Evicted < 22 || s.Full+s.Source != 0 {
				t.Errorf("counters are %+v", s)
			}
		})
	}
}

func TestCallsUnderWayAreNotCutForNewOnes(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	r := start(t, Config{Limits: Limits{PerSource: 2}, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entered <- true
		<-leave
		io.WriteString(w, "done")
	})})
	answered := make(chan string)
	for range 2 {
		c := r.dial(t)
		go func() {
			_, body := exchange(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			answered <- body
		}()
		<-entered
	}
	if !gone(r.dial(t)) {
		t.Error("a third connection is held beyond the bound")
	}
	close(leave)
	for range 2 {
		if got := <-answered; got != "done" {
			t.Errorf("a call under way was answered %q", got)
		}
	}
	for end := time.Now().Add(5 * time.Second); r.Stats().Source != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("counters are %+v", r.Stats())
		}
	}
}

func TestClosedConnectionsAreNotCounted(t *testing.T) {
	r := start(t, Config{})
	for range 50 {
		c := r.dial(t)
		exchange(t, c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	}
	for end := time.Now().Add(5 * time.Second); r.Stats().Open != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d are counted", r.Stats().Open)
		}
	}
	r.conns.mu.Lock()
	defer r.conns.mu.Unlock()
	if len(r.conns.source) != 0 || len(r.conns.order) != 0 {
		t.Errorf("%d sources and %d connections are remembered", len(r.conns.source), len(r.conns.order))
	}
}

func TestASourceIsAnAddressOrANetworkOfIPv6(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":             "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::",
		"fe80::1%eth0":          "fe80::",
		"::1":                   "::1",
		"2001:db8:1:2:ffff::99": "2001:db8:1:2::",
	} {
		if got := sourceOf(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("the source of %s is %s, want %s", address, got, want)
		}
	}
}
