package s3

import (
	"context"
	"net/http"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// oneOf tells whether exactly one of what may be given is.
func oneOf(given ...bool) bool { return truths(given...) == 1 }

func (s *Service) websiteOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketWebsite, bucketOf(func(in *s3.PutBucketWebsiteInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.putBucketWebsite),
		gateway.Op(s3.GetBucketWebsite, bucketOf(func(in *s3.GetBucketWebsiteInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.getBucketWebsite),
		gateway.Op(s3.DeleteBucketWebsite, bucketOf(func(in *s3.DeleteBucketWebsiteInput) (string, *string) { return in.Bucket, in.ExpectedBucketOwner }), s.deleteBucketWebsite),
	}
}

// maxRoutingRules is how many rules a website may have.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
const maxRoutingRules = 50

func (s *Service) putBucketWebsite(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketWebsiteInput) (*s3.PutBucketWebsiteOutput, error) {
	c := in.WebsiteConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	if err := checkWebsite(c); err != nil {
		return nil, err
	}
	return nil, websites.put(call.Tx, b.Bucket, "", c)
}

func checkWebsite(c *s3.WebsiteConfiguration) error {
	if c.RedirectAllRequestsTo != nil {
		if c.IndexDocument != nil || c.ErrorDocument != nil || len(c.RoutingRules) > 0 {
			return invalidArgument("RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.", "RedirectAllRequestsTo", "not null")
		}
		return nil
	}
	switch {
	case c.IndexDocument == nil:
		return invalidArgument("A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty", "IndexDocument", "null")
	case c.IndexDocument.Suffix == "" || strings.Contains(c.IndexDocument.Suffix, "/"):
		return invalidArgument("The IndexDocument Suffix is not well formed", "IndexDocument", c.IndexDocument.Suffix)
	case c.ErrorDocument != nil && c.ErrorDocument.Key == "":
		return invalidArgument("The ErrorDocument Key is not well formed", "ErrorDocument", c.ErrorDocument.Key)
	case len(c.RoutingRules) > maxRoutingRules:
		return invalidRequest("50 routing rules are allowed at most.")
	}
	for i := range c.RoutingRules {
		r := &c.RoutingRules[i]
		if r.Redirect == nil || r.Redirect.ReplaceKeyWith != nil && r.Redirect.ReplaceKeyPrefixWith != nil {
			return invalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
		}
	}
	return nil
}

func (s *Service) getBucketWebsite(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.GetBucketWebsiteInput) (*s3.GetBucketWebsiteOutput, error) {
	c, err := websites.get(call.Tx, b.Bucket, "")
	if err == nil && c == nil {
		err = fault(http.StatusNotFound, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", "BucketName", b.Name)
	}
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketWebsiteOutput{
		RedirectAllRequestsTo: c.RedirectAllRequestsTo, IndexDocument: c.IndexDocument, ErrorDocument: c.ErrorDocument, RoutingRules: c.RoutingRules,
	}, nil
}

func (s *Service) deleteBucketWebsite(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketWebsiteInput) (*s3.DeleteBucketWebsiteOutput, error) {
	return nil, websites.delete(call.Tx, b.Bucket, "")
}
