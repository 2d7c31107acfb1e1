package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/garrison-security/garrison/policy/scenario"
)

// explanation prints a verdict as a tree.
type explanation struct {
	to io.Writer
	paint
}

func (e explanation) print(v *scenario.Verdict) {
	word := e.bad(v.Decision)
	if v.Decision == scenario.Allowed {
		word = e.good(v.Decision)
	}
	fmt.Fprintf(e.to, "%s by %s\n", word, strings.TrimPrefix(decidedWords(v), v.Decision+" by "))
	if v.Message != "" {
		fmt.Fprintf(e.to, "%s\n", printable(v.Message))
	}
	for i := range v.Policies {
		p := &v.Policies[i]
		kind := p.Type
		if p.Level != nil {
			kind = fmt.Sprintf("%s of level %d", kind, *p.Level)
		}
		fmt.Fprintf(e.to, "%s %s (%s): %s\n", branch(i, len(v.Policies)), printable(p.Name), kind, e.outcome(p.Outcome))
		for k := range p.Statements {
			e.statement(stem(i, len(v.Policies)), branch(k, len(p.Statements)), &p.Statements[k])
		}
	}
	for _, place := range v.Change {
		fmt.Fprintf(e.to, "to change: statement %d of %s\n", place.Statement, printable(place.Policy))
	}
}

func (e explanation) outcome(word string) string {
	switch word {
	case "denies":
		return e.bad(word)
	case "allows":
		return e.good(word)
	}
	return e.faint(word)
}

func (e explanation) statement(stem, branch string, s *scenario.ExplainedStatement) {
	name := fmt.Sprintf("statement %d", s.Index)
	if s.Sid != "" {
		name += " " + printable(s.Sid)
	}
	verdict := "matches"
	if !s.Matched {
		verdict = e.faint("does not match")
	} else if s.Effect == "Allow" && s.ByAccount {
		verdict += ", by the account alone"
	}
	fmt.Fprintf(e.to, "%s%s %s, line %d: %s %s\n", stem, branch, name, s.Line, s.Effect, verdict)
	under := stem + "│     "
	if branch == lastBranch {
		under = stem + "      "
	}
	for i := range s.Because {
		fmt.Fprintf(e.to, "%s%s\n", under, printable(mismatchWords(&s.Because[i])))
	}
}

// mismatchWords says what the policy wants and what the request has.
func mismatchWords(m *scenario.Mismatch) string {
	want := list(m.Policy)
	switch {
	case m.Resolved != nil && len(m.Resolved) == 0:
		want += " (a variable without a value)"
	case m.Resolved != nil:
		want += " (" + list(m.Resolved) + ")"
	}
	if m.Element != "Condition" {
		return fmt.Sprintf("%s is %s; the request has %s", m.Element, want, list(m.Request))
	}
	given := "lacks it"
	switch {
	case m.Request != nil && len(m.Request) == 0:
		given = "has it without a value"
	case m.Request != nil:
		given = "has " + list(m.Request)
	}
	return fmt.Sprintf("%s %s is %s; the request %s", m.Operator, m.Key, want, given)
}

// list shows the first of many values.
func list(values []string) string {
	const most = 5
	if len(values) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:most], ", "), len(values)-most)
	}
	return strings.Join(values, ", ")
}

const lastBranch = "└─"

func branch(i, n int) string {
	if i == n-1 {
		return lastBranch
	}
	return "├─"
}

func stem(i, n int) string {
	if i == n-1 {
		return "   "
	}
	return "│  "
}
