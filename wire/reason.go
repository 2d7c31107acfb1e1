package wire

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// reason is why Organizations refuses a value: the Reason of its
// InvalidInputException, and the message beside it. It tells of the first
// broken constraint alone, and names neither member nor value.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html#API_CreatePolicy_Errors
type reason struct{ name, message string }

var (
	inputRequired  = reason{"INPUT_REQUIRED", "You must include a value for all required parameters."}
	invalidPattern = reason{"INVALID_PATTERN", "You provided a value that does not match the required pattern."}
)

// reasons are those of the rules that begin so.
var reasons = []struct {
	rule string
	reason
}{
	{"Member must satisfy regular expression", invalidPattern},
	{"Member must satisfy enum", reason{"INVALID_ENUM", "You specified an invalid value."}},
	{atMostLength, reason{"MAX_LENGTH_EXCEEDED", "You provided a string parameter that is longer than allowed."}},
	{atLeastLength, reason{"MIN_LENGTH_EXCEEDED", "You provided a string parameter that is shorter than allowed."}},
	{atMostValue, reason{"MAX_VALUE_EXCEEDED", "You provided a numeric parameter that has a larger value than allowed."}},
	{atLeastValue, reason{"MIN_VALUE_EXCEEDED", "You provided a numeric parameter that has a smaller value than allowed."}},
}

// idReasons are those of ids that do not match their patterns.
var idReasons = map[string]reason{
	"PolicyId":       {"INVALID_SYNTAX_POLICY_ID", "You specified an invalid value."},
	"PolicyTargetId": {"INVALID_PATTERN_TARGET_ID", "You specified an invalid value."},
}

func reasonOf(p *Plan, rule string) reason {
	for _, r := range reasons {
		if strings.HasPrefix(rule, r.rule) {
			if own, ok := idReasons[p.Shape.Name]; ok && r.reason == invalidPattern {
				return own
			}
			return r.reason
		}
	}
	return reason{"INVALID_LIST_MEMBER", "You provided a list to a parameter that contains at least one invalid value."}
}

// note keeps the first reason.
func (c *checker) note(r reason) {
	if c.n++; c.n == 1 {
		c.reason = r
	}
}

func (r reason) err() error {
	return &aws.Error{Kind: aws.Custom, Code: "InvalidInputException", Message: r.message, Fields: []aws.Field{{Name: "Reason", Value: r.name}}}
}
