package bucket

import (
	"strings"
	"testing"
)

func TestLocations(t *testing.T) {
	for text, want := range map[string]Location{
		"s3://blobs":                            {Bucket: "blobs"},
		"s3://blobs/":                           {Bucket: "blobs"},
		"s3://b.c-d/a":                          {Bucket: "b.c-d", Prefix: "a/"},
		"s3://blobs/a/b_c/?region=eu-central-1": {Bucket: "blobs", Prefix: "a/b_c/", Region: "eu-central-1"},
		"s3://blobs?endpoint=https://store.internal:9000&region=x": {Bucket: "blobs", Region: "x", Endpoint: "https://store.internal:9000"},
		"s3://blobs?endpoint=http://127.0.0.1:9000/":               {Bucket: "blobs", Endpoint: "http://127.0.0.1:9000/"},
		"s3://blobs?endpoint=http://[::1]:9000":                    {Bucket: "blobs", Endpoint: "http://[::1]:9000"},
		"s3://blobs?endpoint=http://localhost":                     {Bucket: "blobs", Endpoint: "http://localhost"},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "is not s3://", "blobs": "is not s3://", "https://blobs/a": "is not s3://", "s3:blobs": "is not s3://", "s3://blobs#s3cret": "is not s3://",
		"s3://blobs\x00s3cret": "is not s3://",
		"s3://":                "names no bucket", "s3:///a": "names no bucket", "s3://Blobs": "names no bucket", "s3://b": "names no bucket",
		"s3://b:90/a": "names no bucket", "s3://-blobs": "names no bucket",
		"s3://AKIAEXAMPLE:s3cret@blobs":                                 "holds credentials",
		"s3://blobs/a/../b":                                             "has a prefix",
		"s3://blobs/a//b":                                               "has a prefix",
		"s3://blobs/a%2fb%00":                                           "has a prefix",
		"s3://blobs/" + strings.Repeat("a", 600):                        "has a prefix",
		"s3://blobs?secret=s3cret":                                      "takes region and endpoint",
		"s3://blobs?region=a&region=b":                                  "takes region and endpoint",
		"s3://blobs?region=a;b":                                         "has a malformed query",
		"s3://blobs?region=EU_1":                                        "names no region",
		"s3://blobs?endpoint=http://store.internal":                     "plain HTTP",
		"s3://blobs?endpoint=http://127.0.0.1.example.com":              "plain HTTP",
		"s3://blobs?endpoint=ftp://127.0.0.1":                           "not https://",
		"s3://blobs?endpoint=store.internal:9000":                       "not https://",
		"s3://blobs?endpoint=https://store.internal/path":               "not https://",
		"s3://blobs?endpoint=https://store.internal%3Fx=y":              "not https://",
		"s3://blobs?endpoint=https://AKIAEXAMPLE:s3cret@store.internal": "credentials",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
