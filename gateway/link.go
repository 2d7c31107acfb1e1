package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// linked are the headers that S3 reads in the query of a link as well, where SDKs
// put them so that whoever follows the link need not send them. All of a link's
// query is signed.
//
// https://github.com/aws/aws-sdk-js-v3/issues/5414 and 4694; smithy-lang/smithy-typescript, pull request 1421
func linked(name string) bool {
	switch name {
	case "x-amz-acl", "x-amz-checksum-mode", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
		"x-amz-server-side-encryption-bucket-key-enabled":
		return true
	}
	return strings.HasPrefix(name, "x-amz-meta-")
}

// ofLink is a request whose headers have what its link's query says of them, where
// it is a link of S3's. A header that is there counts: it is signed too.
func (r *request) ofLink() (*wire.Request, error) {
	if r.signature == nil || !r.signature.Presigned || !r.match.S3Family() {
		return r.wire, nil
	}
	var more http.Header
	for pair := range strings.SplitSeq(r.wire.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if name = strings.ToLower(name); err != nil || !linked(name) || len(r.wire.Header.Values(name)) > 0 {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			continue
		}
		if !wire.NamesHeader(name) {
			return nil, &aws.Error{Kind: aws.Custom, Code: "InvalidArgument", Status: http.StatusBadRequest, Message: "The name of metadata must be a token."}
		}
		if more == nil {
			more = http.Header{}
			for name, values := range r.wire.Header.All() {
				more[http.CanonicalHeaderKey(name)] = values
			}
		}
		more.Add(name, value)
	}
	if more == nil {
		return r.wire, nil
	}
	of := *r.wire
	of.Header = wire.HTTPHeader(more)
	return &of, nil
}
