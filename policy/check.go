package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	errPrincipal   = &Malformed{Message: "Policy document should not specify a principal."}
	errNoPrincipal = &Malformed{Message: "Missing required field Principal"}
	errVersion     = &Malformed{Message: "Policy document must be version 2012-10-17 or greater."}
	errSidUnique   = &Malformed{Message: "Statement IDs (SID) in a single policy must be unique."}
	errSidText     = &Malformed{Message: "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"}
	errNoAction    = &Malformed{Message: "Policy statement must contain actions."}
	errNoResource  = &Malformed{Message: "Policy statement must contain resources."}
	errVendor      = &Malformed{Message: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."}
	errColons      = &Malformed{Message: "Actions/Condition can contain only one colon."}
	errTrustAction = &Malformed{Message: "AssumeRole policy may only specify STS AssumeRole actions."}
	errNotAllow    = &Malformed{Message: "Allow with NotPrincipal is not allowed."}
)

// at is a refusal at the statement's place.
func (s *Statement) at(err error) error {
	bad, ok := errors.AsType[*Malformed](err)
	if !ok {
		return err
	}
	placed := *bad
	placed.Offset = s.Offset
	return &placed
}

func prohibited(field string) error { return &Malformed{Message: "Has prohibited field " + field} }

// check refuses what can be evaluated but IAM does not store. Errors come in
// IAM's order: shapes of dates and resources, Sids, actions, resources, then
// the policy type's own rules.
func (d *Document) check() error {
	var resourceErr error // weighs less than what lies between
	for i := range d.Statements {
		if !validDates(d.Statements[i].Conditions) {
			return d.Statements[i].at(errLegacy)
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		resourceErr = cmp.Or(s.at(checkResources(s.Resources)), resourceErr)
		if resourceErr == nil && slices.ContainsFunc(s.Resources, malformedARN) {
			return s.at(errLegacy)
		}
	}
	if err := d.checkSids(); err != nil {
		return err
	}
	for i := range d.Statements {
		if len(d.Statements[i].Actions) == 0 {
			return d.Statements[i].at(errNoAction)
		}
	}
	if resourceErr != nil {
		return resourceErr
	}
	for i := range d.Statements {
		if err := checkActions(d.Statements[i].Actions); err != nil {
			return d.Statements[i].at(err)
		}
	}
	for i := range d.Statements {
		if err := d.checkStatement(&d.Statements[i]); err != nil {
			return d.Statements[i].at(err)
		}
	}
	return nil
}

func validDates(conditions []Condition) bool {
	for _, c := range conditions {
		if op, _ := parseOperator(c.Operator); op.operand != dateOperand {
			continue
		}
		for _, v := range c.Values {
			if _, ok := parseDate(v); !ok {
				return false
			}
		}
	}
	return true
}

// malformedARN tells the ARNs that fail what IAM calls legacy parsing.
func malformedARN(s string) bool {
	parts := strings.Split(s, ":")
	return len(parts) > 2 && (len(parts) < 6 && strings.Contains(s, "::") || parts[2] == "")
}

func (d *Document) checkSids() error {
	seen := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Sid != "" && seen[s.Sid] {
			return s.at(errSidUnique)
		}
		seen[s.Sid] = true
		if d.Kind != Resource && d.Kind != Endpoint && strings.ContainsFunc(s.Sid, notAlphanumeric) {
			return s.at(errSidText)
		}
	}
	return nil
}

func notAlphanumeric(c rune) bool {
	return !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z')
}

func checkActions(actions []string) error {
	for _, a := range actions {
		vendor, name, ok := strings.Cut(a, ":")
		switch {
		case a == "*":
		case !ok:
			return errVendor
		case strings.Contains(name, ":"):
			return errColons
		case vendor != "*" && (vendor == "" || strings.ContainsFunc(vendor, func(c rune) bool { return notAlphanumeric(c) && c != '-' && c != '.' })):
			return &Malformed{Message: fmt.Sprintf("Vendor %s is not valid", vendor)}
		}
	}
	return nil
}

