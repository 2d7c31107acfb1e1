package route

import (
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/catalog"
	"github.com/garrison-security/garrison/aws"
)

// s3Requests is a request for each of S3's operations that its template alone doesn't make.
var s3Requests = map[string][]string{
	"AbortMultipartUpload":                     {"DELETE /b/k?uploadId=u"},
	"CompleteMultipartUpload":                  {"POST /b/k?uploadId=u"},
	"CopyObject":                               {"PUT /b/k", "X-Amz-Copy-Source", "/a/b"},
	"UploadPartCopy":                           {"PUT /b/k?partNumber=1&uploadId=u", "X-Amz-Copy-Source", "/a/b"},
	"UploadPart":                               {"PUT /b/k?uploadId=u&partNumber=1"},
	"ListParts":                                {"GET /b/k?uploadId=u&max-parts=2"},
	"GetBucketAnalyticsConfiguration":          {"GET /b?analytics&id=1"},
	"GetBucketInventoryConfiguration":          {"GET /b?inventory&id=1"},
	"GetBucketMetricsConfiguration":            {"GET /b?id=1&metrics"},
	"GetBucketIntelligentTieringConfiguration": {"GET /b?intelligent-tiering&id=1"},
	"ListDirectoryBuckets":                     {"GET /", "Authorization", scoped("s3express")},
	"WriteGetObjectResponse":                   {"POST /WriteGetObjectResponse", "Authorization", scoped("s3-object-lambda")},
	// Twins of old: what can't be told apart is the newer one.
	"GetBucketLifecycle": nil, "PutBucketLifecycle": nil, "GetBucketNotification": nil, "PutBucketNotification": nil,
}

// TestS3 routes every operation of S3 to itself, in path style and by the bucket's host.
func TestS3(t *testing.T) {
	r := newRouter(t)
	s3 := catalog.Lookup("s3")
	n := 0
	for _, op := range s3.Operations() {
		line := []string{op.Method + " " + strings.NewReplacer("{Bucket}", "b", "{Key+}", "k").Replace(op.URI)}
		if special, ok := s3Requests[op.Name]; ok {
			line = special
		}
		if line == nil {
			continue
		}
		n++
		method, target, _ := strings.Cut(line[0], " ")
		headers := line[1:]
		if len(headers) == 0 || headers[0] != "Authorization" {
			headers = append([]string{"Authorization", scoped("s3")}, headers...)
		}
		for _, add := range []string{"", "x-id=" + op.Name} {
			sep := "?"
			if strings.Contains(target, "?") {
				sep = "&"
			}
			req := request(method, target+sep+add, headers...)
			m, err := r.Route(req, nil)
			if err != nil || m.Operation != op.Name || m.Service != s3 || m.Protocol != aws.RESTXML || !m.S3Family() {
				t.Errorf("%s: %s %s, %v", op.Name, line[0], m.Operation, err)
			}
			rest, ok := strings.CutPrefix(target, "/b")
			if !ok {
				continue
			}
			req = request(method, "/"+strings.TrimPrefix(rest, "/")+sep+add, headers...)
			req.Host = "b.s3.eu-west-1.garrison.example:4566"
			if m, err = r.Route(req, nil); err != nil || m.Operation != op.Name || m.Bucket != "b" {
				t.Errorf("%s by host: %s, %v", op.Name, m.Operation, err)
			}
		}
	}
	if n != 111-4 {
		t.Errorf("%d operations", n)
	}
}

