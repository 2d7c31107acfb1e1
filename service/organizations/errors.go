package organizations

import (
	"fmt"

	api "github.com/garrison-security/garrison/api/organizations"
)

// What AWS says, where it says the same in many places.
var (
	errNotInUse = &api.AWSOrganizationsNotInUseException{Message: "Your account is not a member of an organization."}
	// errNotYours is for operations that only the management account may call.
	errNotYours        = &api.AccessDeniedException{Message: "You don't have permissions to access this resource."}
	errAccountNotFound = &api.AccountNotFoundException{Message: "You specified an account that doesn't exist."}
	errUnitNotFound    = &api.OrganizationalUnitNotFoundException{Message: "You specified an organizational unit that doesn't exist."}
	errParentNotFound  = &api.ParentNotFoundException{Message: "You specified parent that doesn't exist."}
	errTargetNotFound  = &api.TargetNotFoundException{Message: "You specified a target that doesn't exist."}
	// errPolicyUnknown is what AWS says of the same to those who want to change it.
	errPolicyUnknown  = &api.PolicyNotFoundException{Message: "We can't find a policy with the PolicyId that you specified."}
	errPolicyNotFound = &api.PolicyNotFoundException{Message: "You specified a policy that doesn't exist."}
	errMasterStays    = &api.MasterCannotLeaveOrganizationException{Message: "You can't remove the management account from the organization."}
)

func constraint(reason api.ConstraintViolationExceptionReason, format string, args ...any) error {
	return &api.ConstraintViolationException{Message: fmt.Sprintf(format, args...), Reason: &reason}
}

func handshakeConstraint(reason api.HandshakeConstraintViolationExceptionReason, message string) error {
	return &api.HandshakeConstraintViolationException{Message: message, Reason: &reason}
}

func invalid(reason api.InvalidInputExceptionReason, message string) error {
	return &api.InvalidInputException{Message: message, Reason: &reason}
}

func invalidPattern() error {
	return invalid(api.InvalidInputExceptionReasonInvalidPattern, "You provided a value that does not match the required pattern.")
}

func malformed(message string) error {
	return &api.MalformedPolicyDocumentException{Message: message}
}
