package front

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// proxied is a server that tells each caller who it takes him for.
func proxied(t *testing.T, c Config) *rig {
	c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := ClientOf(r)
		if err != nil {
			http.Error(w, "forwarded", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s secure=%t tls=%t direct=%t", client.Remote.Addr(), client.Secure, client.TLS != nil, client.Direct)
	})
	return start(t, c)
}

var here = Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.9.0.0/16")}

const stranger = "203.0.113.7"

// block is a preamble of the command and family, with what follows.
func block(command, family byte, rest ...byte) string {
	b := append([]byte(preamble), command, family, 0, 0)
	binary.BigEndian.PutUint16(b[14:], uint16(len(rest)))
	return string(append(b, rest...))
}

// from is a preamble for a client of TCP over IPv4, with additions.
func from(client string, additions ...byte) string {
	a := netip.MustParseAddr(client).As4()
	return block(0x21, 0x11, append(append(a[:], 127, 0, 0, 1, 0x30, 0x39, 0, 80), additions...)...)
}

func addition(kind byte, value ...byte) []byte {
	return append([]byte{kind, byte(len(value) >> 8), byte(len(value))}, value...)
}

// summed puts the right checksum into a preamble's last four bytes.
func summed(preamble string) string {
	b := []byte(preamble)
	binary.BigEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return string(b)
}

func TestPreamblesAreTakenOfTrustedProxiesAlone(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	six := block(0x21, 0x21, append(append(v6[:], v6[:]...), 0x30, 0x39, 0, 80)...)
	mapped := netip.MustParseAddr("::ffff:" + stranger).As16()
	long := block(0x20, 0)[:14] + "\xff\xff" + strings.Repeat("x", maxPreamble)
	const plain = " secure=false tls=false direct=false"
	for _, c := range []struct {
		name, sent string
		proxies    Proxies
		want       string // "": 400
	}{
		{"IPv4", from(stranger), here, stranger + plain},
		{"IPv6", six, here, "2001:db8::7" + plain},
		{"mapped", block(0x21, 0x21, append(append(mapped[:], v6[:]...), 0x30, 0x39, 0, 80)...), here, stranger + plain},
		{"the proxy itself", block(0x20, 0x00), here, "127.0.0.1" + plain},
		{"the proxy itself, whatever follows", block(0x20, 0x11, 1, 2, 3), here, "127.0.0.1" + plain},
		{"additions", from(stranger, addition(0x04, 1, 2, 3)...), here, stranger + plain},
		{"a client of TLS", from(stranger, addition(0x20, 1, 0, 0, 0, 0)...), here, stranger + " secure=true tls=false direct=false"},
		{"a client without TLS", from(stranger, addition(0x20, 0, 0, 0, 0, 0)...), here, stranger + plain},
		{"a checksum", summed(from(stranger, addition(0x03, 0, 0, 0, 0)...)), here, stranger + plain},

		{"of a stranger", from(stranger), nil, ""},
		{"of a neighbour of the proxies", from(stranger), Proxies{netip.MustParsePrefix("127.0.0.2/32")}, ""},
		{"version 1", "PROXY TCP4 " + stranger + " 127.0.0.1 12345 80\r\n", here, ""},
		{"version 1 of a stranger", "PROXY TCP4 " + stranger + " 127.0.0.1 12345 80\r\n", nil, ""},
		{"another version", block(0x31, 0x11, make([]byte, 12)...), here, ""},
		{"another command", block(0x22, 0x11, make([]byte, 12)...), here, ""},
		{"datagrams", block(0x21, 0x12, make([]byte, 12)...), here, ""},
		{"a socket's path", block(0x21, 0x31, make([]byte, 216)...), here, ""},
		{"an unknown family", block(0x21, 0x00), here, ""},
		{"addresses cut short", block(0x21, 0x11, 203, 0, 113, 7), here, ""},
		{"no address", from("0.0.0.0"), here, ""},
		{"an address of a group", from("224.0.0.1"), here, ""},
		{"an addition cut short", from(stranger, 4, 0), here, ""},
		{"an addition beyond the end", from(stranger, 4, 0, 9, 1), here, ""},
		{"a wrong checksum", from(stranger, addition(0x03, 1, 2, 3, 4)...), here, ""},
		{"TLS told twice", from(stranger, append(addition(0x20, 1, 0, 0, 0, 0), addition(0x20, 0, 0, 0, 0, 0)...)...), here, ""},
		{"too long", long, here, ""},
		{"broken off in its signature", "\r\n\r\n\x00\r\nQUIP\n\x21\x11\x00\x00", here, ""},
		{"two", from(stranger) + from("198.51.100.1"), here, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := proxied(t, Config{Proxies: c.proxies})
			answer, body := exchange(t, r.dial(t), c.sent+"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if c.want == "" && answer.StatusCode != http.StatusBadRequest || c.want != "" && body != c.want {
				t.Errorf("answered %d %q, want %q", answer.StatusCode, body, c.want)
			}
		})
	}
}

