package validate

import (
	"strings"

	"github.com/garrison-security/garrison/policy/reference"
)

// checkCondition looks at one condition by itself.
func (c *checker) checkCondition(x *condition) {
	key, known := c.conditionKey(x)
	c.checkSet(x, key, known)
	if known {
		c.checkType(x, key)
	}
	if len(x.values) == 0 {
		c.emptyValues(x)
		return
	}
	if x.operator.Type == "Bool" && x.list && len(x.values) > 1 {
		c.at(invalidConditionMultipleBoolean, x.at)
	}
	for i := range x.values {
		c.checkOperand(x, &x.values[i])
	}
	c.checkWildcards(x)
	c.checkNumbers(x)
	c.checkAddresses(x)
}

func (c *checker) emptyValues(x *condition) {
	k := emptyArrayCondition
	switch {
	case x.operator.Set == "ForAllValues":
		k = emptyArrayConditionForAllValues
	case x.operator.Set == "ForAnyValue":
		k = emptyArrayConditionForAnyValue
	case x.operator.IfExists:
		k = emptyArrayConditionIfExists
	}
	c.at(k, x.at, "key", x.key)
}

// conditionKey finds the key in AWS's tables; false where they don't have it.
func (c *checker) conditionKey(x *condition) (reference.Key, bool) {
	prefix, name, ok := strings.Cut(x.key, ":")
	if !ok || prefix == "" || name == "" {
		c.at(invalidConditionKeyFormat, x.keyed)
		return reference.Key{}, false
	}
	if key, ok := reference.Global(x.key); ok {
		return key, true
	}
	for _, tag := range []string{"aws:ResourceTag", "aws:RequestTag", "aws:PrincipalTag"} {
		if x.is(tag) || x.is(tag+"/") {
			c.at(missingTagKeyInCondition, x.keyed, "conditionKeyName", tag+"/")
			return reference.Key{}, false
		}
	}
	switch {
	case x.is("aws:ARN"):
		c.at(unsupportedGlobalConditionKey, x.keyed)
		return reference.Key{}, false
	case strings.EqualFold(prefix, "aws"):
		c.at(invalidGlobalConditionKey, x.keyed, "key", x.key)
		return reference.Key{}, false
	}
	if service := reference.Find(strings.ToLower(prefix)); service != nil {
		key, known := service.Key(x.key)
		if !known && !c.keyKnown("sts", x.key) {
			c.at(invalidServiceConditionKey, x.keyed, "key", x.key, "service", prefix)
		}
		return key, known
	}
	if key, ok := reference.Find("sts").Key(x.key); ok || strings.Contains(prefix, ".") || strings.EqualFold(prefix, "saml") {
		return key, ok // a provider's, which may have keys of its own
	}
	c.at(invalidService, x.keyed, "service", prefix)
	return reference.Key{}, false
}

// checkSet looks at ForAllValues and ForAnyValue.
func (c *checker) checkSet(x *condition, key reference.Key, known bool) {
	op := x.operator
	audience := strings.HasSuffix(strings.ToLower(x.key), ":aud")
	switch {
	case op.Type == "Null":
		if op.Set != "" {
			c.at(nullWithQualifier, x.named)
		}
	case audience && op.Set == "ForAnyValue":
		c.at(forAnyValueWithAudienceClaimType, x.at, "key", x.key)
	case audience && op.Set == "ForAllValues":
		c.at(confirmAudienceClaimType, x.at, "key", x.key, "audienceType", "audience")
	case !known:
	case key.MultiValued() && op.Set == "":
		c.at(missingQualifier, x.at, "key", x.key)
	case !key.MultiValued() && op.Set == "ForAllValues":
		c.at(forAllValuesWithSingleValuedKey, x.at, "key", x.key)
	}
}

// operatorsFor are the types of operators that a type of key is compared with, the proper one first.
var operatorsFor = map[string][]string{
	"String": {"String", "Binary"}, "ARN": {"Arn", "String"}, "Bool": {"Bool"}, "Numeric": {"Numeric"},
	"Date": {"Date", "Numeric"}, "IPAddress": {"IpAddress"},
}

// allowedNames are how findings name the types of operators.
var allowedNames = map[string]string{"String": "String", "ARN": "ARN", "Bool": "Boolean", "Numeric": "Numeric", "Date": "Date", "IPAddress": "IP Address"}

func (c *checker) checkType(x *condition, key reference.Key) {
	allowed := operatorsFor[key.ElementType()]
	if x.operator.Type == "Null" || allowed == nil {
		return
	}
	fits := x.operator.Type == "Arn" && strings.Contains(key.Name, "${") // a tag or an encryption context may hold an ARN
	for _, t := range allowed {
		fits = fits || t == x.operator.Type
	}
	switch {
	case !fits:
		c.at(typeMismatch, x.at, "allowed", allowedNames[key.ElementType()], "operator", x.name, "key", x.key)
	case key.ElementType() == "ARN" && x.operator.Type == "String" && x.operator.Like:
		c.at(stringLikeOperatorWithARNConditionKeys, x.at, "allowed", "ArnLike", "operator", x.name, "key", x.key)
	}
}
