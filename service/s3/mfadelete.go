package s3

import (
	"net/http"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// MFA takes one-time codes. Package service/iam implements it.
type MFA interface {
	// VerifyMFA takes a code of a device that the caller has, once; that it was taken
	// is written in tx. What it refuses is an *aws.Error.
	VerifyMFA(tx store.Tx, now time.Time, caller *aws.Principal, serial, code string) error
}

// deletesByMFA tells whether the bucket's versions are deleted, and its versioning
// changed, with a code of root's MFA device alone.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html
func (b *Bucket) deletesByMFA() bool { return b.MFADelete == s3.MFADeleteStatusEnabled }

// verifyMFA takes the code of a request's x-amz-mfa header, a device's serial
// number and a code. A request that needs one is refused without.
func (s *Service) verifyMFA(call *gateway.Call, b *onBucket, header *string, needed bool) error {
	if header == nil {
		if needed {
			return &aws.Error{Kind: aws.AccessDenied, Message: "Mfa Authentication must be used for this request"}
		}
		return nil
	}
	serial, code, ok := strings.Cut(*header, " ")
	switch {
	case !ok || serial == "" || code == "" || strings.Contains(code, " "):
		return invalidMFA()
	case !call.Private():
		return invalidRequest("Requests specifying Mfa Authentication must be made over a secure connection.")
	case call.Principal.Session != nil:
		return invalidRequest("DevPay and Mfa are mutually exclusive authorization methods.")
	case call.Principal.Kind != aws.Root || call.Principal.Account != b.Account:
		return &aws.Error{Kind: aws.AccessDenied, Message: "This operation may only be performed by the bucket owner"}
	case s.MFA == nil:
		return gateway.NotImplemented(call.Operation, "MFA")
	}
	return s.MFA.VerifyMFA(call.Tx, call.Time, call.Principal, serial, code)
}

// invalidMFA does not repeat what was sent: it may hold a code.
func invalidMFA() error {
	return fault(http.StatusBadRequest, "InvalidArgument", "Mfa header is invalid -- the header should be formatted as {serialNumber}(space){tokenCode}", "ArgumentName", "x-amz-mfa")
}
