package route

import (
	"strings"
	"sync"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// level is what an S3 request addresses.
type level uint8

const (
	onService level = iota
	onBucket
	onKey
)

// verb is a method on a level.
type verb struct {
	method string
	level  level
}

// plainS3 are the operations of requests without a sub-resource.
var plainS3 = map[verb]string{
	{"GET", onService}: "ListBuckets",
	{"GET", onBucket}:  "ListObjects", {"PUT", onBucket}: "CreateBucket", {"HEAD", onBucket}: "HeadBucket", {"DELETE", onBucket}: "DeleteBucket",
	{"GET", onKey}: "GetObject", {"PUT", onKey}: "PutObject", {"HEAD", onKey}: "HeadObject", {"DELETE", onKey}: "DeleteObject",
}

// subresources are S3's operations by what the query names, from the catalog's
// templates: "/{Bucket}?acl". Twins that one request can't tell apart, of
// which AWS keeps the first for old clients, are the newer one.
var subresources = sync.OnceValue(func() map[string]map[verb]string {
	all := map[string]map[verb]string{}
	for _, op := range services().named["s3"].Operations() {
		path, query, ok := strings.Cut(op.URI, "?")
		name, _, _ := strings.Cut(query, "&")
		if !ok || strings.Contains(name, "=") { // list-type=2 is a parameter of a listing
			continue
		}
		at := onBucket
		if strings.Contains(path, "{Key+}") {
			at = onKey
		}
		if all[name] == nil {
			all[name] = map[verb]string{}
		}
		v := verb{op.Method, at}
		if other := all[name][v]; other != "" && (strings.HasSuffix(other, "Configuration") || strings.HasPrefix(op.Name, "List")) {
			continue // Get…Configuration before List…Configurations: an id chooses
		}
		all[name][v] = op.Name
	}
	return all
})

// listedById are sub-resources of which a bucket has many: without an id a GET lists them.
var listedByID = map[string]string{
	"analytics": "ListBucketAnalyticsConfigurations", "inventory": "ListBucketInventoryConfigurations",
	"metrics": "ListBucketMetricsConfigurations", "intelligent-tiering": "ListBucketIntelligentTieringConfigurations",
}

// s3query is what an S3 request's query says of its operation.
type s3query struct {
	sub                                        string // sub-resource
	other                                      string // a second one
	listType2, selectType2, id, part, uploadID bool
	twice                                      string // a deciding parameter that is there twice
	malformed                                  bool
}

func parseS3Query(query string) (q s3query) {
	if query == "" {
		return q
	}
	mark := func(at *bool, name string) {
		if *at {
			q.twice = name
		}
		*at = true
	}
	listType := false
	for pair := range strings.SplitSeq(query, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, ok := unescape(rawName, true)
		if !ok {
			q.malformed = true
			return q
		}
		switch name {
		case "uploadId":
			mark(&q.uploadID, name)
		case "partNumber":
			mark(&q.part, name)
		case "id":
			mark(&q.id, name)
		case "list-type":
			mark(&listType, name)
			q.listType2 = plain(rawValue) == "2"
		case "select-type":
			q.selectType2 = plain(rawValue) == "2"
		default:
			switch {
			case subresources()[name] == nil:
			case q.sub == "":
				q.sub = name
			case q.other == "":
				q.other = name
			}
		}
	}
	return q
}

// s3 routes a request to S3 or S3 Control.
func (r *Router) s3(m *Match, req *wire.Request) error {
	if strings.HasPrefix(req.RawPath, "/v20180820/") && (len(req.Header.Values("X-Amz-Account-Id")) > 0 ||
		len(req.Header.Values("X-Amz-Outpost-Id")) > 0 || isAccountHost(req.Host)) {
		return r.rest(m, req, []*entry{r.named["s3control"]})
	}
	if m.Signer == "s3-outposts" && strings.HasPrefix(req.RawPath, "/S3Outposts/") {
		return r.rest(m, req, r.tables["s3-outposts"])
	}
	m.to(r.named["s3"], "", aws.RESTXML)
	if m.Signer == "s3-object-lambda" && req.Method == "POST" && req.RawPath == "/WriteGetObjectResponse" {
		m.Operation = "WriteGetObjectResponse"
		return nil
	}
	q := parseS3Query(req.RawQuery)
	at, err := r.address(m, req)
	switch {
	case err != nil:
		return err
	case q.malformed:
		return invalidURI()
	case q.twice != "":
		return invalidArgument("The parameter "+q.twice+" is specified more than once.", q.twice)
	case q.other != "":
		return invalidArgument("Conflicting query string parameters: "+q.sub+", "+q.other, "ResourceType")
	}
	m.Operation = operationOn(verb{req.Method, at}, q, req)
	if m.Operation == "" {
		if req.Method == "POST" && at == onBucket && q == (s3query{}) {
			return &aws.Error{Kind: aws.Custom, Code: "PreconditionFailed", Status: 412,
				Message: "At least one of the pre-conditions you specified did not hold",
				Fields:  []aws.Field{{Name: "Condition", Value: "Bucket POST must be of the enclosure-type multipart/form-data"}}}
		}
		return &aws.Error{Kind: aws.UnknownOperation, Message: "The specified method is not allowed against this resource.",
			Fields: []aws.Field{{Name: "Method", Value: clip(req.Method)}, {Name: "ResourceType", Value: resourceType(at, q.sub)}}}
	}
	if m.Operation == "ListBuckets" && m.Signer == "s3express" {
		m.Operation = "ListDirectoryBuckets"
	}
	return nil
}

func resourceType(at level, sub string) string {
	if sub != "" {
		return strings.ToUpper(sub)
	}
	return [...]string{"SERVICE", "BUCKET", "OBJECT"}[at]
}

// address finds bucket and key: in the host and the path, or in the path alone.
func (r *Router) address(m *Match, req *wire.Request) (level, error) {
	path, ok := strings.CutPrefix(req.RawPath, "/")
	if !ok && req.RawPath != "" {
		return 0, invalidURI()
	}
	bucket, key := r.bucketOf(req.Host), path
	if bucket == "" {
		bucket, key, _ = strings.Cut(path, "/")
	}
	if bucket == "" {
		if key != "" {
			return 0, invalidURI() // "//key": a key of no bucket
		}
		return onService, nil
	}
	var right bool
	if m.Bucket, right = unescape(bucket, false); !right {
		return 0, invalidURI()
	}
	if m.Key, right = unescape(key, false); !right {
		return 0, invalidURI()
	}
	if key == "" {
		m.Labels = map[string]string{"Bucket": bucket}
		return onBucket, nil
	}
	m.Labels = map[string]string{"Bucket": bucket, "Key": key}
	return onKey, nil
}

// operationOn chooses the operation, or answers "" if there is none: a
// sub-resource that the method has nothing for is never left out of account.
func operationOn(v verb, q s3query, req *wire.Request) string {
	if v.method == "OPTIONS" {
		if v.level != onService {
			return Preflight
		}
		return ""
	}
	if v.level == onKey && (q.uploadID || q.part && v.method == "PUT") {
		return uploadOn(v.method, q, req)
	}
	if q.sub != "" {
		op := subresources()[q.sub][v]
		switch {
		case v.method == "GET" && v.level == onBucket && !q.id && listedByID[q.sub] != "":
			return listedByID[q.sub]
		case op == "SelectObjectContent" && !q.selectType2:
			return ""
		}
		return op
	}
	switch op := plainS3[v]; {
	case op == "ListObjects" && q.listType2:
		return "ListObjectsV2"
	case op == "PutObject" && len(req.Header.Values("X-Amz-Copy-Source")) > 0:
		return "CopyObject"
	case v.method == "POST" && v.level == onBucket && mediaType(req) == "multipart/form-data":
		return PostObject
	default:
		return op
	}
}

// uploadOn chooses among the operations on a multipart upload.
func uploadOn(method string, q s3query, req *wire.Request) string {
	switch {
	case !q.uploadID || q.sub != "":
		return ""
	case method == "PUT" && q.part && len(req.Header.Values("X-Amz-Copy-Source")) > 0:
		return "UploadPartCopy"
	case method == "PUT" && q.part:
		return "UploadPart"
	case method == "GET" && !q.part:
		return "ListParts"
	case method == "POST" && !q.part:
		return "CompleteMultipartUpload"
	case method == "DELETE" && !q.part:
		return "AbortMultipartUpload"
	}
	return ""
}

func invalidURI() *aws.Error {
	return &aws.Error{Kind: aws.Custom, Code: "InvalidURI", Status: 400, Message: "Couldn't parse the specified URI."}
}

func invalidArgument(text, name string) *aws.Error {
	return &aws.Error{Kind: aws.Custom, Code: "InvalidArgument", Status: 400, Message: text,
		Fields: []aws.Field{{Name: "ArgumentName", Value: name}}}
}
