package gateway

import (
	"strconv"
	"strings"
	"time"
)

// s3Conditions sets the keys that every call of S3's has: how it was signed and
// sent. A call made in process has none of a signature's.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
func (c *Call) s3Conditions(account string) {
	x := c.context
	if account != "" {
		x.Set("s3:ResourceAccount", account)
	}
	if version, err := strconv.ParseFloat(strings.TrimPrefix(c.from.tlsVersion, "TLSv"), 64); err == nil {
		x.SetNumber("s3:TlsVersion", version)
	}
	s := c.from.signature
	if s == nil {
		return
	}
	x.Set("s3:signatureversion", string(s.Algorithm))
	x.Set("s3:authType", "REST-HEADER")
	if s.Post {
		x.Set("s3:authType", "POST")
	}
	if s.Presigned {
		x.Set("s3:authType", "REST-QUERY-STRING")
		x.SetNumber("s3:signatureAge", float64(c.Time.Sub(s.Time)/time.Millisecond))
	}
	if content := s.Content(); content != "" {
		x.Set("s3:x-amz-content-sha256", content)
	}
}