// A client's headers tell nothing where a proxy has told of the connection.
func TestAPreambleOutweighsHeaders(t *testing.T) {
	r := proxied(t, Config{Proxies: here})
	_, body := exchange(t, r.dial(t), from(stranger)+"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n")
	if want := stranger + " secure=false tls=false direct=false"; body != want {
		t.Errorf("answered %q, want %q", body, want)
	}
}

func TestTLSPassesThroughAProxy(t *testing.T) {
	r := proxied(t, Config{Proxies: here})
	for additions, want := range map[string]string{
		"":                                    stranger + " secure=true tls=true direct=false",
		string(addition(0x20, 0, 0, 0, 0, 0)): stranger + " secure=false tls=false direct=false",
		string(addition(0x20, 1, 0, 0, 0, 0)): stranger + " secure=true tls=false direct=false",
	} {
		c := r.dial(t)
		io.WriteString(c, from(stranger, []byte(additions)...))
		_, body := exchange(t, tls.Client(c, &tls.Config{RootCAs: r.roots, ServerName: "localhost"}), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if body != want {
			t.Errorf("answered %q, want %q", body, want)
		}
	}
}

func TestForwardedRequests(t *testing.T) {
	const proxyItself = "127.0.0.1 secure=false tls=false direct=true"
	for _, c := range []struct {
		name    string
		proxies Proxies
		headers []string
		want    string // "": 400
	}{
		{"nothing", here, nil, proxyItself},
		{"of a stranger", nil, []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"}, proxyItself},
		{"one hop", here, []string{"X-Forwarded-For: " + stranger, "X-Forwarded-Proto: https"}, stranger + " secure=true tls=false direct=false"},
		{"a forged hop before it", here, []string{"X-Forwarded-For: 192.0.2.1, " + stranger}, stranger + " secure=false tls=false direct=false"},
		{"a forged line before it", here, []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: " + stranger}, stranger + " secure=false tls=false direct=false"},
		{"forged rubbish before it", here, []string{"X-Forwarded-For: ,%,\"x\"," + stranger}, stranger + " secure=false tls=false direct=false"},
		{"two proxies", here, []string{"X-Forwarded-For: 192.0.2.1, " + stranger + ",10.9.1.1"}, stranger + " secure=false tls=false direct=false"},
		{"proxies alone", here, []string{"X-Forwarded-For: 10.9.1.2, 10.9.1.1"}, "10.9.1.2 secure=false tls=false direct=false"},
		{"a port", here, []string{"X-Forwarded-For: " + stranger + ":1234"}, stranger + " secure=false tls=false direct=false"},
		{"IPv6", here, []string{"X-Forwarded-For: 2001:db8::7"}, "2001:db8::7 secure=false tls=false direct=false"},
		{"IPv6 in brackets", here, []string{"X-Forwarded-For: [2001:db8::7]"}, "2001:db8::7 secure=false tls=false direct=false"},
		{"IPv6 with a port", here, []string{"X-Forwarded-For: [2001:db8::7]:80"}, "2001:db8::7 secure=false tls=false direct=false"},
		{"a mapped proxy", here, []string{"X-Forwarded-For: " + stranger + ", ::ffff:10.9.0.1"}, stranger + " secure=false tls=false direct=false"},
		{"a scheme alone", here, []string{"X-Forwarded-Proto: HTTPS"}, "127.0.0.1 secure=true tls=false direct=false"},
		{"a scheme that is not TLS's", here, []string{"X-Forwarded-Proto: wss"}, "127.0.0.1 secure=false tls=false direct=false"},
		{"schemes that differ", here, []string{"X-Forwarded-Proto: https, http"}, "127.0.0.1 secure=false tls=false direct=false"},
		{"schemes forged before the proxy's", here, []string{"X-Forwarded-Proto: https", "X-Forwarded-Proto: http"}, "127.0.0.1 secure=false tls=false direct=false"},
		{"no address", here, []string{"X-Forwarded-For: unknown"}, ""},
		{"nothing where the address should be", here, []string{"X-Forwarded-For: " + stranger + ","}, ""},
		{"an empty line", here, []string{"X-Forwarded-For:"}, ""},
		{"an address with a zone", here, []string{"X-Forwarded-For: fe80::1%eth0"}, ""},
		{"an unreadable hop behind a proxy", here, []string{"X-Forwarded-For: x, 10.9.1.1"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := proxied(t, Config{Proxies: c.proxies})
			answer, body := exchange(t, r.dial(t), "GET / HTTP/1.1\r\nHost: x\r\n"+strings.Join(append(c.headers, "\r\n"), "\r\n"))
			if c.want == "" && answer.StatusCode != http.StatusBadRequest || c.want != "" && body != c.want {
				t.Errorf("answered %d %q, want %q", answer.StatusCode, body, c.want)
			}
		})
	}
}

// What a proxy holds counts for those behind it, one by one; its own
// connections are bounded with all others alone.
func TestBoundsFollowTheRealSource(t *testing.T) {
	r := proxied(t, Config{Proxies: here, Limits: Limits{PerSource: 2}})
	open := func(preamble string) net.Conn {
		c := r.dial(t)
		io.WriteString(c, preamble)
		exchange(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		return c
	}
	first := open(from(stranger))
	for range 3 {
		open("")
		open(from("198.51.100.1"))
	}
	if _, body := exchange(t, first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(body, stranger) {
		t.Errorf("the first of a source that holds one is answered %q", body)
	}
	open(from(stranger))
	open(from(stranger))
	if !gone(first) {
		t.Error("a source holds more than its bound through a proxy")
	}
}

func TestASlowPreambleIsGivenUp(t *testing.T) {
	r := proxied(t, Config{Proxies: here, Limits: Limits{FirstByte: 50 * time.Millisecond}})
	c := r.dial(t)
	io.WriteString(c, from(stranger)[:20])
	if !gone(c) {
		t.Error("a preamble that does not end is waited for")
	}
}

func TestPlainHTTPFromProxiesAlone(t *testing.T) {
	address := netip.MustParseAddr
	for _, c := range []struct {
		remote, local string
		want          bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"10.9.1.1", "10.1.1.1", true},
		{"10.8.1.1", "10.1.1.1", false},
		{stranger, "127.0.0.1", false},
	} {
		if got := PlainProxies.admits(address(c.remote), address(c.local), here); got != c.want {
			t.Errorf("%s to %s: %t", c.remote, c.local, got)
		}
		if c.remote == "10.9.1.1" && PlainLoopback.admits(address(c.remote), address(c.local), here) {
			t.Error("plain HTTP from a proxy over the network passes as loopback's")
		}
	}
}

// FuzzPreamble: a block is read whole or refused, and never makes a client of nothing.
func FuzzPreamble(f *testing.F) {
	f.Add([]byte(from(stranger, addition(0x20, 1, 0, 0, 0, 0)...)))
	f.Add([]byte(summed(from(stranger, addition(0x03, 0, 0, 0, 0)...))))
	f.Add([]byte(block(0x20, 0)))
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) == 0 {
			return
		}
		got, err := readPreamble(strings.NewReader(string(sent[1:])))
		if err == nil && got.client.IsValid() && (got.client.Addr().IsUnspecified() || got.client.Addr().Is4In6()) {
			t.Errorf("%x: %v", sent, got)
		}
	})
}
