package validate

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// check looks at one statement.
func (c *checker) check(s *statement) {
	parties := len(s.conditions) // what is compared each with each
	if s.principal != nil {
		parties += len(s.principal.items)
	}
	if !c.spend(parties * parties) {
		return
	}
	c.sid(s.sid)
	c.checkPrincipals(s)
	c.checkActions(s)
	c.checkResources(s)
	for i := range s.conditions {
		c.checkCondition(&s.conditions[i])
	}
	switch {
	case c.trust:
		c.checkTrust(s)
	case c.kind == RCP:
		c.checkRCP(s)
	case c.kind == Resource:
		c.checkServicePrincipals(s)
	}
	c.checkKeys(s)
	c.checkTags(s)
	c.checkPass(s)
}

// sid: identity-based and Organizations policies take letters and digits alone.
func (c *checker) sid(sid *text) {
	switch {
	case sid == nil:
	case sid.value == "":
		c.at(emptySIDValue, sid.at)
	case (c.kind != Resource || c.trust) && strings.ContainsFunc(sid.value, notAlphanumeric):
		c.at(unsupportedSID, sid.at)
	}
}

func notAlphanumeric(r rune) bool {
	return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
}

// Quotas of characters. IAM counts them without white space, the others with it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const (
	managedPolicySize  = 6144
	trustPolicySize    = 2048
	scpSize            = 10_240
	rcpSize            = 5120
	resourcePolicySize = 20_480 // a bucket's
)

func (c *checker) size(document []byte, root *strictjson.Node) {
	all, dense := utf8.RuneCount(document), policy.Size(document)
	here := place{span: root.At}
	over := func(k *Check, size, quota int) {
		if size > quota {
			c.at(k, here, "policySize", strconv.Itoa(size), "policySizeQuota", strconv.Itoa(quota))
		}
	}
	switch {
	case c.trust:
		over(policySizeExceedsRoleTrustPolicyQuota, dense, trustPolicySize)
	case c.kind == Identity:
		over(policySizeExceedsIdentityPolicyQuota, dense, managedPolicySize)
	case c.kind == SCP:
		over(policySizeExceedsSCPQuota, all, scpSize)
	case c.kind == RCP:
		over(policySizeExceedsRCPQuota, all, rcpSize)
	default:
		over(policySizeExceedsResourcePolicyQuota, all, resourcePolicySize)
	}
}

// between looks at what statements have in common.
func (c *checker) between(list []statement) {
	unique := uniqueSidsRecommended
	if c.kind != Resource || c.trust {
		unique = uniqueSidsRequired
	}
	sids := map[string]place{}
	same := map[string][]place{}
	var order []string
	for i := range list {
		s := &list[i]
		if s.sid != nil && s.sid.value != "" {
			if first, twice := sids[s.sid.value]; twice {
				c.say(unique, []place{first, s.sid.at})
			} else {
				sids[s.sid.value] = s.sid.at
			}
		}
		key := canonical(s.node)
		if same[key] == nil {
			order = append(order, key)
		}
		same[key] = append(same[key], s.at)
	}
	for _, key := range order {
		if len(same[key]) > 1 {
			c.say(redundantStatement, same[key])
		}
	}
}
