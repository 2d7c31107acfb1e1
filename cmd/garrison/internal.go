package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/garrison-security/garrison/front"
)

// internalPages are the pages below /_garrison/. Health is open to everyone and
// tells its state alone; metrics are for this machine, the addresses of
// --admin-listen, and whoever bears the token.
type internalPages struct {
	server  *server
	health  *health
	metrics http.Handler
}

// ServeHTTP implements http.Handler.
func (p *internalPages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	page, read := strings.TrimPrefix(r.URL.Path, "/_garrison/"), r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case page != "health" && page != "health/live" && page != "metrics":
		http.NotFound(w, r)
	case !read:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case page == "health/live":
		tellState(w, http.StatusOK, "live")
	case page == "health":
		p.health.tell(w)
	case !p.mayRead(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="garrison"`)
		http.Error(w, "metrics are for this machine, --admin-listen, or a bearer of the token", http.StatusUnauthorized)
	default:
		p.metrics.ServeHTTP(w, r)
	}
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

// bearerVariable holds the token itself, where there is no file of it.
const bearerVariable = "GARRISON_METRICS_BEARER"

func (p *internalPages) bearsToken(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	token, err := p.server.settings.metricsToken()
	if err != nil {
		p.server.log.Error("the metrics token can't be read", "error", err)
	}
	if err != nil || token == "" {
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// metricsToken is the token that opens the metrics, from its file or the environment; "" if there is none.
func (s *Settings) metricsToken() (string, error) {
	if s.MetricsToken != "" {
		return readToken(s.MetricsToken)
	}
	token := os.Getenv(bearerVariable)
	if token != "" && len(token) < leastToken {
		return "", errShortToken
	}
	return token, nil
}

const leastToken = 16

var errShortToken = fmt.Errorf("holds no token of at least %d characters", leastToken)

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
	if token = strings.TrimSpace(token); len(token) < leastToken {
		return "", errShortToken
	}
	return token, nil
}

func samePort(a, b net.Addr) bool {
	x, ok1 := a.(*net.TCPAddr)
	y, ok2 := b.(*net.TCPAddr)
	return ok1 && ok2 && x.Port == y.Port && (y.IP.IsUnspecified() || x.IP.Equal(y.IP))
}
