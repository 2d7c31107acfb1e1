package validate

import "strings"

// withoutVariables is text with a * for each policy variable, or placeholder of a format.
func withoutVariables(s string) string {
	at := strings.Index(s, "${")
	if at < 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		b.WriteString(s[:at])
		s = s[at+2:]
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return b.String() + "*"
		}
		switch s[:end] {
		case "*", "?", "$": // the character itself, which no comparison here tells from another
			b.WriteByte('?')
		default:
			b.WriteByte('*')
		}
		s = s[end+1:]
		at = strings.Index(s, "${")
	}
	return b.String() + s
}

// hasVariable tells whether text has a policy variable, other than an escape such as ${*}.
func hasVariable(s string) bool {
	for {
		at := strings.Index(s, "${")
		if at < 0 {
			return false
		}
		s = s[at+2:]
		if !strings.HasPrefix(s, "*}") && !strings.HasPrefix(s, "?}") && !strings.HasPrefix(s, "$}") {
			return true
		}
	}
}

// wildOutside tells whether text has wildcards outside of its variables.
func wildOutside(s string) bool {
	for {
		at := strings.Index(s, "${")
		if at < 0 {
			return wild(s)
		}
		if wild(s[:at]) {
			return true
		}
		end := strings.IndexByte(s[at:], '}')
		if end < 0 {
			return false
		}
		s = s[at+end+1:]
	}
}

// variablesOf looks at the policy variables of a resource or a condition's value.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (c *checker) variablesOf(t text, supported bool) {
	if !strings.Contains(t.value, "${") {
		return
	}
	if !c.variables && hasVariable(t.value) {
		c.at(variableUnsupportedInVersion, t.at)
		return
	}
	if !supported && hasVariable(t.value) {
		c.at(invalidVariableForOperator, t.at)
		return
	}
	for from := 0; ; {
		at := strings.Index(t.value[from:], "${")
		if at < 0 {
			return
		}
		start := from + at
		end := strings.IndexByte(t.value[start:], '}')
		if end < 0 {
			c.at(missingBraceInVariable, t.part(start, len(t.value)-start))
			return
		}
		if k := variableFault(t.value[start+2 : start+end]); k != nil {
			c.at(k, t.part(start, end+1))
		}
		from = start + end + 1
	}
}

// variableFault is what is wrong with what stands in the braces.
func variableFault(inside string) *Check {
	name, fallback, has := strings.Cut(inside, ",")
	fallback = strings.TrimSpace(fallback)
	switch {
	case strings.TrimSpace(inside) == "":
		return emptyVariable
	case strings.Contains(strings.TrimRight(name, " "), " ") || strings.HasSuffix(name, " "):
		return unsupportedSpaceInVariable
	case has && (len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\''):
		return missingQuoteInVariable
	}
	return nil
}
