package main

import (
	"net/http/httptest"
	"testing"
)

func TestMetricsAreNotReadThroughAProxyOrABrowserHere(t *testing.T) {
	pages := &internalPages{server: &server{}}
	for _, c := range []struct {
		name, remote, host, header string
		may                        bool
	}{
		{"this machine", "127.0.0.1:1024", "localhost:4566", "", true},
		{"its address", "127.0.0.1:1024", "127.0.0.1:4566", "", true},
		{"its address of IPv6", "[::1]:1024", "[::1]:4566", "", true},
		{"without a port", "[::1]:1024", "[::1]", "", true},
		{"mapped", "[::ffff:127.0.0.1]:1024", "LocalHost", "", true},
		{"another machine", "192.0.2.7:1024", "localhost:4566", "", false},
		{"a name that a stranger points here", "127.0.0.1:1024", "rebound.example:4566", "", false},
		{"an address that is not loopback's", "127.0.0.1:1024", "192.0.2.7:4566", "", false},
		{"a name that begins alike", "127.0.0.1:1024", "127.0.0.1.example", "", false},
		{"no name", "127.0.0.1:1024", "", "", false},
		{"a proxy here", "127.0.0.1:1024", "localhost:4566", "X-Forwarded-For", false},
		{"a proxy of another kind", "127.0.0.1:1024", "localhost:4566", "Forwarded", false},
	} {
		r := httptest.NewRequest("GET", "/_garrison/metrics", nil)
		r.RemoteAddr, r.Host = c.remote, c.host
		if c.header != "" {
			r.Header.Set(c.header, "198.51.100.9")
		}
		if got := pages.mayRead(r); got != c.may {
			t.Errorf("%s: may read the metrics = %t", c.name, got)
		}
	}
}
