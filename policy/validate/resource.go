package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy/reference"
)

func (c *checker) checkResources(s *statement) {
	if s.resource == nil {
		return
	}
	for _, r := range s.resource.items {
		c.variablesOf(r, true)
		if r.value != "*" {
			c.arn(r)
		}
	}
	c.redundantResources(s.resource)
}

const arnFields = 6

// arn looks at an ARN, or a pattern of some.
func (c *checker) arn(r text) {
	value := withoutVariables(r.value)
	part := strings.SplitN(value, ":", arnFields)
	switch {
	case part[0] != "arn":
		if wild(part[0]) && c.meets(part[0], "arn") {
			return
		}
		c.at(invalidARNPrefix, r.at)
		return
	case len(part) < arnFields && !strings.HasSuffix(value, "*"):
		c.at(missingARNField, r.at, "fields", "6")
		return
	case len(part) < arnFields:
		return // the rest is anything
	}
	partition, service, region, account := part[1], part[2], part[3], part[4]
	if wild(service) {
		if service != "*" {
			c.at(wildcardInServiceName, r.at)
		}
		return
	}
	if low := strings.ToLower(service); low != service && len(reference.Namespace(low)) > 0 {
		c.at(invalidARNServiceCase, r.at, "service", service)
		return
	}
	if !wild(partition) && !slices.Contains(partitions, partition) {
		c.at(invalidPartition, r.at, "service", service, "partition", partition, "partitions", strings.Join(partitions, ", "))
	}
	if account != "" && account != "aws" && !wild(account) && !accountID(account) {
		c.at(invalidARNAccount, r.at, "account", account)
	}
	if region != "" && !c.regionKnown(region) {
		c.at(invalidARNRegion, r.at, "region", region)
	}
	types := reference.Namespace(service)
	if types == nil {
		if reference.Find(service) == nil {
			c.at(invalidService, r.at, "service", service)
		}
		return
	}
	c.format(r, types, service, region, account, part[5])
	if !c.attachedARN(service) {
		c.at(unsupportedResourceARNInPolicy, r.at, "resourceType", c.of)
	}
}

// partitions are AWS's.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"}

func accountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// regionKnown tells whether a Region exists, or one that the pattern matches.
// The Regions of the isolated partitions are told by their shape.
func (c *checker) regionKnown(region string) bool {
	for _, p := range partitions {
		if slices.ContainsFunc(aws.Regions(p), func(r string) bool { return c.covers(region, r, false) }) {
			return true
		}
	}
	return wild(region) || strings.Contains(region, "-iso") || region == "aws-global"
}

// unlisted are resources that the reference leaves out: API Gateway's HTTP
// APIs and tags, CloudFormation's transforms, Systems Manager's documents
// that are AWS's own (their ARNs have no account).
var unlisted = map[string][]string{
	"apigateway": {"/v2/*", "/tags*"}, "cloudformation": {"transform/*"}, "ssm": {"document/*", "automation-definition/*"},
}

// format compares an ARN with the formats of a service's types of resource.
func (c *checker) format(r text, types []reference.Resource, service, region, account, rest string) {
	if slices.ContainsFunc(unlisted[service], func(p string) bool { return c.meets(rest, p) }) {
		return
	}
	var near []reference.Resource
	for _, t := range types {
		if part := strings.SplitN(withoutVariables(t.ARN), ":", arnFields); c.meets(rest, part[5]) {
			near = append(near, t)
		}
	}
	if len(near) == 0 || rest == "" {
		if c.left >= 0 {
			c.at(invalidARNResource, r.at)
		}
		return
	}
	field := func(t reference.Resource, i int) string { return strings.SplitN(t.ARN, ":", arnFields)[i] }
	every := func(i int, empty bool) bool {
		return !slices.ContainsFunc(near, func(t reference.Resource) bool { return (field(t, i) == "") != empty })
	}
	switch regionless := every(3, true); {
	case region != "" && region != "*" && regionless:
		c.at(arnRegionNotAllowed, r.at, "service", service)
	case region == "" && every(3, false):
		c.at(missingARNRegion, r.at, "service", service)
	}
	switch accountless := every(4, true); {
	case account != "" && account != "*" && accountless:
		c.at(arnAccountNotAllowed, r.at, "service", service)
	case account == "" && every(4, false):
		c.at(missingARNAccount, r.at, "resourceName", near[0].Type)
	}
}

// attachedARN tells whether the policy of the type of resource can speak of ARNs of a service.
func (c *checker) attachedARN(service string) bool {
	if c.kind != Resource {
		return true
	}
	switch c.of {
	case Bucket, AccessPoint, MultiRegionPoint:
		return service == "s3"
	case ObjectLambdaPoint:
		return service == "s3-object-lambda"
	case DynamoDBTable:
		return service == "dynamodb"
	}
	return true
}
