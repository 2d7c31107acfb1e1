package wire

import "github.com/garrison-security/garrison/aws"

// code is how a protocol names a kind of error, and the status beside it.
type code struct {
	code   string
	status int
}

// family is a group of protocols that name errors alike.
type family uint8

const (
	jsonFamily family = iota
	restJSONFamily
	queryFamily
	ec2Family
	s3Family
)

func familyOf(p aws.Protocol, s *aws.Service) family {
	switch p {
	case aws.AWSQuery:
		return queryFamily
	case aws.EC2Query:
		return ec2Family
	case aws.RESTJSON:
		return restJSONFamily
	case aws.RESTXML:
		return s3Family
	case aws.NoProtocol:
		if s != nil && len(s.Protocols) > 0 && s.Protocols[0] != aws.NoProtocol {
			return familyOf(s.Protocols[0], s)
		}
	}
	return jsonFamily
}

func (f family) codes() map[aws.Kind]code {
	switch f {
	case restJSONFamily:
		return restJSONCodes
	case queryFamily:
		return queryCodes
	case ec2Family:
		return ec2Codes
	case s3Family:
		return s3Codes
	}
	return jsonCodes
}

// jsonCodes are awsJson's and CBOR's.
var jsonCodes = map[aws.Kind]code{
	aws.Internal:              {"InternalFailure", 500},
	aws.MissingAuthentication: {"MissingAuthenticationTokenException", 400},
	aws.IncompleteSignature:   {"IncompleteSignatureException", 400},
	aws.UnknownKey:            {"UnrecognizedClientException", 400},
	aws.BadToken:              {"UnrecognizedClientException", 400},
	aws.ExpiredToken:          {"ExpiredTokenException", 400},
	aws.BadSignature:          {"InvalidSignatureException", 400},
	aws.ClockSkew:             {"InvalidSignatureException", 400},
	aws.WrongScope:            {"InvalidSignatureException", 400},
	aws.AccessDenied:          {"AccessDeniedException", 400},
	aws.Throttled:             {"ThrottlingException", 400},
	aws.NotImplemented:        {"NotImplementedException", 501},
	aws.UnknownOperation:      {"UnknownOperationException", 400},
	aws.Serialization:         {"SerializationException", 400},
	aws.Validation:            {"ValidationException", 400},
	aws.TooLarge:              {"RequestEntityTooLargeException", 413},
	aws.Unavailable:           {"ServiceUnavailableException", 503},
	aws.UnsupportedMediaType:  {"UnsupportedMediaTypeException", 415},
	aws.NotAcceptable:         {"NotAcceptableException", 406},
}

var restJSONCodes = map[aws.Kind]code{
	aws.Internal:              {"InternalFailure", 500},
	aws.MissingAuthentication: {"MissingAuthenticationTokenException", 403},
	aws.IncompleteSignature:   {"IncompleteSignatureException", 403},
	aws.UnknownKey:            {"UnrecognizedClientException", 403},
	aws.BadToken:              {"UnrecognizedClientException", 403},
	aws.ExpiredToken:          {"ExpiredTokenException", 403},
	aws.BadSignature:          {"InvalidSignatureException", 403},
	aws.ClockSkew:             {"InvalidSignatureException", 403},
	aws.WrongScope:            {"InvalidSignatureException", 403},
	aws.AccessDenied:          {"AccessDeniedException", 403},
	aws.Throttled:             {"ThrottlingException", 429},
	aws.NotImplemented:        {"NotImplementedException", 501},
	aws.UnknownOperation:      {"UnknownOperationException", 404},
	aws.Serialization:         {"SerializationException", 400},
	aws.Validation:            {"ValidationException", 400},
	aws.TooLarge:              {"RequestTooLargeException", 413},
	aws.Unavailable:           {"ServiceUnavailableException", 503},
	aws.UnsupportedMediaType:  {"UnsupportedMediaTypeException", 415},
	aws.NotAcceptable:         {"NotAcceptableException", 406},
}

