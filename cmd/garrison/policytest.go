package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/garrison-security/garrison/policy/expect"
	"github.com/garrison-security/garrison/policy/scenario"
)

// PolicyTestCmd runs expectation files.
type PolicyTestCmd struct {
	Root   string   `default:"." help:"The folder below which all policies lie; paths in the files start here."`
	Strict bool     `help:"A statement that no test exercised is a failure, too."`
	JSON   bool     `name:"json" help:"Print JSON."`
	Files  []string `arg:"" name:"file" help:"Expectation files."`
}

// Help tells the exit status.
func (PolicyTestCmd) Help() string {
	return "The exit status is 0 if all is as expected, 1 if not. docs/policy-testing.md says what the files hold."
}

// testedFile is what came of a file.
type testedFile struct {
	File string `json:"file"`
	*expect.Report
}

// Run implements the subcommand.
func (c *PolicyTestCmd) Run(out streams) error {
	root, err := os.OpenRoot(c.Root)
	if err != nil {
		return err
	}
	defer root.Close()
	open := func(path string) ([]byte, error) { return readIn(root, path, maxPolicyFile) }
	files := make([]testedFile, 0, len(c.Files))
	for _, name := range c.Files {
		text, err := readBounded(os.Open, name, expect.MaxFile)
		if err != nil {
			return err
		}
		suite, err := expect.Read(text, open)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, testedFile{name, suite.Run(runtime.GOMAXPROCS(0))})
	}
	if c.JSON {
		err = writeJSON(out.out, files)
	} else {
		printTested(out.out, files)
	}
	return errors.Join(err, c.verdict(files))
}

// verdict is the error that the whole ends with.
func (c *PolicyTestCmd) verdict(files []testedFile) error {
	cases, failed, unexercised := 0, 0, 0
	for _, f := range files {
		cases, failed, unexercised = cases+f.Cases, failed+f.Failed, unexercised+len(f.Unexercised)
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d cases failed", failed, cases)
	case c.Strict && unexercised > 0:
		return fmt.Errorf("no test exercised %d statements", unexercised)
	}
	return nil
}

func printTested(to io.Writer, files []testedFile) {
	p := paintFor(to)
	for _, f := range files {
		name := printable(f.File)
		for i := range f.Failures {
			x := &f.Failures[i]
			fmt.Fprintf(to, "%s:%d: %s %s\n", name, x.Line, p.bad("FAIL"), printable(x.Test))
			fmt.Fprintf(to, "    %s may %s on %s?\n", printable(x.Principal), printable(x.Action), printable(x.Resource))
			fmt.Fprintf(to, "    expected %s\n", printable(x.Want))
			if x.Error != "" {
				fmt.Fprintf(to, "    %s\n", printable(x.Error))
				continue
			}
			fmt.Fprintf(to, "    got %s\n", decidedWords(x.Verdict))
			for _, place := range x.Verdict.Change {
				fmt.Fprintf(to, "    look at statement %d of %s\n", place.Statement, printable(place.Policy))
			}
		}
		if more := f.Failed - len(f.Failures); more > 0 {
			fmt.Fprintf(to, "%s: and %d further failures\n", name, more)
		}
		for _, s := range f.Unexercised {
			sid := ""
			if s.Sid != "" {
				sid = " (" + printable(s.Sid) + ")"
			}
			fmt.Fprintf(to, "%s:%d: no test exercises statement %d%s\n", printable(s.Policy), s.Line, s.Index, sid)
		}
		word := p.good("ok")
		if f.Failed > 0 {
			word = p.bad("FAIL")
		}
		fmt.Fprintf(to, "%s: %s: %d cases, %d failed; %d of %d statements exercised\n", name, word, f.Cases, f.Failed, f.Statements-len(f.Unexercised), f.Statements)
	}
}

// decidedWords is a verdict in a few words.
func decidedWords(v *scenario.Verdict) string {
	s := v.Decision + " by " + v.DecidedBy
	if v.Statement != nil {
		s += fmt.Sprintf(", statement %d of %s", *v.Statement, printable(v.Policy))
	}
	return s
}
