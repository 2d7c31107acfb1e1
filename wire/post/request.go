package post

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/garrison-security/garrison/wire"
)

// headers are the fields that stand for a header of PutObject's without
// beginning with "x-amz-".
var headers = map[string]string{
	"acl": "X-Amz-Acl", "cache-control": "Cache-Control", "content-type": "Content-Type", "content-disposition": "Content-Disposition",
	"content-encoding": "Content-Encoding", "content-language": "Content-Language", "content-md5": "Content-Md5", "expires": "Expires",
	"if-match": "If-Match", "if-none-match": "If-None-Match",
}

const metadata = "x-amz-meta-"

// Request is the PutObject that the form stands for: its fields as headers, and
// nothing of the headers that the form came with, which no policy speaks of.
// Key is a label of it, escaped.
func (f *Form) Request(req *wire.Request) (put *wire.Request, key string, err error) {
	if key, err = f.Key(); err != nil {
		return nil, "", err
	}
	h := http.Header{}
	for _, at := range f.fields {
		header, value := headers[at.name], at.value
		switch {
		case at.name == "tagging":
			header = "X-Amz-Tagging"
			if value, err = tagging(value); err != nil {
				return nil, "", err
			}
		case strings.HasPrefix(at.name, metadata):
			if header = http.CanonicalHeaderKey(at.name); !wire.NamesHeader(at.name) {
				return nil, "", argument("The name of a field of metadata must be a token.", clip(at.sent), "")
			}
		case strings.HasPrefix(at.name, "x-amz-"):
			header = http.CanonicalHeaderKey(at.name)
		case header == "":
			continue
		}
		if h[header] != nil { // acl and x-amz-acl
			return nil, "", argument("A form must contain the field '"+clip(at.sent)+"' once.", clip(at.sent), "")
		}
		h[header] = []string{value}
	}
	return &wire.Request{
		Method: http.MethodPut, RawPath: req.RawPath, Host: req.Host, Header: wire.HTTPHeader(h), ContentLength: -1,
		Remote: req.Remote, Secure: req.Secure, TLS: req.TLS,
	}, url.PathEscape(key), nil
}

// tagging is the document of a field of that name as the header of PutObject has it.
func tagging(document string) (string, error) {
	var t struct {
		Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
	}
	if xml.Unmarshal([]byte(document), &t) != nil {
		return "", custom(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	pairs := make([]string, 0, len(t.Tags))
	for _, tag := range t.Tags {
		pairs = append(pairs, url.QueryEscape(tag.Key)+"="+url.QueryEscape(tag.Value))
	}
	return strings.Join(pairs, "&"), nil
}
