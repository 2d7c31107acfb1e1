package gateway

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Client is who sent a request: its address, whether it speaks TLS, and its
// TLS connection if that is known.
type Client struct {
	Remote netip.AddrPort
	Secure bool
	TLS    *tls.ConnectionState
}

// connectionOf takes the other end of the connection for the client.
func connectionOf(hr *http.Request) (Client, error) {
	remote, _ := netip.ParseAddrPort(hr.RemoteAddr)
	return Client{remote, hr.TLS != nil, hr.TLS}, nil
}

// errClient is the refusal of a request of which a proxy does not say legibly whose it is.
var errClient = &aws.Error{Kind: aws.Custom, Code: "InvalidRequest", Message: "The proxy before this endpoint does not say legibly where the request comes from."}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	client, unknown := g.Client(hr)
	req := requestOf(hr, client)
	if g.router.Internal(req) {
		if g.Internal == nil {
			http.NotFound(w, hr)
			return
		}
		g.Internal.ServeHTTP(w, hr)
		return
	}
	if unknown != nil {
		unknown = errClient
	}
	g.send(w, hr, g.serve(hr.Context(), req, unknown))
}

// requestOf reduces a net/http request to what the path reads.
func requestOf(hr *http.Request, client Client) *wire.Request {
	path, query, _ := strings.Cut(rawTarget(hr), "?")
	return &wire.Request{
		Method: hr.Method, RawPath: path, RawQuery: query, Host: hr.Host, Header: wire.HTTPHeader(hr.Header),
		Body: hr.Body, ContentLength: hr.ContentLength, Remote: client.Remote, Secure: client.Secure, TLS: client.TLS,
	}
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

// send writes an answer out. A streamed body that breaks off ends the connection, never well,
// and is in the log unless it was the caller who left.
func (g *Gateway) send(w http.ResponseWriter, hr *http.Request, from *wire.Response) {
	header := w.Header()
	for name, values := range from.Header {
		header[name] = values
	}
	if header["Content-Type"] == nil {
		header["Content-Type"] = nil // or net/http would guess one
	}
	if from.Stream == nil {
		// An answer to HEAD has no body, and may tell the length that GET's has.
		told := hr.Method == http.MethodHead && header["Content-Length"] != nil
		if !told && from.Status != http.StatusNoContent && from.Status != http.StatusNotModified {
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
	source := &source{Reader: from.Stream}
	for control := http.NewResponseController(w); ; {
		control.SetWriteDeadline(time.Now().Add(partTime)) // an error means that nothing bounds the time
		if _, err := io.CopyN(w, source, partBytes); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			if source.err != nil {
				g.Log.Error("an answer broke off: its content can't be read", "request", header.Get("X-Amz-Request-Id"), "error", source.err)
			}
			panic(http.ErrAbortHandler)
		}
	}
}

// source is what an answer is streamed from, and why that broke off.
type source struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// A streamed answer may take as long as its caller takes each part in time.
const (
	partBytes = 1 << 20
	partTime  = time.Minute
)

// originOf is where a request comes from, for conditions and the record.
func originOf(req *wire.Request) origin {
	o := origin{
		request: req, address: req.Remote.Addr().Unmap(), secure: req.Secure,
		userAgent: req.Header.Get("User-Agent"), referer: req.Header.Get("Referer"), host: req.Host,
	}
	if req.TLS != nil {
		o.tlsVersion, o.cipher = tlsNames(req.TLS)
	}
	return o
}

func base64Std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
