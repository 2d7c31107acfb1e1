package policy

import "strings"

// operand is what an operator compares; the zero operand is none.
type operand uint8

const (
	textOperand operand = iota + 1
	foldedOperand
	likeOperand
	numberOperand
	dateOperand
	boolOperand
	binaryOperand
	addressOperand
	arnOperand
	nullOperand
)

// relation is how a number or date must stand to the policy's.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// quantifier is the set operator before an operator.
type quantifier uint8

const (
	single quantifier = iota
	forAll
	forAny
)

// operator is a condition operator, taken apart.
type operator struct {
	operand  operand
	relation relation
	negated  bool
	ifExists bool
	set      quantifier
}

// operators are the 27 names without prefix and suffix.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]operator{
	"StringEquals":              {operand: textOperand},
	"StringNotEquals":           {operand: textOperand, negated: true},
	"StringEqualsIgnoreCase":    {operand: foldedOperand},
	"StringNotEqualsIgnoreCase": {operand: foldedOperand, negated: true},
	"StringLike":                {operand: likeOperand},
	"StringNotLike":             {operand: likeOperand, negated: true},
	"NumericEquals":             {operand: numberOperand},
	"NumericNotEquals":          {operand: numberOperand, negated: true},
	"NumericLessThan":           {operand: numberOperand, relation: less},
	"NumericLessThanEquals":     {operand: numberOperand, relation: lessOrEqual},
	"NumericGreaterThan":        {operand: numberOperand, relation: greater},
	"NumericGreaterThanEquals":  {operand: numberOperand, relation: greaterOrEqual},
	"DateEquals":                {operand: dateOperand},
	"DateNotEquals":             {operand: dateOperand, negated: true},
	"DateLessThan":              {operand: dateOperand, relation: less},
	"DateLessThanEquals":        {operand: dateOperand, relation: lessOrEqual},
	"DateGreaterThan":           {operand: dateOperand, relation: greater},
	"DateGreaterThanEquals":     {operand: dateOperand, relation: greaterOrEqual},
	"Bool":                      {operand: boolOperand},
	"BinaryEquals":              {operand: binaryOperand},
	"IpAddress":                 {operand: addressOperand},
	"NotIpAddress":              {operand: addressOperand, negated: true},
	"ArnEquals":                 {operand: arnOperand},
	"ArnLike":                   {operand: arnOperand},
	"ArnNotEquals":              {operand: arnOperand, negated: true},
	"ArnNotLike":                {operand: arnOperand, negated: true},
	"Null":                      {operand: nullOperand},
}

// parseOperator takes an operator's name apart. IfExists after Null is no operator.
func parseOperator(name string) (operator, bool) {
	set := single
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, set = rest, forAll
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, set = rest, forAny
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	op, ok := operators[name]
	op.set, op.ifExists = set, ifExists
	return op, ok && !(ifExists && op.operand == nullOperand)
}
