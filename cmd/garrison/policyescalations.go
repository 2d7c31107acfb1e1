package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/garrison-security/garrison/policy/estate"
)

// PolicyEscalationsCmd lists who can raise its own rights, in exported accounts.
type PolicyEscalationsCmd struct {
	Estate     string   `required:"" placeholder:"DIR" help:"The folder of the exported accounts, as policy who reads it."`
	Principals []string `name:"principal" sep:"none" placeholder:"ARN" help:"Look at this user or role only; may be given several times."`
	To         string   `enum:"any,administrator" default:"any" help:"What a way must lead to: ${enum}. Any is also another user's or role's rights."`
	Context    []string `short:"c" sep:"none" placeholder:"KEY=VALUE" help:"A condition key that holds for every call: KEY=VALUE, or KEY=[\"VALUE\",…] for a multivalued one."`
	JSON       bool     `name:"json" xor:"format" help:"Print JSON."`
	SARIF      bool     `name:"sarif" xor:"format" help:"Print SARIF 2.1.0, for code scanning."`
	JUnit      bool     `name:"junit" xor:"format" help:"Print JUnit's XML, for test reports."`
}

// Help says what is found, and the exit status.
func (PolicyEscalationsCmd) Help() string {
	return `Walks the published paths to more rights (pathfinding.cloud's 65) for every user and role of exported accounts: who becomes an
administrator, or gets another user's or role's rights, directly or in several steps; what allows each step, and the smallest
change that closes the way. docs/policy-testing.md says what an administrator is, and what is taken to exist.
The exit status is 0 if there is no way, 1 if there is one, 2 if the folder can't be read.`
}

// Run implements the subcommand.
func (c *PolicyEscalationsCmd) Run(out streams) error {
	ask := estate.Hunt{Principals: c.Principals, AdministratorsOnly: c.To == estate.Administrator}
	for _, pair := range c.Context {
		key, err := contextKey(pair)
		if err != nil {
			return usageError{err}
		}
		ask.Context = append(ask.Context, key)
	}
	files, err := readEstate(c.Estate)
	if err != nil {
		return badInput{err}
	}
	e, err := estate.New(files)
	if err != nil {
		return badInput{err}
	}
	found, err := e.Escalations(&ask)
	if err != nil {
		return badInput{err}
	}
	if err := c.print(out.out, e, found); err != nil {
		return badInput{err}
	}
	if len(found) > 0 {
		return fmt.Errorf("%d ways to more rights", len(found))
	}
	return nil
}

func (c *PolicyEscalationsCmd) print(to io.Writer, e *estate.Estate, found []*estate.Escalation) error {
	switch {
	case c.JSON:
		return writeJSON(to, found)
	case c.SARIF:
		return writeJSON(to, c.sarif(e, found))
	case c.JUnit:
		return writeJUnit(to, c.junit(found))
	}
	p := paintFor(to)
	for i, f := range found {
		if i == 0 || found[i-1].Principal != f.Principal {
			fmt.Fprintf(to, "%s\n", printable(f.Principal))
		}
		goal := printable(goalOf(f))
		if f.To == estate.Administrator {
			goal = p.bad(goal)
		}
		fmt.Fprintf(to, "   becomes %s\n", goal)
		for k := range f.Steps {
			s := &f.Steps[k]
			fmt.Fprintf(to, "      %s\n", printable(stepWords(f, s)))
			for j := range s.Permissions {
				fmt.Fprintf(to, "         %s\n", p.faint(printable(permissionWords(&s.Permissions[j]))))
			}
		}
		if f.Change != nil {
			fmt.Fprintf(to, "      to close it: %s\n", printable(changeWords(f.Change)))
		}
	}
	return nil
}

// goalOf is what a way leads to.
func goalOf(f *estate.Escalation) string {
	if f.To == estate.Administrator {
		return "administrator of " + f.Account
	}
	return f.To
}

func stepWords(f *estate.Escalation, s *estate.Step) string {
	text := s.Path + " (" + s.Name + ")"
	if s.Principal != f.Principal {
		text = "then " + text
	}
	text += " on " + s.Target
	if s.Service != "" {
		text += " through " + s.Service + ", " + s.Workload
	}
	if s.Assumed {
		text += ", if one runs as it"
	}
	return text
}

func permissionWords(p *estate.Permission) string {
	text := fmt.Sprintf("%s on %s: %s", p.Action, p.Resource, p.DecidedBy)
	if p.Policy != "" {
		text += ", " + p.Policy
	}
	if p.Statement != nil {
		text += fmt.Sprintf(", statement %d", *p.Statement)
	}
	return text
}

func changeWords(c *estate.Change) string {
	var places []string
	for _, p := range c.Statements {
		if p.Managed {
			places = append(places, fmt.Sprintf("detach %s from %s", p.Policy, p.Holder))
			continue
		}
		places = append(places, fmt.Sprintf("take %s out of statement %d of %s", c.Action, p.Statement, p.Policy))
	}
	return strings.Join(places, ", and ")
}

// escalationWords is a way in one line.
func escalationWords(f *estate.Escalation) string {
	var steps []string
	for i := range f.Steps {
		steps = append(steps, stepWords(f, &f.Steps[i]))
	}
	text := f.Principal + " becomes " + goalOf(f) + ": " + strings.Join(steps, ", ")
	if f.Change != nil {
		text += ". To close it, " + changeWords(f.Change)
	}
	return text + "."
}

// sarif is a log with a result a way, where its change is to be made.
func (c *PolicyEscalationsCmd) sarif(e *estate.Estate, found []*estate.Escalation) sarifLog {
	run := newSARIF("garrison policy escalations")
	for _, f := range found {
		s := &f.Steps[0]
		at := estate.Place{Policy: s.Permissions[0].Policy}
		if s.Permissions[0].Statement != nil {
			at.Statement = *s.Permissions[0].Statement
		}
		if f.Change != nil {
			at = f.Change.Statements[0]
		}
		file, line := e.Locate(at.Policy, at.Statement)
		level := "warning"
		if f.To == estate.Administrator {
			level = "error"
		}
		run.add(sarifResult{RuleID: s.Path, Level: level, Message: sarifText{escalationWords(f)}, Locations: []sarifLocation{sarifAt(c.Estate, file, line)}},
			"https://pathfinding.cloud/paths/"+s.Path)
	}
	return run.log()
}

// junit is a suite with a failure a way; a case that passes if there is none.
func (c *PolicyEscalationsCmd) junit(found []*estate.Escalation) []junitSuite {
	suite := junitSuite{Name: c.Estate, Failures: len(found)}
	for _, f := range found {
		suite.Cases = append(suite.Cases, junitCase{
			ClassName: f.Principal, Name: f.Steps[0].Path + " to " + goalOf(f),
			Failure: &junitFailure{f.Steps[0].Path, goalOf(f), escalationWords(f)},
		})
	}
	if len(found) == 0 {
		suite.Cases = []junitCase{{ClassName: c.Estate, Name: "no way to more rights"}}
	}
	suite.Tests = len(suite.Cases)
	return []junitSuite{suite}
}
