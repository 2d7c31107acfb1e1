package s3

import (
	"context"
	"net/http"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) corsOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketCors, bucketOf(func(in *s3.PutBucketCorsInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketCORS),
		gateway.Op(s3.GetBucketCors, bucketOf(func(in *s3.GetBucketCorsInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketCORS),
		gateway.Op(s3.DeleteBucketCors, bucketOf(func(in *s3.DeleteBucketCorsInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deleteBucketCORS),
	}
}

// Bounds of a CORS configuration; maxCORS is of all its texts, in bytes.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
const (
	maxCORSRules = 100
	maxCORS      = 64 << 10
	maxRuleID    = 255
)

func (s *Service) putBucketCORS(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketCorsInput) (*s3.PutBucketCorsOutput, error) {
	c := in.CORSConfiguration
	if c == nil || len(c.CORSRules) == 0 || len(c.CORSRules) > maxCORSRules {
		return nil, malformedXML()
	}
	size := 0
	for i := range c.CORSRules {
		r := &c.CORSRules[i]
		if err := checkCORSRule(r); err != nil {
			return nil, err
		}
		for _, list := range [][]string{r.AllowedOrigins, r.AllowedHeaders, r.ExposeHeaders, {text(r.ID)}} {
			for _, value := range list {
				if size += len(value); !headerText(value) || size > maxCORS {
					return nil, malformedXML()
				}
			}
		}
	}
	return nil, cors.put(call.Tx, b.Bucket, "", c)
}

// headerText tells whether s may stand in a header: printable ASCII.
func headerText(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func checkCORSRule(r *s3.CORSRule) error {
	if len(r.AllowedMethods) == 0 || len(r.AllowedOrigins) == 0 || len(text(r.ID)) > maxRuleID || r.MaxAgeSeconds != nil && *r.MaxAgeSeconds < 0 {
		return malformedXML()
	}
	for _, m := range r.AllowedMethods {
		switch m {
		case "GET", "PUT", "POST", "DELETE", "HEAD":
		default:
			return invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is " + m)
		}
	}
	for _, o := range r.AllowedOrigins {
		if strings.Count(o, "*") > 1 {
			return invalidRequest(`AllowedOrigin "` + o + `" can not have more than one wildcard.`)
		}
	}
	for _, h := range r.AllowedHeaders {
		if strings.Count(h, "*") > 1 {
			return invalidRequest(`AllowedHeader "` + h + `" can not have more than one wildcard.`)
		}
	}
	for _, h := range r.ExposeHeaders {
		if strings.Contains(h, "*") {
			return invalidRequest(`ExposeHeader "` + h + `" contains wildcard. We currently do not support wildcard for ExposeHeader.`)
		}
	}
	return nil
}

func (s *Service) getBucketCORS(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.GetBucketCorsInput) (*s3.GetBucketCorsOutput, error) {
	c, err := cors.get(call.Tx, b.Bucket, "")
	if err == nil && c == nil {
		err = fault(http.StatusNotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist", "BucketName", b.Name)
	}
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketCorsOutput{CORSRules: c.CORSRules}, nil
}

func (s *Service) deleteBucketCORS(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketCorsInput) (*s3.DeleteBucketCorsOutput, error) {
	return nil, cors.delete(call.Tx, b.Bucket, "")
}