var queryCodes = map[aws.Kind]code{
	aws.Internal:              {"InternalFailure", 500},
	aws.MissingAuthentication: {"MissingAuthenticationToken", 403},
	aws.IncompleteSignature:   {"IncompleteSignature", 400},
	aws.UnknownKey:            {"InvalidClientTokenId", 403},
	aws.BadToken:              {"InvalidClientTokenId", 403},
	aws.ExpiredToken:          {"ExpiredToken", 403},
	aws.BadSignature:          {"SignatureDoesNotMatch", 403},
	aws.ClockSkew:             {"SignatureDoesNotMatch", 403},
	aws.WrongScope:            {"SignatureDoesNotMatch", 403},
	aws.AccessDenied:          {"AccessDenied", 403},
	aws.Throttled:             {"Throttling", 400},
	aws.NotImplemented:        {"NotImplemented", 501},
	aws.UnknownOperation:      {"InvalidAction", 400},
	aws.Serialization:         {"MalformedInput", 400},
	aws.Validation:            {"ValidationError", 400},
	aws.TooLarge:              {"RequestEntityTooLarge", 413},
	aws.Unavailable:           {"ServiceUnavailable", 503},
	aws.UnsupportedMediaType:  {"UnsupportedMediaType", 415},
	aws.NotAcceptable:         {"NotAcceptable", 406},
}

var ec2Codes = map[aws.Kind]code{
	aws.Internal:              {"InternalError", 500},
	aws.MissingAuthentication: {"MissingParameter", 400},
	aws.IncompleteSignature:   {"IncompleteSignature", 400},
	aws.UnknownKey:            {"AuthFailure", 401},
	aws.BadToken:              {"AuthFailure", 401},
	aws.ExpiredToken:          {"RequestExpired", 400},
	aws.BadSignature:          {"AuthFailure", 401},
	aws.ClockSkew:             {"AuthFailure", 401},
	aws.WrongScope:            {"AuthFailure", 401},
	aws.AccessDenied:          {"UnauthorizedOperation", 403},
	aws.Throttled:             {"RequestLimitExceeded", 503},
	aws.NotImplemented:        {"NotImplemented", 501},
	aws.UnknownOperation:      {"InvalidAction", 400},
	aws.Serialization:         {"InvalidParameterValue", 400},
	aws.Validation:            {"InvalidParameterValue", 400},
	aws.TooLarge:              {"RequestEntityTooLarge", 413},
	aws.Unavailable:           {"Unavailable", 503},
	aws.UnsupportedMediaType:  {"UnsupportedMediaType", 415},
	aws.NotAcceptable:         {"NotAcceptable", 406},
}

// s3Codes are restXml's, S3 Control's too.
var s3Codes = map[aws.Kind]code{
	aws.Internal:              {"InternalError", 500},
	aws.MissingAuthentication: {"AccessDenied", 403},
	aws.IncompleteSignature:   {"AuthorizationHeaderMalformed", 400},
	aws.UnknownKey:            {"InvalidAccessKeyId", 403},
	aws.BadToken:              {"InvalidToken", 400},
	aws.ExpiredToken:          {"ExpiredToken", 400},
	aws.BadSignature:          {"SignatureDoesNotMatch", 403},
	aws.ClockSkew:             {"RequestTimeTooSkewed", 403},
	aws.WrongScope:            {"AuthorizationHeaderMalformed", 400},
	aws.AccessDenied:          {"AccessDenied", 403},
	aws.Throttled:             {"SlowDown", 503},
	aws.NotImplemented:        {"NotImplemented", 501},
	aws.UnknownOperation:      {"MethodNotAllowed", 405},
	aws.Serialization:         {"MalformedXML", 400},
	aws.Validation:            {"InvalidArgument", 400},
	aws.TooLarge:              {"EntityTooLarge", 400},
	aws.Unavailable:           {"ServiceUnavailable", 503},
	aws.UnsupportedMediaType:  {"UnsupportedMediaType", 415},
	aws.NotAcceptable:         {"NotAcceptable", 406},
}