var partitions = []string{"*", "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

// iamPaths are the types of resource that IAM has.
var iamPaths = []string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// s3Regional are the types of S3 resource that belong to a Region.
var s3Regional = []string{"accesspoint/", "access-grants/", "async-request/", "job/", "storage-lens/", "storage-lens-group/"}

func hasAnyPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

func checkResources(resources []string) error {
	for _, r := range slices.Sorted(slices.Values(resources)) {
		if r == "*" {
			continue
		}
		parts := strings.SplitN(r, ":", 6)
		if len(parts) < 2 {
			return &Malformed{Message: fmt.Sprintf("Resource %s must be in ARN format or \"*\".", r)}
		}
		for len(parts) < 6 {
			parts = append(parts, "*")
		}
		if !slices.Contains(partitions, parts[1]) {
			return &Malformed{Message: fmt.Sprintf("Partition \"%s\" is not valid for resource \"arn:%s\".", parts[1], strings.Join(parts[1:], ":"))}
		}
		if strings.Count(r, ":") < 2 || strings.ContainsAny(parts[2], "*?") {
			return &Malformed{Message: "Resource vendor must be fully qualified and cannot contain regexes."}
		}
		if err := checkResourceParts(r, parts); err != nil {
			return err
		}
	}
	return nil
}

// checkResourceParts checks what IAM knows of its own ARNs and of S3's.
func checkResourceParts(r string, parts []string) error {
	service, region, rest := parts[2], parts[3], parts[5]
	if region != "" && strings.Count(r, ":") > 2 {
		switch {
		case service == "iam":
			return &Malformed{Message: fmt.Sprintf("IAM resource %s cannot contain region information.", r)}
		case service == "s3" && !hasAnyPrefix(rest, s3Regional):
			return &Malformed{Message: fmt.Sprintf("Resource %s can not contain region information.", r)}
		}
	}
	if service != "iam" || rest == "*" || rest == "root" {
		return nil
	}
	if hasAnyPrefix(rest, iamPaths) {
		return nil
	}
	return &Malformed{Message: "IAM resource path must either be \"*\" or start with " + strings.Join(iamPaths, ", ") + "."}
}

func (d *Document) checkStatement(s *Statement) error {
	switch d.Kind {
	case Trust:
		if s.Resources != nil {
			return prohibited("Resource")
		}
		if !assumes(s) {
			return errTrustAction
		}
	case Resource: // some services' policies have no Resource: the resource is the policy's own
		if s.Resources != nil && len(s.Resources) == 0 {
			return errNoResource
		}
	default:
		if len(s.Resources) == 0 {
			return errNoResource
		}
	}
	switch d.Kind {
	case Trust, Resource, RCP:
		return s.checkPrincipal()
	}
	return nil
}

// assumes tells whether a statement has actions of STS alone, as a trust policy must.
func assumes(s *Statement) bool {
	return !s.NotAction && !slices.ContainsFunc(s.Actions, func(a string) bool {
		return len(a) < 5 || !strings.EqualFold(a[:4], "sts:")
	})
}

func (s *Statement) checkPrincipal() error {
	p := s.Principal
	if p == nil || !p.Any && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.Canonical) == 0 {
		return errNoPrincipal
	}
	if s.NotPrincipal && !s.Deny {
		return errNotAllow
	}
	for _, kind := range [...]struct {
		name   string
		values []string
		valid  func(string) bool
	}{
		{"AWS", p.AWS, validAWSPrincipal},
		{"SERVICE", p.Service, validName},
		{"FEDERATED", p.Federated, validName},
		{"CANONICAL_USER", p.Canonical, validName},
	} {
		for _, v := range kind.values {
			if !kind.valid(v) {
				return &Malformed{Message: fmt.Sprintf("Invalid principal in policy: \"%s\":\"%s\"", kind.name, v)}
			}
		}
	}
	return nil
}

func validName(s string) bool { return s != "" && !strings.ContainsAny(s, "*? \t\r\n") }
