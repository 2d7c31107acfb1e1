package route

import (
	"strings"

	"github.com/garrison-security/garrison/wire"
)

// signer is which service a request is signed for, as far as it can be told
// without believing anything.
type signer struct {
	name   string // "" if there is no signature, or it can't be read
	signed bool   // somebody meant to sign
}

// signerOf reads the scope of a signature's credential, in the header, else in
// the query.
func signerOf(req *wire.Request) signer {
	if values := req.Header.Values("Authorization"); len(values) > 0 {
		switch value := values[0]; {
		case strings.HasPrefix(value, "AWS4-"):
			_, rest, _ := strings.Cut(value, "Credential=")
			credential, _, _ := strings.Cut(rest, ",")
			return signer{scopeService(credential), true}
		case strings.HasPrefix(value, "AWS "):
			return signer{"s3", true}
		}
		return signer{} // another scheme: a bearer token of the console's
	}
	if s, ok := querySigner(req.RawQuery); ok {
		return s
	}
	if req.Method == "POST" && mediaType(req) == "multipart/form-data" {
		return signer{name: "s3"}
	}
	return signer{}
}

// querySigner finds a presigned request's scope.
func querySigner(query string) (s signer, ok bool) {
	if query == "" {
		return s, false
	}
	v2 := 0
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch plain(name) {
		case "X-Amz-Credential":
			return signer{scopeService(plain(value)), true}, true
		case "X-Amz-Algorithm", "X-Amz-Signature":
			s.signed, ok = true, true
		case "AWSAccessKeyId", "Signature":
			v2++
		case "SignatureVersion": // the query protocol's own version 2
			v2 -= 2
		}
	}
	if v2 == 2 && !ok {
		return signer{"s3", true}, true
	}
	return s, ok
}

// scopeService is the service in keyid/date[/region]/service/aws4_request.
func scopeService(credential string) string {
	rest, end := cutLast(credential)
	rest, service := cutLast(rest)
	if strings.TrimSpace(end) != "aws4_request" || strings.Count(rest, "/") < 1 {
		return ""
	}
	return service
}

func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+1:]
}

// plain is s decoded as part of a query, or "" if it can't be.
func plain(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	out, ok := unescape(s, true)
	if !ok {
		return ""
	}
	return out
}

// unescape decodes s. In a query a "+" is a space.
func unescape(s string, query bool) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && (!query || strings.IndexByte(s, '+') < 0) {
		return s, true
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			out = append(out, byte(hi<<4|lo))
			i += 2
		case c == '+' && query:
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return string(out), true
}

// unhex is the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