func TestS3Chooses(t *testing.T) {
	r := newRouter(t)
	for line, want := range map[string]string{
		"GET /b?lifecycle":                "GetBucketLifecycleConfiguration",
		"PUT /b?notification":             "PutBucketNotificationConfiguration",
		"GET /b/":                         "ListObjects",
		"GET /b/?list-type=2&prefix=acl":  "ListObjectsV2",
		"GET /b?list-type=1":              "ListObjects",
		"GET /b?prefix=a&delimiter=/":     "ListObjects",
		"GET /b/k?partNumber=2":           "GetObject",
		"GET /b/k?versionId=1":            "GetObject",
		"GET /b/k?response-expires=x":     "GetObject",
		"HEAD /b/k?partNumber=2":          "HeadObject",
		"PUT /b/k?%61cl":                  "PutObjectAcl",
		"PUT /b/k?acl=":                   "PutObjectAcl",
		"DELETE /b/k?versionId=1&tagging": "DeleteObjectTagging",
		"GET /?prefix=a":                  "ListBuckets",
		"GET ":                            "ListBuckets",
		"GET /v20180820/bucket":           "GetObject", // no account header
		// A sub-resource that the method has nothing for is no reason to do something else.
		"DELETE /b?acl":                  "",
		"DELETE /b?versions":             "",
		"DELETE /b/k?acl":                "",
		"PUT /b?location":                "",
		"HEAD /b?policy":                 "",
		"POST /b":                        "!PreconditionFailed",
		"POST /b/k":                      "",
		"POST /b/k?select":               "",
		"POST /b/k?acl":                  "",
		"PUT /b/k?uploadId=u":            "",
		"PUT /b/k?partNumber=1":          "",
		"GET /b/k?uploadId=u&acl":        "",
		"DELETE /b/k?uploadId=u&tagging": "",
		"PUT /":                          "",
		"PATCH /b/k":                     "",
		"get /b/k":                       "",
		"GET /b?acl&policy":              "!InvalidArgument",
		"GET /b/k?uploadId=1&uploadId=2": "!InvalidArgument",
		"PUT /b/k?partNumber=1&partNumber=2&uploadId=u": "!InvalidArgument",
		"GET /b?list-type=2&list-type=1":                "!InvalidArgument",
		"GET /b/%zz":                                    "!InvalidURI",
		"GET /b/k%":                                     "!InvalidURI",
		"GET /b/k?%zz":                                  "!InvalidURI",
		"GET //k":                                       "!InvalidURI",
		"GET b/k":                                       "!InvalidURI",
	} {
		method, target, _ := strings.Cut(line, " ")
		m, err := r.Route(request(method, target, "Authorization", scoped("s3")), nil)
		got := m.Operation
		if e, ok := err.(*aws.Error); ok && e.Code != "" {
			got = "!" + e.Code
		} else if ok && (e.Kind != aws.UnknownOperation || got != "") {
			got = e.Message
		}
		if got != want || m.Protocol != aws.RESTXML {
			t.Errorf("%s = %s, %v, want %s", line, got, err, want)
		}
	}
	for _, c := range []struct {
		method, target, kind, want string
	}{
		{"POST", "/b", "multipart/form-data; boundary=x", PostObject},
		{"POST", "/b/", "multipart/form-data; boundary=x", PostObject},
		{"POST", "/b/k", "multipart/form-data; boundary=x", ""},
		{"OPTIONS", "/b/k", "", Preflight},
		{"OPTIONS", "/", "", ""},
	} {
		m, _ := r.Route(request(c.method, c.target, "Content-Type", c.kind, "Origin", "https://x"), nil)
		if m.Operation != c.want || m.Service.Name != "s3" {
			t.Errorf("%s %s: %s", c.method, c.target, m.Operation)
		}
	}
}

// TestS3Addresses holds where bucket and key are found.
func TestS3Addresses(t *testing.T) {
	r := newRouter(t)
	for _, c := range []struct{ host, path, bucket, key string }{
		{"localhost:4566", "/b/k", "b", "k"},
		{"127.0.0.1:4566", "/b/k", "b", "k"},
		{"[::1]:4566", "/b/k", "b", "k"},
		{"example.com", "/b/k", "b", "k"},
		{"", "/b/k", "b", "k"},
		{"b.localhost:4566", "/k", "b", "k"},
		{"B.LocalHost:4566", "/k", "b", "k"},
		{"b.localhost.:4566", "/k", "b", "k"},
		{"a.b.c.localhost", "/k", "a.b.c", "k"},
		{"b.s3.localhost", "/k", "b", "k"},
		{"s3.localhost", "/b/k", "b", "k"},
		{"a.b.s3.eu-west-1.localhost", "/k", "a.b", "k"},
		{"s3.eu-west-1.localhost", "/b/k", "b", "k"},
		{"b.s3-eu-west-1.localhost", "/k", "b", "k"},
		{"s3-eu-west-1.localhost", "/b/k", "b", "k"},
		{"b.s3.dualstack.eu-west-1.localhost", "/k", "b", "k"},
		{"b.s3-accelerate.localhost", "/k", "b", "k"},
		{"b.s3-accelerate.dualstack.localhost", "/k", "b", "k"},
		{"b.garrison.example", "/k", "b", "k"},
		{"b.s3.us-gov-west-1.garrison.example", "/k", "b", "k"},
		{"garrison.example", "/b/k", "b", "k"},
		{"xgarrison.example", "/b/k", "b", "k"},
		{".garrison.example", "/b/k", "b", "k"},
		{"localhost", "/b/a//./../k/", "b", "a//./../k/"},
		{"localhost", "/b//", "b", "/"},
		{"localhost", "/b/a%2Fb%20c+d%C3%A9", "b", "a/b c+d\u00e9"},
		{"localhost", "/b/%252e", "b", "%2e"},
		{"localhost", "/b", "b", ""},
		{"b.localhost", "/", "b", ""},
		{"b.localhost", "//k", "b", "/k"},
		{"localhost", "/arn%3Aaws%3As3%3Aeu-west-1%3A1%3Aaccesspoint%2Fx/k", "arn:aws:s3:eu-west-1:1:accesspoint/x", "k"},
	} {
		req := request("GET", c.path, "Authorization", scoped("s3"))
		req.Host = c.host
		m, err := r.Route(req, nil)
		if err != nil || m.Bucket != c.bucket || m.Key != c.key {
			t.Errorf("%s %s = %q, %q, %v", c.host, c.path, m.Bucket, m.Key, err)
		}
	}
	m, err := r.Route(request("GET", "/b/a%2Fb", "Authorization", scoped("s3")), nil)
	if err != nil || m.Labels["Bucket"] != "b" || m.Labels["Key"] != "a%2Fb" {
		t.Errorf("%v, %v", m.Labels, err)
	}
}
