package aws

import (
	"errors"
	"strings"
)

// ARN is an Amazon Resource Name, in its six parts. Resource is everything
// after the fifth colon and may itself hold colons and slashes.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ErrNotARN is what ParseARN answers for text that is not six parts starting with "arn".
var ErrNotARN = errors.New("not an ARN")

// ParseARN splits s. It checks the form alone, not that partition, service or
// account exist.
func ParseARN(s string) (ARN, error) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return ARN{}, ErrNotARN
	}
	var parts [4]string
	for i := range parts {
		if parts[i], rest, ok = strings.Cut(rest, ":"); !ok {
			return ARN{}, ErrNotARN
		}
	}
	if parts[0] == "" || parts[1] == "" || rest == "" {
		return ARN{}, ErrNotARN
	}
	return ARN{parts[0], parts[1], parts[2], parts[3], rest}, nil
}

// String joins the parts again; ParseARN(a.String()) == a.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}
