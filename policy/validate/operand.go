package validate

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// checkOperand looks at one value of a condition.
func (c *checker) checkOperand(x *condition, v *operand) {
	op := x.operator
	c.variablesOf(v.text, op.Type == "String" || op.Type == "Arn")
	if hasVariable(v.value) {
		return
	}
	if !op.Takes(v.value) {
		switch op.Type {
		case "Bool", "Null":
			c.at(typeMismatchBoolean, v.at, "operator", x.name)
		case "Date":
			c.at(typeMismatchDate, v.at)
		case "Numeric":
			c.at(typeMismatchNumber, v.at, "operator", x.name)
		case "IpAddress":
			c.at(typeMismatchIPRange, v.at, "operator", x.name)
		case "Binary":
			c.at(typeMismatchString, v.at, "operator", x.name)
		}
		return
	}
	switch op.Type {
	case "Date":
		if !strings.ContainsAny(v.value, "-tT") {
			c.at(invalidDateValue, v.at, "date", v.value)
		}
	case "IpAddress":
		if p, err := netip.ParsePrefix(v.value); err == nil && p.Masked() != p {
			c.at(improveIPRange, v.at, "addr", p.Masked().String())
		}
	case "String":
		if !op.Like && wildOutside(v.value) {
			c.at(wildcardWithoutLikeOperator, v.at)
		}
	}
	if !wild(v.value) && op.Type != "Null" {
		c.form(x, v)
	}
}

// form looks at values whose form their key gives.
func (c *checker) form(x *condition, v *operand) {
	switch {
	case x.is("aws:SourceVpc") && !identifier(v.value, "vpc-"):
		c.at(invalidVPCFormat, v.at)
	case x.is("aws:SourceVpce") && !identifier(v.value, "vpce-"):
		c.at(invalidVPCEFormat, v.at)
	case x.is("aws:RequestedRegion") && !c.regionKnown(v.value):
		c.at(invalidRegion, v.at, "region", v.value)
	case x.is("s3:x-amz-server-side-encryption-aws-kms-key-id") && !keyARN(v.value):
		c.at(invalidKMSKeyValue, v.at, "key", x.key)
	case x.is("kms:ViaService"):
		if !servicePrincipal(v.value) || strings.Count(strings.TrimSuffix(v.value, ".cn"), ".") < 3 {
			c.at(invalidServicePrincipalFormat, v.at, "expectedFormat", "service-name.AWS_region.amazonaws.com")
		}
	case x.is("iam:PassedToService"), x.is("iam:AWSServiceName"), x.is("aws:PrincipalServiceName"), x.is("aws:PrincipalServiceNamesList"),
		x.is("aws:CalledVia"), x.is("aws:CalledViaFirst"), x.is("aws:CalledViaLast"):
		if !servicePrincipal(v.value) {
			c.at(invalidServicePrincipalFormat, v.at, "expectedFormat", "service-name.amazonaws.com")
		}
	}
}

// identifier tells the id of a VPC or an endpoint: the prefix and 8 or 17 letters and digits.
func identifier(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	return ok && (len(rest) == 8 || len(rest) == 17) && !strings.ContainsFunc(rest, notAlphanumeric)
}

func keyARN(s string) bool {
	arn, err := aws.ParseARN(s)
	return err == nil && arn.Service == "kms" && arn.Region != "" && accountID(arn.Account) && strings.HasPrefix(arn.Resource, "key/")
}

// sensitiveKeys are the keys whose values are identities: no pattern of them has a good use.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sensitive
var sensitiveKeys = []string{
	"aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:SourceAccount",
	"aws:SourceOrgID", "aws:SourceVpc", "aws:SourceVpce", "aws:VpceAccount", "aws:VpceOrgID",
}

// checkWildcards looks at patterns of values: those of sensitive keys, and those that match anything.
func (c *checker) checkWildcards(x *condition) {
	if x.operator.Type != "String" {
		return
	}
	sensitive := slices.ContainsFunc(sensitiveKeys, x.is)
	for i := range x.values {
		v := &x.values[i]
		if sensitive && x.operator.Like && hasVariable(v.value) {
			c.at(variableUsageTooPermissive, v.at, "key", x.key)
		}
		if sensitive && x.operator.Like && wildOutside(v.value) {
			c.at(wildcardUsageTooPermissive, v.at, "key", x.key)
		}
	}
	if !x.operator.Like || !slices.ContainsFunc(x.values, func(v operand) bool { return v.value == "*" }) {
		return
	}
	op := x.operator
	k := equivalentToNullFalse // "*" matches whatever is there
	switch {
	case op.Negated && op.Set == "ForAnyValue":
		k = redundantStatementDueToWildcardInCondition
	case op.Negated:
		k = equivalentToNullTrue
	case op.IfExists || op.Set == "ForAllValues":
		k = redundantKeyDueToWildcardInCondition
	}
	c.at(k, x.at, "key", x.key, "operator", x.name, "recommendedKey", x.key)
}

// checkNumbers: of several numbers one decides.
func (c *checker) checkNumbers(x *condition) {
	if x.operator.Type != "Numeric" || len(x.values) < 2 {
		return
	}
	for i := range x.values {
		if _, err := strconv.ParseFloat(x.values[i].value, 64); err != nil {
			return
		}
	}
	switch {
	case x.operator.Greatest():
		c.at(redundantConditionValueNum, x.at, "operator", x.name, "greatest/least", "greatest", "key", x.key)
	case x.operator.Least():
		c.at(redundantConditionValueNum, x.at, "operator", x.name, "greatest/least", "least", "key", x.key)
	}
}

// checkAddresses: requests come to aws:SourceIp from public addresses alone.
func (c *checker) checkAddresses(x *condition) {
	if x.operator.Type != "IpAddress" || !x.is("aws:SourceIp") {
		return
	}
	private, public := 0, 0
	for i := range x.values {
		p, err := netip.ParsePrefix(x.values[i].value)
		if err != nil {
			a, err := netip.ParseAddr(x.values[i].value)
			if err != nil {
				return
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if within(p) {
			private++
		} else {
			public++
		}
	}
	all, some := privateIPAddress, privateIPAddressSubset
	if x.operator.Negated {
		all, some = privateNotIPAddress, privateNotIPAddressSubset
	}
	switch {
	case private > 0 && public == 0:
		c.at(all, x.at)
	case private > 0:
		c.at(some, x.at)
	}
}

// privateRanges are those of RFC 1918 and RFC 4193, and local ones.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

func within(p netip.Prefix) bool {
	return slices.ContainsFunc(privateRanges, func(r netip.Prefix) bool { return r.Bits() <= p.Bits() && r.Contains(p.Addr()) })
}
