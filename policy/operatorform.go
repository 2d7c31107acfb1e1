package policy

import "encoding/base64"

// OperatorForm is what an operator's name says.
type OperatorForm struct {
	Type     string // String, Numeric, Date, Bool, Binary, IpAddress, Arn or Null
	Negated  bool
	Like     bool // takes wildcards
	IfExists bool
	Set      string // "ForAllValues", "ForAnyValue" or ""

	operator operator
}

var operandNames = [...]string{
	textOperand: "String", foldedOperand: "String", likeOperand: "String", numberOperand: "Numeric", dateOperand: "Date",
	boolOperand: "Bool", binaryOperand: "Binary", addressOperand: "IpAddress", arnOperand: "Arn", nullOperand: "Null",
}

var setNames = [...]string{single: "", forAll: "ForAllValues", forAny: "ForAnyValue"}

// ParseOperator takes a condition operator's name apart; false: there is no such operator.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func ParseOperator(name string) (OperatorForm, bool) {
	op, ok := parseOperator(name)
	return OperatorForm{
		Type: operandNames[op.operand], Negated: op.negated, Like: op.operand == likeOperand || op.operand == arnOperand,
		IfExists: op.ifExists, Set: setNames[op.set], operator: op,
	}, ok
}

// Greatest and Least say whether one of several values decides alone: the
// greatest under "less than", the least under "greater than".
func (f OperatorForm) Greatest() bool {
	return f.operator.relation == less || f.operator.relation == lessOrEqual
}

// Least is described with Greatest.
func (f OperatorForm) Least() bool {
	return f.operator.relation == greater || f.operator.relation == greaterOrEqual
}

// Takes says whether the operator can compare with a value.
func (f OperatorForm) Takes(value string) (ok bool) {
	switch f.operator.operand {
	case numberOperand:
		_, ok = parseNumber(value)
	case dateOperand:
		_, ok = parseDate(value)
	case boolOperand, nullOperand:
		_, ok = parseBool(value)
	case addressOperand:
		_, ok = parsePrefix(value)
	case binaryOperand:
		_, err := base64.StdEncoding.DecodeString(value)
		ok = err == nil
	default:
		ok = true
	}
	return ok
}
