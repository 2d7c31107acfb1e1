package sigv4

import (
	"github.com/garrison-security/garrison/aws"
)

// signingFields are the form's fields that carry a signature, as errors name
// them, in the order in which those are named that are missing.
var signingFields = [...]struct{ name, shown string }{
	{"x-amz-algorithm", "X-Amz-Algorithm"}, {"x-amz-credential", "X-Amz-Credential"}, {"x-amz-date", "X-Amz-Date"},
	{"x-amz-signature", "X-Amz-Signature"}, {"policy", "policy"},
}

// ParsePost reads who claims to have signed a browser's form to S3: a form's
// policy, as it was sent, is what is signed. Field finds a field by its name in
// lower case. It answers nil without an error if nobody claims to.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
func ParsePost(field func(name string) (string, bool)) (*Signature, error) {
	for _, name := range [...]string{"awsaccesskeyid", "signature"} {
		if _, ok := field(name); ok {
			return nil, custom("InvalidRequest", 400, textV2)
		}
	}
	_, claims := field("x-amz-security-token")
	for _, at := range signingFields[:4] {
		_, ok := field(at.name)
		claims = claims || ok
	}
	if !claims {
		return nil, nil
	}
	var values [len(signingFields)]string
	for i, at := range signingFields {
		if values[i], _ = field(at.name); values[i] == "" {
			return nil, postError("Bucket POST must contain a field named '"+at.shown+"'.  If it is specified, please check the order of the fields.", at.shown, "")
		}
	}
	s := &Signature{
		Algorithm: Algorithm(values[0]), Post: true, Expires: MaxExpires, given: values[3], policy: values[4], rules: Rules{S3: true},
	}
	s.Token, _ = field("x-amz-security-token")
	if s.Algorithm != V4 {
		return nil, postError(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`, "X-Amz-Algorithm", clip(values[0]))
	}
	t, ok := parseTimestamp(values[2])
	if !ok {
		return nil, postError("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", clip(values[2])) // as AWS spells it
	}
	if err := s.setCredential(values[1]); err != nil {
		return nil, err
	}
	if len(s.Token) > maxToken {
		return nil, &aws.Error{Kind: aws.BadToken, Message: textUnknownKey}
	}
	if err := s.setTime(values[2], t); err != nil {
		return nil, err
	}
	return s, nil
}

func postError(text, name, value string) *aws.Error {
	return custom("InvalidArgument", 400, text, aws.Field{Name: "ArgumentName", Value: name}, aws.Field{Name: "ArgumentValue", Value: value})
}

// mismatchPost is the error for a form whose policy is signed otherwise. A
// policy that names a session token is not repeated.
func (s *Signature) mismatchPost() *aws.Error {
	policy := s.policy
	if s.Token != "" {
		policy = redacted
	}
	return &aws.Error{Kind: aws.BadSignature, Message: textS3Mismatch, Fields: []aws.Field{
		{Name: "AWSAccessKeyId", Value: s.AccessKeyID},
		{Name: "StringToSign", Value: policy},
		{Name: "SignatureProvided", Value: clip(s.given)},
		{Name: "StringToSignBytes", Value: spaced(policy)},
	}}
}

// BesidesForm refuses a form to S3 whose request is signed besides.
func BesidesForm() *aws.Error {
	return custom("InvalidRequest", 400, "Conflicting values provided in HTTP headers and POST form fields.")
}
