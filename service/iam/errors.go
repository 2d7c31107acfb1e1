package iam

import (
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

func noSuchEntity(format string, args ...any) error {
	return &iam.NoSuchEntityException{Message: fmt.Sprintf(format, args...)}
}

func alreadyExists(format string, args ...any) error {
	return &iam.EntityAlreadyExistsException{Message: fmt.Sprintf(format, args...)}
}

func deleteConflict(message string) error { return &iam.DeleteConflictException{Message: message} }

func limitExceeded(quota string, limit int) error {
	return &iam.LimitExceededException{Message: fmt.Sprintf("Cannot exceed quota for %s: %d", quota, limit)}
}

func invalidInput(format string, args ...any) error {
	return &iam.InvalidInputException{Message: fmt.Sprintf(format, args...)}
}

func malformedPolicy(message string) error {
	return &iam.MalformedPolicyDocumentException{Message: message}
}

// malformed is err as a caller sees it, if it says what is wrong with a document.
func malformed(err error) error {
	if m, ok := errors.AsType[*policy.Malformed](err); ok {
		return malformedPolicy(m.Message)
	}
	return err
}

func validation(format string, args ...any) error {
	return &aws.Error{Kind: aws.Validation, Message: fmt.Sprintf(format, args...)}
}
