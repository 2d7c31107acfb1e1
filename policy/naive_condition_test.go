package policy

import (
	"encoding/base64"
	"math/big"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Conditions of the second evaluator; see naive_test.go.

func (c *naiveCase) holds(d *Document, cond Condition) bool {
	name := cond.Operator
	name, all := strings.CutPrefix(name, "ForAllValues:")
	name, some := strings.CutPrefix(name, "ForAnyValue:")
	name, ifExists := strings.CutSuffix(name, "IfExists")
	v, present := c.context[strings.ToLower(cond.Key)]
	if name == "Null" {
		null := !present || len(v.text) == 0
		return slices.ContainsFunc(cond.Values, func(w string) bool { return strings.EqualFold(w, strconv.FormatBool(null)) })
	}
	positive := strings.Replace(name, "Not", "", 1)
	negated := positive != name
	one := func(text string) bool {
		match := slices.ContainsFunc(cond.Values, func(want string) bool { return c.equals(d, positive, want, text) })
		return match != negated
	}
	noData := len(v.text) == 0 || len(v.text) == 1 && v.text[0] == ""
	switch {
	case !present && ifExists:
		return true
	case all:
		return !present || noData || !slices.ContainsFunc(v.text, func(t string) bool { return !one(t) })
	case some:
		return present && !noData && slices.ContainsFunc(v.text, one)
	case !present:
		return negated
	case v.list:
		return false
	}
	return one(v.text[0])
}

// equals compares one value of the request with one of the policy, under an operator that is not negated.
func (c *naiveCase) equals(d *Document, operator, want, got string) bool {
	expr, known := c.expression(d, want, operator == "StringLike" || operator == "ArnLike" || operator == "ArnEquals")
	switch operator {
	case "StringEquals", "StringLike":
		return known && naiveMatch(expr, got)
	case "StringEqualsIgnoreCase":
		return known && naiveMatch(`(?i:`+expr+`)`, got)
	case "Bool":
		return known && naiveMatch(`(?i:`+expr+`)`, got) && naiveMatch(`(?i:true|false)`, got)
	case "ArnEquals", "ArnLike":
		return known && c.arnEquals(d, want, got)
	case "IpAddress":
		return naiveIP(want, got)
	case "BinaryEquals":
		w, err1 := base64.StdEncoding.DecodeString(want)
		g, err2 := base64.StdEncoding.DecodeString(got)
		return err1 == nil && err2 == nil && string(w) == string(g)
	}
	order, ok := 0, false
	relation, isDate := strings.CutPrefix(operator, "Date")
	if isDate {
		w, ok1 := naiveDate(want)
		g, ok2 := naiveDate(got)
		order, ok = g.Compare(w), ok1 && ok2
	} else {
		relation = strings.TrimPrefix(operator, "Numeric")
		w, ok1 := new(big.Rat).SetString(want)
		g, ok2 := new(big.Rat).SetString(got)
		if ok = ok1 && ok2; ok {
			order = g.Cmp(w)
		}
	}
	return ok && map[string]bool{"Equals": order == 0, "LessThan": order < 0, "LessThanEquals": order <= 0,
		"GreaterThan": order > 0, "GreaterThanEquals": order >= 0}[relation]
}

// arnEquals puts the variables' values in, then compares the six parts.
func (c *naiveCase) arnEquals(d *Document, want, got string) bool {
	if d.Version == "2012-10-17" {
		want = naiveVariable.ReplaceAllStringFunc(want, func(v string) string {
			expr, _ := c.expression(d, v, true)
			return strings.NewReplacer("*", "\x01", "?", "\x02").Replace(strings.ReplaceAll(expr, `\`, ""))
		})
	}
	w, g := strings.SplitN(want, ":", 6), strings.SplitN(got, ":", 6)
	if len(w) < 6 || len(g) < 6 {
		return false
	}
	for i := range w {
		expr := strings.NewReplacer("\x01", `\*`, "\x02", `\?`).Replace(naiveGlob(w[i], ".*", "."))
		if !naiveMatch(expr, g[i]) {
			return false
		}
	}
	return true
}

func naiveIP(want, got string) bool {
	g := net.ParseIP(got)
	if !strings.Contains(want, "/") {
		w := net.ParseIP(want)
		return w != nil && g != nil && w.Equal(g)
	}
	_, n, err := net.ParseCIDR(want)
	return err == nil && g != nil && (g.To4() != nil) == (len(n.IP) == net.IPv4len) && n.Contains(g)
}

func naiveDate(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return time.Unix(n, 0), true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
