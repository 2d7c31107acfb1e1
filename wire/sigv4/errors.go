package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

const (
	textMismatch = "The request signature we calculated does not match the signature you provided. Check your " +
		"AWS Secret Access Key and signing method. Consult the service documentation for details."
	textS3Mismatch = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
	textMissing    = "Request is missing Authentication Token"
	textUnknownKey = "The security token included in the request is invalid."
	textS3Unknown  = "The AWS Access Key Id you provided does not exist in our records."
	textBadToken   = "The security token included in the request is invalid"
	textS3BadToken = "The provided token is malformed or otherwise invalid."
	textExpired    = "The security token included in the request is expired"
	textS3Expired  = "The provided token has expired."
	textV2         = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
	textOneForm    = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string " +
		"parameter or the Authorization header should be specified"
	textS3Query = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, " +
		"X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
	textNotSigned  = "There were headers present in the request which were not signed"
	textContentBad = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " +
		"STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, " +
		"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
)

// UnknownKey refuses a key that nobody has, or that was made inactive.
func (s *Signature) UnknownKey() *aws.Error {
	if s.rules.S3 {
		return &aws.Error{Kind: aws.UnknownKey, Message: textS3Unknown,
			Fields: []aws.Field{{Name: "AWSAccessKeyId", Value: s.AccessKeyID}}}
	}
	return &aws.Error{Kind: aws.UnknownKey, Message: textUnknownKey}
}

// BadToken refuses a session token that is none, or another key's. The token
// itself, which S3 repeats, is not said.
func (s *Signature) BadToken() *aws.Error {
	if s.rules.S3 {
		return &aws.Error{Kind: aws.BadToken, Message: textS3BadToken}
	}
	return &aws.Error{Kind: aws.BadToken, Message: textBadToken}
}

// ExpiredToken refuses a session that is over.
func (s *Signature) ExpiredToken() *aws.Error {
	if s.rules.S3 {
		return &aws.Error{Kind: aws.ExpiredToken, Message: textS3Expired}
	}
	return &aws.Error{Kind: aws.ExpiredToken, Message: textExpired}
}

// custom is an S3 error that no Kind stands for.
func custom(code string, status int, text string, fields ...aws.Field) *aws.Error {
	return &aws.Error{Kind: aws.Custom, Code: code, Status: status, Message: text, Fields: fields}
}

func incomplete(format string, args ...any) *aws.Error {
	return &aws.Error{Kind: aws.IncompleteSignature, Message: fmt.Sprintf(format, args...)}
}

func badSignature(format string, args ...any) *aws.Error {
	return &aws.Error{Kind: aws.BadSignature, Message: fmt.Sprintf(format, args...)}
}

// malformed words a breach of the grammar: s3 as S3 says it, other as the rest
// of AWS does. S3 has a code of its own for the query form.
func malformed(rules Rules, presigned bool, s3, other string) *aws.Error {
	switch {
	case !rules.S3:
		return incomplete("%s", other)
	case presigned:
		return custom("AuthorizationQueryParametersError", 400, s3)
	default:
		return incomplete("The authorization header is malformed; %s", s3)
	}
}

// badCredential words a Credential that does not have its parts.
func (s *Signature) badCredential(credential string) *aws.Error {
	s3 := `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`
	switch {
	case s.Post:
		return postError(s3, "X-Amz-Credential", clip(credential))
	case s.Presigned:
		s3 = "Error parsing the X-Amz-Credential parameter; " + s3
	}
	return malformed(s.rules, s.Presigned, s3, fmt.Sprintf("Credential must have exactly 5 slash-delimited elements, "+
		"e.g. keyid/date/region/service/term, got '%s'", clip(credential)))
}

// bothForms refuses a request signed twice.
func bothForms(rules Rules, authorization string) *aws.Error {
	if rules.S3 {
		return custom("InvalidArgument", 400, textOneForm,
			aws.Field{Name: "ArgumentName", Value: "Authorization"},
			aws.Field{Name: "ArgumentValue", Value: digest(authorization)})
	}
	return badSignature("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
}

// notSigned refuses headers that would change the request's meaning unseen by
// its signature.
func notSigned(rules Rules, names []string) *aws.Error {
	if rules.S3 {
		return &aws.Error{Kind: aws.AccessDenied, Message: textNotSigned,
			Fields: []aws.Field{{Name: "HeadersNotSigned", Value: strings.Join(names, ", ")}}}
	}
	return badSignature("'%s' must be a 'SignedHeader' in the AWS Authorization.", names[0])
}

// badQuery refuses a path or query with a broken escape.
func badQuery(rules Rules) *aws.Error {
	if rules.S3 {
		return custom("InvalidURI", 400, "Couldn't parse the specified URI.")
	}
	return custom("MalformedQueryString", 404, "The query string contains a syntax error.")
}

// digest stands for a header in an error: its text may hold what a client put
// there by mistake. AWS writes the same.
func digest(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// clip bounds what an error echoes, and keeps control characters out of it.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
