package wire_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// TestFaults is the table of errors that the path of a call makes itself.
func TestFaults(t *testing.T) {
	protocols := []aws.Protocol{aws.AWSJSON11, aws.RESTJSON, aws.AWSQuery, aws.EC2Query, aws.RESTXML}
	for kind, want := range map[aws.Kind][5]string{
		aws.MissingAuthentication: {"MissingAuthenticationTokenException 400", "MissingAuthenticationTokenException 403", "MissingAuthenticationToken 403", "MissingParameter 400", "AccessDenied 403"},
		aws.IncompleteSignature:   {"IncompleteSignatureException 400", "IncompleteSignatureException 403", "IncompleteSignature 400", "IncompleteSignature 400", "AuthorizationHeaderMalformed 400"},
		aws.UnknownKey:            {"UnrecognizedClientException 400", "UnrecognizedClientException 403", "InvalidClientTokenId 403", "AuthFailure 401", "InvalidAccessKeyId 403"},
		aws.BadToken:              {"UnrecognizedClientException 400", "UnrecognizedClientException 403", "InvalidClientTokenId 403", "AuthFailure 401", "InvalidToken 400"},
		aws.ExpiredToken:          {"ExpiredTokenException 400", "ExpiredTokenException 403", "ExpiredToken 403", "RequestExpired 400", "ExpiredToken 400"},
		aws.BadSignature:          {"InvalidSignatureException 400", "InvalidSignatureException 403", "SignatureDoesNotMatch 403", "AuthFailure 401", "SignatureDoesNotMatch 403"},
		aws.ClockSkew:             {"InvalidSignatureException 400", "InvalidSignatureException 403", "SignatureDoesNotMatch 403", "AuthFailure 401", "RequestTimeTooSkewed 403"},
		aws.WrongScope:            {"InvalidSignatureException 400", "InvalidSignatureException 403", "SignatureDoesNotMatch 403", "AuthFailure 401", "AuthorizationHeaderMalformed 400"},
		aws.AccessDenied:          {"AccessDeniedException 400", "AccessDeniedException 403", "AccessDenied 403", "UnauthorizedOperation 403", "AccessDenied 403"},
		aws.NotImplemented:        {"NotImplementedException 501", "NotImplementedException 501", "NotImplemented 501", "NotImplemented 501", "NotImplemented 501"},
		aws.UnknownOperation:      {"UnknownOperationException 400", "UnknownOperationException 404", "InvalidAction 400", "InvalidAction 400", "MethodNotAllowed 405"},
		aws.Unavailable:           {"ServiceUnavailableException 503", "ServiceUnavailableException 503", "ServiceUnavailable 503", "Unavailable 503", "ServiceUnavailable 503"},
	} {
		for i, p := range protocols {
			f := wire.FaultOf(p, nil, fmt.Errorf("wrapped: %w", &aws.Error{Kind: kind, Message: "m"}))
			if got := fmt.Sprintf("%s %d", f.Code, f.Status); got != want[i] || f.Message != "m" {
				t.Errorf("kind %d, protocol %d: %s (%s), want %s", kind, p, got, f.Message, want[i])
			}
		}
	}
}

// TestOtherErrorsTellNothing: what no caller may see becomes InternalFailure.
func TestOtherErrorsTellNothing(t *testing.T) {
	for _, err := range []error{errors.New("secret path /root.key"), &aws.Error{Message: "secret"}, nil} {
		f := wire.FaultOf(aws.AWSJSON11, nil, err)
		if f.Code != "InternalFailure" || f.Status != 500 || f.Sender || f.Message != "An internal error occurred." {
			t.Errorf("%v: %+v", err, f)
		}
	}
}

// TestServicesName is what single services call errors.
func TestServicesName(t *testing.T) {
	for _, c := range []struct {
		service string
		p       aws.Protocol
		kind    aws.Kind
		want    string
	}{
		{"sns", aws.AWSQuery, aws.AccessDenied, "AuthorizationError"},
		{"logs", aws.AWSJSON11, aws.Validation, "InvalidParameterException"},
		{"lambda", aws.RESTJSON, aws.Throttled, "TooManyRequestsException"},
	} {
		if f := wire.FaultOf(c.p, &aws.Service{Name: c.service}, &aws.Error{Kind: c.kind, Message: "m"}); f.Code != c.want {
			t.Errorf("%s: %s, want %s", c.service, f.Code, c.want)
		}
	}
}

// noSuch is a modelled error.
type noSuch struct{ Message string }

func (*noSuch) Error() string       { return "no such" }
func (*noSuch) ErrorShape() string  { return "NoSuchEntityException" }
func (e *noSuch) ErrorText() string { return e.Message }

// TestEventErrorCodes is how CloudTrail's records name errors.
func TestEventErrorCodes(t *testing.T) {
	for _, c := range []struct {
		p    aws.Protocol
		err  error
		want string
	}{
		{aws.AWSQuery, &noSuch{}, "NoSuchEntityException"},
		{aws.AWSQuery, &aws.Error{Kind: aws.AccessDenied}, "AccessDenied"},
		{aws.AWSJSON11, &aws.Error{Kind: aws.AccessDenied}, "AccessDenied"},
		{aws.EC2Query, &aws.Error{Kind: aws.AccessDenied}, "Client.UnauthorizedOperation"},
		{aws.EC2Query, &aws.Error{Kind: aws.Custom, Code: "InvalidVpcID.NotFound"}, "Client.InvalidVpcID.NotFound"},
		{aws.EC2Query, errors.New("x"), "Server.InternalError"},
		{aws.AWSJSON11, &aws.Error{Kind: aws.Throttled}, "ThrottlingException"},
		{aws.AWSQuery, &aws.Error{Kind: aws.Validation}, "ValidationException"},
		{aws.RESTXML, &aws.Error{Kind: aws.Custom, Code: "NoSuchBucketPolicy", Status: 404}, "NoSuchBucketPolicy"},
	} {
		if got := wire.EventErrorCode(c.p, c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}
