package s3

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Origins implements gateway.CrossOrigin: the first rule of the bucket's that fits.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
func (s *Service) Origins(tx store.Tx, bucket string, page gateway.Page) (http.Header, error) {
	owned, err := names.Get(tx, "", bucket)
	if errors.Is(err, store.ErrNotFound) {
		return nil, forbidden("CORSResponse: Bucket not found")
	}
	if err != nil {
		return nil, err
	}
	b, err := buckets.Get(tx, owned.Account, bucket)
	if err != nil {
		return nil, err
	}
	c, err := cors.get(tx, b, "")
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, forbidden("CORSResponse: CORS is not enabled for this bucket.")
	}
	for i := range c.CORSRules {
		if allowed := fits(&c.CORSRules[i], page); allowed != nil {
			return allowed, nil
		}
	}
	return nil, forbidden("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
}

func forbidden(message string) error {
	return fault(http.StatusForbidden, "AccessForbidden", message)
}

// fits is what a rule answers a page's request with; nil: it is not for it.
func fits(r *s3.CORSRule, page gateway.Page) http.Header {
	if !slices.Contains(r.AllowedMethods, page.Method) {
		return nil
	}
	origin := slices.IndexFunc(r.AllowedOrigins, func(o string) bool { return like(o, page.Origin) })
	if origin < 0 {
		return nil
	}
	for _, name := range page.Fields {
		if !slices.ContainsFunc(r.AllowedHeaders, func(h string) bool { return like(strings.ToLower(h), name) }) {
			return nil
		}
	}
	h := http.Header{
		"Access-Control-Allow-Origin":  {page.Origin},
		"Access-Control-Allow-Methods": {strings.Join(r.AllowedMethods, ", ")},
		"Vary":                         {"Origin, Access-Control-Request-Headers, Access-Control-Request-Method"},
	}
	if r.AllowedOrigins[origin] == "*" {
		h["Access-Control-Allow-Origin"] = []string{"*"}
	} else {
		h["Access-Control-Allow-Credentials"] = []string{"true"}
	}
	if len(page.Fields) > 0 {
		h["Access-Control-Allow-Headers"] = []string{strings.Join(page.Fields, ", ")}
	}
	if len(r.ExposeHeaders) > 0 {
		h["Access-Control-Expose-Headers"] = []string{strings.Join(r.ExposeHeaders, ", ")}
	}
	if r.MaxAgeSeconds != nil {
		h["Access-Control-Max-Age"] = []string{strconv.Itoa(int(*r.MaxAgeSeconds))}
	}
	return h
}

// like tells whether s is pattern, in which one * may stand for any text.
func like(pattern, s string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}
