package kms

import (
	"fmt"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
)

func notFound(format string, args ...any) error {
	return &kms.NotFoundException{Message: fmt.Sprintf(format, args...)}
}

func invalidState(format string, args ...any) error {
	return &kms.KMSInvalidStateException{Message: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &kms.UnsupportedOperationException{Message: fmt.Sprintf(format, args...)}
}

func tagError(message string) error { return &kms.TagException{Message: message} }

func limitExceeded(format string, args ...any) error {
	return &kms.LimitExceededException{Message: fmt.Sprintf(format, args...)}
}

func malformedPolicy(message string) error {
	return &kms.MalformedPolicyDocumentException{Message: message}
}

func validation(format string, args ...any) error {
	return &aws.Error{Kind: aws.Validation, Message: fmt.Sprintf(format, args...)}
}

// Errors that AWS gives no text, or always the same.
var (
	errCiphertext   = &kms.InvalidCiphertextException{}
	errIncorrectKey = &kms.IncorrectKeyException{Message: "The key ID in the request does not identify a CMK that can perform this operation."}
	errDryRun       = &kms.DryRunOperationException{Message: "The request would have succeeded, but the DryRun option is set."}
	errForeign      = &aws.Error{Kind: aws.AccessDenied, Message: "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."}
)
