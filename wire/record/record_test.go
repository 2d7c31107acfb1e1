package record_test

import (
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire/internal/sample"
	"github.com/garrison-security/garrison/wire/record"
)

// of is the sample's operation as one of another service.
func of(service string, p aws.Protocol) *aws.Operation {
	op := *sample.Do
	op.Service = &aws.Service{Name: service, Protocols: []aws.Protocol{p}}
	return &op
}

func TestRecords(t *testing.T) {
	when := time.Date(2024, 7, 30, 21, 53, 13, 5e8, time.UTC)
	for _, c := range []struct {
		name, service string
		p             aws.Protocol
		in            *sample.Everything
		want          string
	}{
		{"scalars, lists and maps", "kms", aws.AWSJSON11,
			&sample.Everything{Required: "a\"b", Flag: new(true), Whole: new(int32(-3)), Double: new(1.5), Texts: []string{"x", "y"}, Flat: []string{}, Pairs: map[string]string{"K": "v"}},
			`{"required":"a\"b","flag":true,"whole":-3,"double":1.5,"texts":["x","y"],"flat":[],"pairs":{"K":"v"}}`},
		{"structures and unions within", "kms", aws.AWSJSON11,
			&sample.Everything{Required: "a", Inner: &sample.Everything{Required: "b"}, Inners: []sample.Everything{{Required: "c"}}, Choice: &sample.Choice{Text: new("d")}},
			`{"required":"a","inner":{"required":"b"},"inners":[{"required":"c"}],"choice":{"text":"d"}}`},
		{"no secrets: hidden", "ssm", aws.AWSJSON11, &sample.Everything{Required: "a", Secret: new("s3cr3t"), Hidden: new("s3cr3t")},
			`{"required":"a","secret":"HIDDEN_DUE_TO_SECURITY_REASONS","hidden":"HIDDEN_DUE_TO_SECURITY_REASONS"}`},
		{"no secrets: left out by IAM", "iam", aws.AWSQuery, &sample.Everything{Required: "a", Secret: new("s3cr3t"), Hidden: new("s3cr3t")}, `{"required":"a"}`},
		{"no bytes", "kms", aws.AWSJSON11, &sample.Everything{Required: "a", Bytes: []byte("plaintext")}, `{"required":"a"}`},
		{"IAM's times", "iam", aws.AWSQuery, &sample.Everything{When: &when}, `{"required":"","when":"Jul 30, 2024 9:53:13 PM"}`},
		{"STS's times", "sts", aws.AWSQuery, &sample.Everything{When: &when}, `{"required":"","when":"Jul 30, 2024, 9:53:13 PM"}`},
		{"REST's times", "lambda", aws.RESTJSON, &sample.Everything{When: &when}, `{"required":"","when":"2024-07-30T21:53:13Z"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(record.Request(nil, of(c.service, c.p), c.in)); got != c.want {
				t.Errorf("request  %s\nwant     %s", got, c.want)
			}
			if got := string(record.Response(nil, of(c.service, c.p), c.in)); got != c.want {
				t.Errorf("response %s\nwant     %s", got, c.want)
			}
		})
	}
}

// TestNothingIsNull: parameters of which none is present are null in a record.
func TestNothingIsNull(t *testing.T) {
	if got := record.Response(nil, sample.ListUsers, &sample.Users{}); got != nil {
		t.Errorf("got %s", got)
	}
	if got := record.Response(nil, sample.Do, (*sample.Everything)(nil)); got != nil {
		t.Errorf("got %s", got)
	}
	if got := record.Request([]byte("x"), &aws.Operation{}, nil); string(got) != "x" {
		t.Errorf("got %s", got)
	}
}

func BenchmarkRecord(b *testing.B) {
	users := sample.SomeUsers(1)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = record.Response(buf[:0], sample.ListUsers, users)
	}
}
