package gateway

import (
	"context"
	"net/http"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/route"
)

// CrossOrigin is a Service that says which pages of other origins a browser may
// show its answers. That is no permission: who signs what is decided as ever.
//
// https://fetch.spec.whatwg.org/#http-cors-protocol
type CrossOrigin interface {
	// Origins answers the headers that let a browser show a page what comes of its request to a
	// bucket. An *aws.Error says why there are none.
	Origins(tx store.Tx, bucket string, page Page) (http.Header, error)
}

// Page is a page's request, as its browser tells of it.
type Page struct {
	Origin, Method string
	Fields         []string // the header fields that it is to have, in lower case; of a preflight alone
}

// maxPageFields is how many header fields a preflight may ask for.
const maxPageFields = 100

// preflight answers a browser that asks whether it may send a page's request.
// Nobody signs it, nothing is done, and nothing recorded.
func (g *Gateway) preflight(ctx context.Context, r *request) *wire.Response {
	to := &wire.Response{Status: http.StatusOK}
	page, err := preflightOf(r.wire.Header)
	if err == nil {
		err = g.Engine.View(ctx, func(tx store.Tx) (err error) {
			to.Header, err = g.cross.Origins(tx, r.match.Bucket, page)
			return err
		})
	}
	if err != nil {
		return g.answer(r, outcome{err: err})
	}
	return named(&wire.Answer{RequestID: r.id, HostID: hostID(r.id)}, to)
}

func preflightOf(h wire.Header) (Page, error) {
	p := Page{Origin: single(h, "Origin"), Method: single(h, "Access-Control-Request-Method")}
	if p.Origin == "" {
		return p, badPreflight("Insufficient information. Origin request header needed.")
	}
	switch p.Method {
	case "GET", "PUT", "POST", "DELETE", "HEAD":
	case "":
		return p, badPreflight("Invalid Access-Control-Request-Method: null")
	default:
		return p, badPreflight("Invalid Access-Control-Request-Method: " + p.Method)
	}
	for _, line := range h.Values("Access-Control-Request-Headers") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); name == "" {
				continue
			}
			if len(p.Fields) == maxPageFields {
				return p, badPreflight("Too many Access-Control-Request-Headers.")
			}
			p.Fields = append(p.Fields, name)
		}
	}
	return p, nil
}

func badPreflight(text string) error {
	return &aws.Error{Kind: aws.Custom, Code: "BadRequest", Status: http.StatusBadRequest, Message: text}
}

// single is a header field that is there once; else "".
func single(h wire.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// share puts on an answer what lets a browser show it to the page that asked.
// Where that can't be found out the page is not shown it.
func (g *Gateway) share(r *request, to *wire.Response) {
	if g.cross == nil || r.wire == nil || r.match.Bucket == "" || r.match.Operation == route.Preflight {
		return
	}
	page := Page{Origin: single(r.wire.Header, "Origin"), Method: r.wire.Method}
	if page.Origin == "" {
		return
	}
	if method := single(r.wire.Header, "Access-Control-Request-Method"); method != "" { // S3 believes it
		page.Method = method
	}
	ctx, cancel := context.WithTimeout(context.Background(), prepareTime)
	defer cancel()
	var headers http.Header
	if g.Engine.View(ctx, func(tx store.Tx) (err error) {
		headers, err = g.cross.Origins(tx, r.match.Bucket, page)
		return err
	}) != nil {
		return
	}
	if to.Header == nil {
		to.Header = http.Header{}
	}
	for name, values := range headers {
		to.Header[name] = values
	}
}
