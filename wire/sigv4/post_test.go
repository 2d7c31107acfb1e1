package sigv4_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/wire/sigv4"
)

// docForm is the example of AWS's page on forms.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
func docForm() map[string]string {
	policy := strings.ReplaceAll(`{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}`, "\n", "\r\n")
	return map[string]string{
		"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
		"x-amz-date": "20151229T000000Z", "policy": base64.StdEncoding.EncodeToString([]byte(policy)),
		"x-amz-signature": "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
	}
}

// takeForm is whether a form is taken so long after it was signed.
func takeForm(fields map[string]string, after time.Duration) error {
	sig, err := sigv4.ParsePost(func(name string) (string, bool) { value, ok := fields[name]; return value, ok })
	if err != nil || sig == nil {
		return err
	}
	if err := sig.Admit(sig.Time.Add(after), sigv4.Scope{Services: []string{"s3"}, Regions: []string{"us-east-1"}}); err != nil {
		return err
	}
	if err := sig.Prepare([32]byte{}); err != nil {
		return err
	}
	return sig.Verify(sigv4.NewKeyCache(0), docSecret)
}

func TestAFormsPolicyIsWhatIsSigned(t *testing.T) {
	if err := takeForm(docForm(), 7*24*time.Hour); err != nil {
		t.Errorf("as signed: %v", err)
	}
	for _, after := range []time.Duration{-16 * time.Minute, 7*24*time.Hour + time.Second} {
		if takeForm(docForm(), after) == nil {
			t.Errorf("is taken %v after it was signed", after)
		}
	}
	for name, value := range docForm() {
		for i := range value {
			if name == "x-amz-credential" && i < len("AKIAIOSFODNN7EXAMPLE") || name == "x-amz-date" && i > len("20151229") {
				continue // chooses the secret; stands in the policy
			}
			fields := docForm()
			fields[name] = value[:i] + string(value[i]^1) + value[i+1:]
			if takeForm(fields, time.Minute) == nil {
				t.Errorf("is taken with another %s: %s", name, fields[name])
			}
		}
		fields := docForm()
		delete(fields, name)
		if err := takeForm(fields, time.Minute); err == nil || !strings.HasPrefix(err.Error(), "InvalidArgument: Bucket POST must contain a field named '") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	token := docForm()
	token["x-amz-security-token"] = "t"
	delete(token, "x-amz-signature")
	if takeForm(token, 0) == nil {
		t.Error("a token alone is taken for nobody's")
	}
}
