package s3

import (
	"net/netip"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

// blocked is the refusal of a public policy where the bucket blocks such.
var blocked = aws.Error{Kind: aws.AccessDenied, Message: "Access Denied"}

// fixing are the condition keys whose fixed values keep a statement from being public.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
var fixing = map[string]bool{
	"aws:sourcearn": true, "aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourceowner": true, "aws:sourceaccount": true,
	"aws:userid": true, "aws:principalorgid": true, "aws:principalorgpaths": true, "aws:principalarn": true, "aws:principalaccount": true,
	"aws:sourceorgid": true, "aws:sourceip": true,
	"s3:x-amz-server-side-encryption-aws-kms-key-id": true, "s3:dataaccesspointarn": true, "s3:dataaccesspointaccount": true,
}

// public tells whether a policy lets in whoever comes: a statement allows
// everybody something, and no condition holds it to fixed callers or places.
// What can't be read is taken for public.
func public(text []byte) bool {
	doc, err := policy.Read(text, policy.Resource)
	if err != nil {
		return true
	}
	for i := range doc.Statements {
		if st := &doc.Statements[i]; !st.Deny && open(st) && !fixed(st) {
			return true
		}
	}
	return false
}

// open tells whether a statement means everybody.
func open(st *policy.Statement) bool {
	if st.Principal == nil || st.NotPrincipal || st.Principal.Any {
		return true
	}
	for _, p := range st.Principal.AWS {
		if strings.ContainsAny(p, "*?") {
			return true
		}
	}
	return false
}

// fixed tells whether a condition holds a statement to fixed values.
func fixed(st *policy.Statement) bool {
	for _, c := range st.Conditions {
		operator := strings.ToLower(c.Operator)
		if !fixing[strings.ToLower(c.Key)] || strings.Contains(operator, "not") || strings.HasSuffix(operator, "ifexists") || strings.HasPrefix(operator, "forallvalues:") || operator == "null" {
			continue
		}
		all := len(c.Values) > 0
		for _, v := range c.Values {
			all = all && fixedValue(strings.ToLower(c.Key), v)
		}
		if all {
			return true
		}
	}
	return false
}

// fixedValue tells whether a condition's value is one that not everybody has: no
// pattern over all, no variable, and no network wider than a /8 (IPv4) or a /32 (IPv6).
func fixedValue(key, v string) bool {
	if strings.Contains(v, "${") {
		return false
	}
	if key != "aws:sourceip" {
		// A pattern may stand in an ARN behind what names an account.
		return !strings.ContainsAny(v, "*?") || strings.HasPrefix(v, "arn:") && fixedAccount(v)
	}
	if a, err := netip.ParseAddr(v); err == nil {
		return !a.IsUnspecified()
	}
	p, err := netip.ParsePrefix(v)
	return err == nil && (p.Addr().Is4() && p.Bits() >= 8 || p.Addr().Is6() && p.Bits() >= 32)
}

func fixedAccount(arn string) bool {
	a, err := aws.ParseARN(arn)
	return err == nil && aws.IsAccount(a.Account)
}
