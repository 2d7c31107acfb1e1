package gateway

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/wire"
)

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	req := requestOf(hr)
	if g.router.Internal(req) {
		if g.Internal == nil {
			http.NotFound(w, hr)
			return
		}
		g.Internal.ServeHTTP(w, hr)
		return
	}
	send(w, hr, g.Serve(hr.Context(), req))
}

// requestOf reduces a net/http request to what the path reads.
func requestOf(hr *http.Request) *wire.Request {
	path, query, _ := strings.Cut(rawTarget(hr), "?")
	req := &wire.Request{
		Method: hr.Method, RawPath: path, RawQuery: query, Host: hr.Host, Header: wire.HTTPHeader(hr.Header),
		Body: hr.Body, ContentLength: hr.ContentLength, TLS: hr.TLS,
	}
	req.Remote, _ = netip.ParseAddrPort(hr.RemoteAddr)
	return req
}

// rawTarget is path and query as they stand on the request line; of an absolute URI, what follows the host.
func rawTarget(hr *http.Request) string {
	target := hr.RequestURI
	if strings.HasPrefix(target, "/") || target == "*" {
		return target
	}
	if _, rest, ok := strings.Cut(target, "://"); ok {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			if rest[i] == '?' {
				return "/" + rest[i:]
			}
			return rest[i:]
		}
	}
	return "/"
}

// send writes an answer out. A streamed body that breaks off ends the connection, never well.
func send(w http.ResponseWriter, hr *http.Request, from *wire.Response) {
	header := w.Header()
	for name, values := range from.Header {
		header[name] = values
	}
	if header["Content-Type"] == nil {
		header["Content-Type"] = nil // or net/http would guess one
	}
	if from.Stream == nil {
		if from.Status != http.StatusNoContent && from.Status != http.StatusNotModified {
			header["Content-Length"] = []string{strconv.Itoa(len(from.Body))}
		}
		w.WriteHeader(from.Status)
		if hr.Method != http.MethodHead {
			w.Write(from.Body) // an error means the caller has left
		}
		return
	}
	defer from.Stream.Close()
	if from.Length >= 0 {
		header["Content-Length"] = []string{strconv.FormatInt(from.Length, 10)}
	}
	w.WriteHeader(from.Status)
	if hr.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, from.Stream); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// originOf is where a request comes from, for conditions and the record.
func originOf(req *wire.Request) origin {
	o := origin{
		address: req.Remote.Addr().Unmap(), secure: req.TLS != nil,
		userAgent: req.Header.Get("User-Agent"), referer: req.Header.Get("Referer"), host: req.Host,
	}
	if req.TLS != nil {
		o.tlsVersion, o.cipher = tlsNames(req.TLS)
	}
	return o
}

func base64Std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
