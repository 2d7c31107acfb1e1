package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Prepare hashes the canonical request. body is the SHA-256 of the body as it
// was received; where S3's rules hold it is not looked at, since the reader of
// Body compares what is read with the hash that was signed.
func (s *Signature) Prepare(body [sha256.Size]byte) error {
	switch {
	case s.Post:
		s.prepared = true
		return nil
	case s.rules.S3, s.Payload == PayloadUnsigned:
		s.payload = append(s.sum[:0], s.content...)
	default:
		s.payload = s.sum[:]
		hex.Encode(s.payload, body[:])
		if s.content != "" && s.content != string(s.payload) {
			return s.mismatch()
		}
	}
	b := scratches.Get().(*scratch)
	defer b.free()
	if err := s.build(b); err != nil {
		return err
	}
	s.canonical = sha256.Sum256(b.text)
	s.prepared = true
	return nil
}

// appendScope writes the credential scope.
func (s *Signature) appendScope(dst []byte) []byte {
	dst = append(append(dst, s.Date...), '/')
	if s.Algorithm == V4 {
		dst = append(append(dst, s.Region...), '/')
	}
	dst = append(append(dst, s.Service...), '/')
	return append(dst, terminator...)
}

// appendStringToSign writes algorithm, timestamp, scope and hash; of a form its policy.
func (s *Signature) appendStringToSign(dst []byte) []byte {
	if s.Post {
		return append(dst, s.policy...)
	}
	dst = append(append(dst, s.Algorithm...), '\n')
	dst = append(append(dst, s.Timestamp...), '\n')
	dst = append(s.appendScope(dst), '\n')
	return hex.AppendEncode(dst, s.canonical[:])
}

// Verify answers nil if the signature was made with secret, and BadSignature
// if not. It takes the same time whatever makes a signature wrong.
func (s *Signature) Verify(keys *KeyCache, secret string) error {
	if !s.admitted || !s.prepared {
		return s.mismatch()
	}
	if s.key = s.verify(keys, secret); s.key == nil {
		return s.mismatch()
	}
	return nil
}

// VerifyUnknown does the work of Verify for a key id that nobody has, and
// answers UnknownKey.
func (s *Signature) VerifyUnknown(keys *KeyCache) error {
	s.verify(keys, keys.dummy)
	_ = s.mismatch()
	return s.UnknownKey()
}

// verify finds the key of secret that the signature is right by, or nil. Before
// it answers nil it has always compared with a ready key, derived one, and
// compared with that: so a guess costs the same, whether its key is in use, is
// not, or does not exist.
func (s *Signature) verify(keys *KeyCache, secret string) *key {
	b := scratches.Get().(*scratch)
	defer b.free()
	b.text = s.appendStringToSign(b.text[:0])
	k, cached := keys.get(s, secret)
	if !cached {
		k = keys.spare(s)
	}
	if k.verifies(b.text, s.given) && cached {
		return k
	}
	if k = keys.derive(s, secret); !k.verifies(b.text, s.given) {
		return nil
	}
	keys.put(s, k)
	return k
}

// mismatch is the error for a wrong signature. S3 shows what it signed, with
// what is secret in it taken out.
func (s *Signature) mismatch() *aws.Error {
	switch {
	case !s.rules.S3:
		return &aws.Error{Kind: aws.BadSignature, Message: textMismatch}
	case s.Post:
		return s.mismatchPost()
	}
	e := &aws.Error{Kind: aws.BadSignature, Message: textS3Mismatch, Fields: []aws.Field{
		{Name: "AWSAccessKeyId", Value: s.AccessKeyID},
	}}
	if !s.prepared {
		return e
	}
	b := scratches.Get().(*scratch)
	defer b.free()
	if s.build(b) != nil {
		return e
	}
	toSign, request := string(s.appendStringToSign(nil)), s.redact(string(b.text))
	e.Fields = append(e.Fields,
		aws.Field{Name: "StringToSign", Value: toSign},
		aws.Field{Name: "SignatureProvided", Value: clip(s.given)},
		aws.Field{Name: "StringToSignBytes", Value: spaced(toSign)},
		aws.Field{Name: "CanonicalRequest", Value: request},
		aws.Field{Name: "CanonicalRequestBytes", Value: spaced(request)})
	return e
}

// redacted stands for a secret in an error.
const redacted = "HIDDEN_DUE_TO_SECURITY_REASONS"

// redact takes session tokens and customers' keys out of a canonical request.
func (s *Signature) redact(request string) string {
	lines := strings.Split(request, "\n")
	for i, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		switch {
		case i < 2:
		case i == 2:
			lines[i] = redactQuery(line)
		case strings.HasSuffix(name, "-token"), strings.HasSuffix(name, "-customer-key"), strings.HasSuffix(name, "_token"):
			if line != name {
				lines[i] = name + ":" + redacted
			}
		}
	}
	return strings.Join(lines, "\n")
}

// redactQuery takes values of the same names out of a canonical query.
func redactQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, p := range pairs {
		name, _, _ := strings.Cut(p, "=")
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, "-token") || strings.HasSuffix(lower, "-customer-key") {
			pairs[i] = name + "=" + redacted
		}
	}
	return strings.Join(pairs, "&")
}

// spaced writes the bytes of s in hexadecimal, as S3 does.
func spaced(s string) string {
	out := make([]byte, 0, 3*len(s))
	for i := range len(s) {
		if i > 0 {
			out = append(out, ' ')
		}
		if s[i] < 16 {
			out = append(out, '0')
		}
		out = strconv.AppendUint(out, uint64(s[i]), 16)
	}
	return string(out)
}

// equal compares in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
