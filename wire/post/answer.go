package post

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/xmltext"
)

// Answer makes of PutObject's answer the one that the form asks for: a
// redirection, or a status, 204 unless it says another.
func (f *Form) Answer(req *wire.Request, bucket string, to *wire.Response) {
	key, _ := f.Field("key")
	etag := to.Header.Get("Etag")
	if target := f.redirection(); target != "" {
		join := "?"
		if strings.Contains(target, "?") {
			join = "&"
		}
		to.Status = http.StatusSeeOther
		to.Header.Set("Location", target+join+"bucket="+url.QueryEscape(bucket)+"&key="+url.QueryEscape(key)+"&etag="+url.QueryEscape(etag))
		return
	}
	location := f.location(req, bucket, key)
	to.Header.Set("Location", location)
	switch status, _ := f.Field("success_action_status"); status {
	case "200":
		to.Status = http.StatusOK
	case "201":
		to.Status = http.StatusCreated
		to.Header.Set("Content-Type", "application/xml")
		b := append(to.Body[:0], `<?xml version="1.0" encoding="UTF-8"?>`+"\n<PostResponse>"...)
		for _, e := range [...]struct{ name, text string }{{"Location", location}, {"Bucket", bucket}, {"Key", key}, {"ETag", etag}} {
			b = append(append(append(b, '<'), e.name...), '>')
			b = append(append(append(xmltext.Append(b, e.text), "</"...), e.name...), '>')
		}
		to.Body = append(b, "</PostResponse>"...)
	default:
		to.Status = http.StatusNoContent
	}
}

// redirection is where the form asks to go from here; "" is nowhere, as is what
// is no URL. The page that it leads to learns nothing but what it is told.
func (f *Form) redirection() string {
	target, ok := f.Field("success_action_redirect")
	if !ok {
		target, _ = f.Field("redirect")
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	for _, c := range []byte(target) {
		if c < ' ' || c == 0x7f {
			return ""
		}
	}
	return target
}

// location is the object's URL, as the form's own was: the bucket in the host's name, or in the path.
func (f *Form) location(req *wire.Request, bucket, key string) string {
	scheme, at := "http://", ""
	if req.Secure {
		scheme = "https://"
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(req.RawPath, "/"), "/"); first != "" {
		at = "/" + bucket
	}
	return scheme + req.Host + at + "/" + strings.ReplaceAll(url.QueryEscape(key), "+", "%20")
}
