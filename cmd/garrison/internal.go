package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"

	"github.com/garrison-security/garrison/front"
)

// internalPages are the pages below /_garrison/. Health is open to everyone and
// tells its state alone; metrics are for this machine, the addresses of
// --admin-listen, and whoever bears the token.
type internalPages struct{ server *server }

// ServeHTTP implements http.Handler.
func (p *internalPages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	page, read := strings.TrimPrefix(r.URL.Path, "/_garrison/"), r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case page != "health" && page != "metrics":
		http.NotFound(w, r)
	case !read:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case page == "health":
		p.health(w)
	case !p.mayRead(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="garrison"`)
		http.Error(w, "metrics are for this machine, --admin-listen, or a bearer of the token", http.StatusUnauthorized)
	default:
		p.metrics(w)
	}
}

func (p *internalPages) health(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"status":"ok"}`+"\n")
}

// mayRead says whether a request comes from where metrics are shown, or bears the token.
func (p *internalPages) mayRead(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	for _, l := range p.server.adminListeners() {
		if local != nil && samePort(local, l.Addr()) {
			return true
		}
	}
	return fromHere(r) || p.bearsToken(r)
}

// fromHere says whether a client on this machine asks for itself. A proxy on
// this machine, and a browser here that a stranger's page sends to a name of
// its own (DNS rebinding), come over loopback too, but not by loopback's name.
func fromHere(r *http.Request) bool {
	for _, name := range [...]string{"Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip"} {
		if len(r.Header[name]) > 0 {
			return false
		}
	}
	client, err := front.ClientOf(r)
	return err == nil && client.Direct && client.Remote.Addr().Unmap().IsLoopback() && isLoopbackName(r.Host)
}

// isLoopbackName says whether host, with or without a port, is localhost or a loopback address.
func isLoopbackName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(name, "localhost")
}

func (p *internalPages) bearsToken(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	path := p.server.settings.MetricsToken
	if !ok || path == "" {
		return false
	}
	token, err := readToken(path)
	if err != nil {
		p.server.log.Error("the metrics token can't be read", "error", err)
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// readToken reads a token of at least 16 characters from the first line of a file.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	token, _, _ := strings.Cut(string(text), "\n")
	if token = strings.TrimSpace(token); len(token) < 16 {
		return "", errors.New("holds no token of at least 16 characters")
	}
	return token, nil
}

func samePort(a, b net.Addr) bool {
	x, ok1 := a.(*net.TCPAddr)
	y, ok2 := b.(*net.TCPAddr)
	return ok1 && ok2 && x.Port == y.Port && (y.IP.IsUnspecified() || x.IP.Equal(y.IP))
}

// metrics writes Prometheus's text format.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/
func (p *internalPages) metrics(w http.ResponseWriter) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	connections := p.server.front.Stats()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, m := range []struct {
		name, kind, help string
		value            float64
	}{
		{"garrison_connections", "gauge", "Connections open.", float64(connections.Open)},
		{"garrison_connections_accepted_total", "counter", "Connections accepted.", float64(connections.Accepted)},
		{"garrison_connections_refused_total", "counter", "Connections refused at a bound.", float64(connections.Refused)},
		{"garrison_connections_evicted_total", "counter", "Idle connections closed to make room.", float64(connections.Evicted)},
		{"garrison_connections_silent_total", "counter", "Connections closed without a first byte.", float64(connections.Silent)},
		{"garrison_store_free_ratio", "gauge", "Share of free space where the store writes.", p.server.house.engine.Free()},
		{"process_start_time_seconds", "gauge", "Start of the process, in Unix time.", float64(p.server.started.UnixMilli()) / 1000},
		{"go_goroutines", "gauge", "Goroutines.", float64(runtime.NumGoroutine())},
		{"go_memstats_heap_inuse_bytes", "gauge", "Bytes of heap in use.", float64(memory.HeapInuse)},
		{"go_memstats_sys_bytes", "gauge", "Bytes of memory taken from the system.", float64(memory.Sys)},
		{"go_gc_cycles_total", "counter", "Garbage collections.", float64(memory.NumGC)},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %g\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
	fmt.Fprintf(w, "# HELP garrison_info Release.\n# TYPE garrison_info gauge\ngarrison_info{release=%q} 1\n", release)
}
