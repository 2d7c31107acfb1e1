package main

import (
	"fmt"
	"os"

	"github.com/garrison-security/garrison/policy"
)

// PolicyCheckCmd checks policies before anyone stores them.
type PolicyCheckCmd struct {
	Type  string   `enum:"auto,identity,trust,resource,boundary,session,scp,rcp,endpoint" default:"auto" help:"The kind of policy: ${enum}. Auto tells identity, trust and resource policies apart by what they hold."`
	JSON  bool     `name:"json" help:"Print JSON."`
	Files []string `arg:"" name:"file" help:"Policy documents."`
}

// Help tells the exit status.
func (PolicyCheckCmd) Help() string {
	return "The exit status is 0 if there is no error, 1 if there is one."
}

var policyKinds = map[string]policy.Kind{
	"identity": policy.Identity, "trust": policy.Trust, "resource": policy.Resource, "boundary": policy.Boundary,
	"session": policy.Session, "scp": policy.SCP, "rcp": policy.RCP, "endpoint": policy.Endpoint,
}

// checkedFile is what there is to say about a file.
type checkedFile struct {
	File     string           `json:"file"`
	Type     string           `json:"type"`
	Findings []policy.Finding `json:"findings"`
}

// Run implements the subcommand.
func (c *PolicyCheckCmd) Run(out streams) error {
	files, failed := make([]checkedFile, 0, len(c.Files)), 0
	for _, name := range c.Files {
		text, err := readBounded(os.Open, name, maxPolicyFile)
		if err != nil {
			return err
		}
		kind := policyKinds[c.Type]
		if c.Type == "auto" {
			kind = policy.KindOf(text)
		}
		f := checkedFile{File: name, Type: kind.String(), Findings: append([]policy.Finding{}, policy.Check(text, kind)...)}
		for i := range f.Findings {
			if f.Findings[i].Severity == policy.Error {
				failed++
				break
			}
		}
		files = append(files, f)
	}
	if err := c.print(out, files); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d policies would be refused", failed, len(files))
	}
	return nil
}

func (c *PolicyCheckCmd) print(out streams, files []checkedFile) error {
	if c.JSON {
		return writeJSON(out.out, files)
	}
	p := paintFor(out.out)
	for i := range files {
		f := &files[i]
		if len(f.Findings) == 0 {
			fmt.Fprintf(out.out, "%s: %s (%s)\n", printable(f.File), p.good("ok"), f.Type)
		}
		for j := range f.Findings {
			x := &f.Findings[j]
			fmt.Fprintf(out.out, "%s:%d:%d: %s: %s (%s)\n", printable(f.File), x.Line, x.Column, p.bad(string(x.Severity)), printable(x.Message), f.Type)
		}
	}
	return nil
}
