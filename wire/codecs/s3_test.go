package codecs_test

import (
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// TestS3 is what S3 does in its own way.
func TestS3(t *testing.T) {
	s3 := read(t, filepath.Join("..", "..", "api", "s3"))
	types := newTypes(1)
	for _, c := range []struct {
		name, op string
		fill     func(out reflect.Value)
		want     string
	}{
		{"a bucket elsewhere", "GetBucketLocation", func(out reflect.Value) { set(out, "LocationConstraint", "eu-west-1") },
			"200\nContent-Type: application/xml\n<?xml version=\"1.0\" encoding=\"UTF-8\"?><LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</LocationConstraint>"},
		{"a bucket in us-east-1", "GetBucketLocation", func(reflect.Value) {},
			"200\nContent-Type: application/xml\n<?xml version=\"1.0\" encoding=\"UTF-8\"?><LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"},
		{"a root of its own", "ListObjectsV2", func(out reflect.Value) { set(out, "Name", "b") },
			"200\nContent-Type: application/xml\n<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name></ListBucketResult>"},
		{"a payload's root", "GetObjectLegalHold", func(out reflect.Value) {
			hold := reflect.New(out.FieldByName("LegalHold").Type().Elem())
			set(hold.Elem(), "Status", "ON")
			out.FieldByName("LegalHold").Set(hold)
		}, "200\nContent-Type: application/xml\n<?xml version=\"1.0\" encoding=\"UTF-8\"?><LegalHold xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>ON</Status></LegalHold>"},
		{"nothing", "DeleteBucket", nil, "204\n"},
		{"header fields and a text", "GetBucketPolicy", func(out reflect.Value) { set(out, "Policy", `{"Version":"2012-10-17"}`) },
			"200\nContent-Type: text/plain\n{\"Version\":\"2012-10-17\"}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op, _, typ := types.operation(s3.Operation(c.op))
			var out any
			if c.fill != nil {
				v := reflect.New(typ)
				c.fill(v.Elem())
				out = v.Interface()
			}
			var to wire.Response
			if err := codecs.For(aws.RESTXML).Encode(&wire.Answer{Protocol: aws.RESTXML, Service: s3, Operation: op}, out, &to); err != nil {
				t.Fatal(err)
			}
			if got := show(&to); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func set(v reflect.Value, field, text string) {
	f := v.FieldByName(field)
	f.Set(reflect.New(f.Type().Elem()))
	f.Elem().SetString(text)
}

// TestS3Streams: an object's bytes pass through as a stream of the length that
// the answer states.
func TestS3Streams(t *testing.T) {
	s3 := read(t, filepath.Join("..", "..", "api", "s3"))
	op, _, typ := newTypes(1).operation(s3.Operation("GetObject"))
	v := reflect.New(typ)
	v.Elem().FieldByName("Body").Set(reflect.ValueOf(io.NopCloser(strings.NewReader("hello"))))
	v.Elem().FieldByName("ContentLength").Set(reflect.ValueOf(new(int64(5))))
	set(v.Elem(), "ContentType", "text/csv")
	v.Elem().FieldByName("Metadata").Set(reflect.ValueOf(map[string]string{"a": "b"}))
	var to wire.Response
	if err := codecs.For(aws.RESTXML).Encode(&wire.Answer{Protocol: aws.RESTXML, Service: s3, Operation: op}, v.Interface(), &to); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(to.Stream)
	if err != nil || string(body) != "hello" || to.Length != 5 || to.Header.Get("Content-Type") != "text/csv" || spelled(to.Header, "x-amz-meta-a") != "b" {
		t.Errorf("%q %d %v %v", body, to.Length, to.Header, err)
	}
	put, in, _ := newTypes(1).operation(s3.Operation("PutObject"))
	v = reflect.New(in)
	req, _ := (&sent{method: "PUT", uri: "/b/a%2Fb", headers: map[string]string{"X-Amz-Meta-K": "v", "Content-Length": "5"}, body: "hello"}).request(aws.RESTXML)
	if err := codecs.For(aws.RESTXML).Decode(put, req, nil, map[string]string{"Bucket": "b", "Key": "a%2Fb"}, v.Interface()); err != nil {
		t.Fatal(err)
	}
	stream := v.Elem().FieldByName("Body").Interface().(io.ReadCloser)
	if body, err := io.ReadAll(stream); err != nil || string(body) != "hello" || v.Elem().FieldByName("Key").String() != "a/b" {
		t.Errorf("%q %v %+v", body, err, v.Elem())
	}
}

// spelled is the value of the header of exactly that spelling.
func spelled(h http.Header, name string) string { return strings.Join(h[name], "") }
