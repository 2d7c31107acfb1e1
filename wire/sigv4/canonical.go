package sigv4

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/aws"
)

// scratch is what building a canonical request works in.
type scratch struct {
	text  []byte
	query []byte
	pairs []pair
}

// pair is a query parameter: two runs of scratch.query, escaped.
type pair struct{ name, eq, end int }

// maxKept bounds the buffers that a scratch keeps between requests.
const maxKept = 64 << 10

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (b *scratch) free() {
	if cap(b.text) <= maxKept && cap(b.query) <= maxKept && cap(b.pairs) <= 1024 {
		scratches.Put(b)
	}
}

// build writes the canonical request into b.text:
//
//	method \n path \n query \n name:value \n … \n \n names \n payload
func (s *Signature) build(b *scratch) *aws.Error {
	t := append(b.text[:0], s.req.Method...)
	t = append(t, '\n')
	var err error
	if s.rules.S3 {
		t, err = appendPathAsSent(t, s.req.RawPath)
	} else {
		t = appendPathNormal(t, s.req.RawPath)
	}
	if err != nil {
		return badQuery(s.rules)
	}
	t = append(t, '\n')
	if s.req.RawQuery != "" {
		if t, err = b.appendQuery(t, s.req.RawQuery, s.Presigned && s.rules.UnsignedToken); err != nil {
			return badQuery(s.rules)
		}
	}
	t = append(t, '\n')
	for name := range s.headers() {
		t = append(append(t, name...), ':')
		ok := false
		if t, ok = s.appendHeader(t, name); !ok {
			b.text = t
			return s.mismatch()
		}
		t = append(t, '\n')
	}
	t = append(t, '\n')
	t = append(t, s.SignedHeaders...)
	t = append(t, '\n')
	b.text = append(t, s.payload...)
	return nil
}

// appendPathAsSent is S3's rule: every segment decoded once and escaped once,
// nothing folded.
func appendPathAsSent(dst []byte, path string) ([]byte, error) {
	if path == "" {
		return append(dst, '/'), nil
	}
	var err error
	for i, more := 0, true; more; i++ {
		var segment string
		segment, path, more = strings.Cut(path, "/")
		if i > 0 {
			dst = append(dst, '/')
		}
		if dst, err = appendReescaped(dst, segment, false); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendPathNormal is everyone else's: empty and dot segments are removed, and
// what is left, escaped as it is, is escaped again.
func appendPathNormal(dst []byte, path string) []byte {
	start := len(dst)
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			if i := bytes.LastIndexByte(dst[start:], '/'); i >= 0 {
				dst = dst[:start+i]
			}
		default:
			dst = appendEscaped(append(dst, '/'), segment)
		}
	}
	if len(dst) == start || strings.HasSuffix(path, "/") {
		dst = append(dst, '/')
	}
	return dst
}

// appendQuery writes the query decoded, escaped again and sorted, without the
// signature itself and, where withoutToken says so, without the session token.
func (b *scratch) appendQuery(dst []byte, query string, withoutToken bool) ([]byte, error) {
	b.query, b.pairs = b.query[:0], b.pairs[:0]
	var err error
	for raw := range strings.SplitSeq(query, "&") {
		if raw == "" {
			continue
		}
		name, value, _ := strings.Cut(raw, "=")
		p := pair{name: len(b.query)}
		if b.query, err = appendReescaped(b.query, name, true); err != nil {
			return nil, err
		}
		p.eq = len(b.query)
		switch string(b.query[p.name:p.eq]) {
		case paramNames[pSignature]:
			b.query = b.query[:p.name]
			continue
		case paramNames[pToken]:
			if withoutToken {
				b.query = b.query[:p.name]
				continue
			}
		}
		if b.query, err = appendReescaped(b.query, value, true); err != nil {
			return nil, err
		}
		p.end = len(b.query)
		b.pairs = append(b.pairs, p)
	}
	slices.SortFunc(b.pairs, func(x, y pair) int {
		if c := bytes.Compare(b.query[x.name:x.eq], b.query[y.name:y.eq]); c != 0 {
			return c
		}
		return bytes.Compare(b.query[x.eq:x.end], b.query[y.eq:y.end])
	})
	for i, p := range b.pairs {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, b.query[p.name:p.eq]...)
		dst = append(dst, '=')
		dst = append(dst, b.query[p.eq:p.end]...)
	}
	return dst, nil
}

// appendHeader writes a signed header's values, and says whether the request has it.
func (s *Signature) appendHeader(dst []byte, name string) ([]byte, bool) {
	if name == "host" {
		return appendTrimmed(dst, s.req.Host), s.req.Host != ""
	}
	values := s.req.Header.Values(canonicalName(name))
	if len(values) == 0 {
		// What a server takes out of the header on its way here.
		switch {
		case name == "content-length" && s.req.ContentLength >= 0:
			return strconv.AppendInt(dst, s.req.ContentLength, 10), true
		case name == "transfer-encoding" && s.req.ContentLength < 0:
			return append(dst, "chunked"...), true
		}
		return dst, false
	}
	for i, value := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTrimmed(dst, value)
	}
	return dst, true
}

// appendTrimmed writes value without outer white space and with every run of
// spaces as one.
func appendTrimmed(dst []byte, value string) []byte {
	value = strings.Trim(value, " \t")
	if !strings.Contains(value, "  ") {
		return append(dst, value...)
	}
	last := byte(0)
	for i := range len(value) {
		if value[i] != ' ' || last != ' ' {
			dst = append(dst, value[i])
		}
		last = value[i]
	}
	return dst
}

// usual are the headers that SDKs sign, in the spelling of net/http's map, so
// that looking them up costs no allocation.
var usual = map[string]string{
	"accept-encoding":              "Accept-Encoding",
	"amz-sdk-invocation-id":        "Amz-Sdk-Invocation-Id",
	"amz-sdk-request":              "Amz-Sdk-Request",
	"content-length":               "Content-Length",
	"content-md5":                  "Content-Md5",
	"content-type":                 "Content-Type",
	"smithy-protocol":              "Smithy-Protocol",
	"x-amz-content-sha256":         "X-Amz-Content-Sha256",
	"x-amz-date":                   "X-Amz-Date",
	"x-amz-decoded-content-length": "X-Amz-Decoded-Content-Length",
	"x-amz-region-set":             "X-Amz-Region-Set",
	"x-amz-sdk-checksum-algorithm": "X-Amz-Sdk-Checksum-Algorithm",
	"x-amz-security-token":         "X-Amz-Security-Token",
	"x-amz-target":                 "X-Amz-Target",
	"x-amz-trailer":                "X-Amz-Trailer",
	"x-amz-user-agent":             "X-Amz-User-Agent",
	"x-amzn-query-mode":            "X-Amzn-Query-Mode",
}

func canonicalName(name string) string {
	if canonical, ok := usual[name]; ok {
		return canonical
	}
	return name
}
