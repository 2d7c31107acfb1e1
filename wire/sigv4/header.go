package sigv4

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// parseHeader reads the header form:
//
//	AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
//
// in any order, with or without a space beside the commas.
func parseHeader(req *wire.Request, rules Rules, header string) (*Signature, error) {
	algorithm, rest, _ := strings.Cut(header, " ")
	if !strings.HasPrefix(algorithm, "AWS4-") {
		return nil, otherScheme(rules, algorithm, rest)
	}
	s := &Signature{Algorithm: Algorithm(algorithm), rules: rules, req: req}
	if s.Algorithm != V4 && s.Algorithm != V4a {
		if rules.S3 {
			return nil, custom("InvalidRequest", 400, textV2)
		}
		return nil, incomplete("Unsupported AWS 'algorithm': '%s'.", clip(algorithm))
	}
	credential, signed, err := s.components(header, rest)
	if err != nil {
		return nil, err
	}
	timestamp, t, err := s.headerDate()
	if err != nil {
		return nil, err
	}
	if err := s.setSignedHeaders(signed); err != nil {
		return nil, err
	}
	if err := s.setCredential(credential); err != nil {
		return nil, err
	}
	if err := s.setTime(timestamp, t); err != nil {
		return nil, err
	}
	if s.Token, err = one(req, rules, "X-Amz-Security-Token"); err != nil {
		return nil, err
	}
	if s.S3Token, err = one(req, rules, "X-Amz-S3session-Token"); err != nil {
		return nil, err
	}
	if s.RegionSet, err = one(req, rules, "X-Amz-Region-Set"); err != nil {
		return nil, err
	}
	if s.content, err = one(req, rules, "X-Amz-Content-Sha256"); err != nil {
		return nil, err
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	return s, nil
}

// otherScheme refuses an Authorization header of another kind.
func otherScheme(rules Rules, scheme, rest string) *aws.Error {
	switch {
	case !rules.S3:
		return Missing()
	case scheme == "AWS" && strings.Contains(rest, ":"):
		return custom("InvalidRequest", 400, textV2)
	default:
		return custom("InvalidArgument", 400, "Unsupported Authorization Type",
			aws.Field{Name: "ArgumentName", Value: "Authorization"},
			aws.Field{Name: "ArgumentValue", Value: digest(scheme + " " + rest)})
	}
}

// components reads the three parts of the header, each of which stands in it once.
func (s *Signature) components(header, rest string) (credential, signed string, _ *aws.Error) {
	var have [3]bool
	for part := range strings.SplitSeq(rest, ",") {
		part = strings.Trim(part, " ")
		name, value, ok := strings.Cut(part, "=")
		if !ok || !graphic(value) {
			return "", "", malformed(s.rules, false, `the authorization component "`+clip(part)+`" is malformed.`,
				"Invalid key=value pair (missing equal-sign) in Authorization header "+
					"(hashed with SHA-256 and encoded with Base64): '"+digest(header)+"'.")
		}
		i := 0
		switch name {
		case "Credential":
			i, credential = 0, value
		case "Signature":
			i, s.given = 1, value
		case "SignedHeaders":
			i, signed = 2, value
		default:
			i = -1
		}
		if i < 0 || have[i] {
			return "", "", malformed(s.rules, false, `the authorization component "`+clip(part)+`" is malformed.`,
				"Authorization header has a component that is unknown or repeated: '"+clip(name)+"'.")
		}
		have[i] = true
	}
	missing := ""
	for i, name := range [...]string{"Credential", "Signature", "SignedHeaders"} {
		if !have[i] {
			missing += "Authorization header requires '" + name + "' parameter. "
		}
	}
	if missing != "" {
		return "", "", malformed(s.rules, false,
			"the authorization header requires three components: Credential, SignedHeaders, and Signature.",
			missing+"(Hashed with SHA-256 and encoded with Base64) Authorization="+digest(header))
	}
	return credential, signed, nil
}

// finish checks what both forms have in common.
func (s *Signature) finish() *aws.Error {
	if len(s.Token) > maxToken || len(s.S3Token) > maxToken {
		return &aws.Error{Kind: aws.BadToken, Message: textUnknownKey}
	}
	if s.Algorithm == V4a && (s.RegionSet == "" || len(s.RegionSet) > maxRegionSet) {
		return malformed(s.rules, s.Presigned, "X-Amz-Region-Set is missing.", "X-Amz-Region-Set is missing.")
	}
	if err := s.setPayload(); err != nil {
		return err
	}
	return s.checkCoverage()
}

// Values of x-amz-content-sha256 that are no hash.
const (
	unsignedPayload       = "UNSIGNED-PAYLOAD"
	streamHMAC            = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamHMACTrailer     = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamECDSA           = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
	streamECDSATrailer    = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"
	streamUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// setPayload finds out how the body is signed. Outside S3 the hash of what was
// received counts; Prepare compares the header with it.
func (s *Signature) setPayload() *aws.Error {
	if !s.rules.S3 {
		if s.rules.UnsignedBody && s.content == unsignedPayload {
			s.Payload = PayloadUnsigned
		}
		return nil
	}
	switch {
	case s.content == "" && s.Presigned:
		s.content, s.Payload = unsignedPayload, PayloadUnsigned
	case s.content == "":
		return custom("InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256")
	case s.content == unsignedPayload:
		s.Payload = PayloadUnsigned
	case s.content == streamUnsignedTrailer:
		s.Payload = PayloadUnsignedStream
	case s.content == streamHMAC && s.Algorithm == V4, s.content == streamECDSA && s.Algorithm == V4a:
		s.Payload = PayloadStream
	case s.content == streamHMACTrailer && s.Algorithm == V4, s.content == streamECDSATrailer && s.Algorithm == V4a:
		s.Payload = PayloadStreamTrailer
	case isHash(s.content):
		s.Payload = PayloadHashed
	default:
		return custom("InvalidArgument", 400, textContentBad,
			aws.Field{Name: "ArgumentName", Value: "x-amz-content-sha256"},
			aws.Field{Name: "ArgumentValue", Value: clip(s.content)})
	}
	return nil
}

// isHash says whether s is a SHA-256 in lower-case hexadecimal.
func isHash(s string) bool {
	for i := range len(s) {
		if unhex(s[i]) < 0 || 'A' <= s[i] && s[i] <= 'F' {
			return false
		}
	}
	return len(s) == 64
}
