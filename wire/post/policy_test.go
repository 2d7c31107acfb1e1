package post

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// formOf is a form with a policy of these conditions, and fields, by name and value.
func formOf(conditions string, fields ...string) *Form {
	text := `{"expiration": "2026-11-24T12:00:00.500Z", "conditions": [` + conditions + `]}`
	f := &Form{File: &File{max: -1}, fields: []field{{"policy", "policy", base64.StdEncoding.EncodeToString([]byte(text))}}}
	for i := 0; i+1 < len(fields); i += 2 {
		f.fields = append(f.fields, field{fields[i], strings.ToLower(fields[i]), fields[i+1]})
	}
	return f
}

func TestPoliciesHold(t *testing.T) {
	const bucket = `{"bucket": "b"}`
	for _, c := range []struct {
		name string
		form *Form
		want string // of the refusal
	}{
		{"all is said", formOf(bucket+`, ["starts-with", "$key", ""]`, "key", "k"), ""},
		{"a field that nothing speaks of", formOf(bucket, "key", "k"), "Invalid according to Policy: Extra input fields: key"},
		{"one that needs none", formOf(bucket, "X-Ignore-A", "k", "X-Amz-Signature", "s"), ""},
		{"two conditions, of which one fails", formOf(bucket+`, ["starts-with", "$key", "a"], {"key": "b"}`, "key", "ab"), `Invalid according to Policy: Policy Condition failed: ["eq", "$key", "b"]`},
		{"the bucket's own field", formOf(bucket, "bucket", "b"), ""},
		{"another bucket's", formOf(bucket, "bucket", "c"), `Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "b"]`},
		{"a part of the bucket's name", formOf(`["starts-with", "$bucket", "x"]`), `Invalid according to Policy: Policy Condition failed: ["starts-with", "$bucket", "x"]`},
		{"a field that is not there", formOf(bucket + `, ["starts-with", "$acl", ""]`), `Invalid according to Policy: Policy Condition failed: ["starts-with", "$acl", ""]`},
		{"a name without $", formOf(bucket+`, ["eq", "key", "k"]`, "key", "k"), `Invalid according to Policy: Policy Condition failed: ["eq", "key", "k"]`},
		{"quotes in a value", formOf(bucket+`, {"key": "a\"<&é"}`, "key", "k"), `Invalid according to Policy: Policy Condition failed: ["eq", "$key", "a\"<&é"]`},
		{"no conditions", formOf(""), "Invalid according to Policy: Extra input fields: bucket"},
		{"a bound that is no number", formOf(bucket + `, ["content-length-range", "a", 1]`), `Invalid according to Policy: Policy Condition failed: ["content-length-range", "a", 1]`},
	} {
		err := c.form.Check("b", now)
		if e, ok := errors.AsType[*aws.Error](err); (err != nil || c.want != "") && (!ok || e.Kind != aws.AccessDenied || e.Message != c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if err := formOf(bucket).Check("b", now.Add(501*time.Millisecond)); err == nil || !strings.HasSuffix(err.Error(), "Policy expired.") {
		t.Errorf("after its end: %v", err)
	}
}

func TestAnswersGoWhereTheFormSays(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"", "", "http://localhost/bucket/a%2Fb%20%2B"},
		{"success_action_redirect", "https://x.test", "https://x.test?bucket=bucket&key=a%2Fb+%2B&etag=%22e%22"},
		{"success_action_redirect", "https://x.test/?a=b", "https://x.test/?a=b&bucket=bucket&key=a%2Fb+%2B&etag=%22e%22"},
		{"redirect", "//x.test", "http://localhost/bucket/a%2Fb%20%2B"},
		{"redirect", "ftp://x.test", "http://localhost/bucket/a%2Fb%20%2B"},
		{"redirect", "http://x.test/\nSet-Cookie:", "http://localhost/bucket/a%2Fb%20%2B"},
	} {
		f := &Form{fields: []field{{"key", "key", "a/b +"}, {c.field, c.field, c.value}}}
		to := &wire.Response{Header: http.Header{"Etag": {`"e"`}}}
		f.Answer(request(nil, 0), "bucket", to)
		if got := to.Header.Get("Location"); got != c.want {
			t.Errorf("%s=%q leads to %s, want %s", c.field, c.value, got, c.want)
		}
	}
}

// FuzzPolicy: a policy that is read is JSON of the one meaning that other readers find in it.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(`{"expiration": "2026-11-24T12:00:00Z", "conditions": [{"bucket": "b"}, ["starts-with", "$key", ""], ["content-length-range", 0, "9"]]}`))
	f.Add([]byte(`{"expiration": "2026-11-24T12:00:00.000Z", "conditions": [["eq", "$a", "\u0024"]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parse(base64.StdEncoding.EncodeToString(text))
		if err != nil {
			if e, ok := errors.AsType[*aws.Error](err); !ok || e.Code != "InvalidPolicyDocument" {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		var plain struct {
			Expiration string
			Conditions []any
		}
		if err := json.Unmarshal(text, &plain); err != nil || len(plain.Conditions) != len(p.conditions) {
			t.Fatalf("%d conditions, want %d: %v", len(p.conditions), len(plain.Conditions), err)
		}
		for i, c := range p.conditions {
			if _, simple := plain.Conditions[i].(map[string]any); simple && (c.operator != "eq" || c.name == "" && !strings.Contains(c.shown, `"$"`)) {
				t.Fatalf("%v is read as %+v", plain.Conditions[i], c)
			}
			if c.min < 0 || c.max < 0 || !json.Valid([]byte(c.shown)) {
				t.Fatalf("condition %+v", c)
			}
		}
	})
}
