package main

import (
	"fmt"
	"os"

	"github.com/garrison-security/garrison/policy"
)

// PolicyCheckCmd checks policies before anyone stores them.
type PolicyCheckCmd struct {
	Type         string   `enum:"auto,identity,trust,resource,boundary,session,scp,rcp,endpoint" default:"auto" help:"The kind of policy: ${enum}. Auto tells identity, trust and resource policies apart by what they hold."`
	ResourceType string   `enum:",AWS::S3::Bucket,AWS::S3::AccessPoint,AWS::S3::MultiRegionAccessPoint,AWS::S3ObjectLambda::AccessPoint,AWS::DynamoDB::Table" default:"" help:"What a resource policy is attached to: ${enum}."`
	JSON         bool     `name:"json" xor:"format" help:"Print JSON."`
	SARIF        bool     `name:"sarif" xor:"format" help:"Print SARIF 2.1.0, for code scanning."`
	JUnit        bool     `name:"junit" xor:"format" help:"Print JUnit's XML, for test reports."`
	Files        []string `arg:"" name:"file" help:"Policy documents."`
}

// Help tells the exit status.
func (PolicyCheckCmd) Help() string {
	return "Prints what IAM would refuse, and what IAM Access Analyzer's ValidatePolicy finds: docs/policy-checks.md lists its checks. " +
		"The exit status is 0 if there is no error, 1 if there is one; warnings and suggestions are none."
}

var policyKinds = map[string]policy.Kind{
	"identity": policy.Identity, "trust": policy.Trust, "resource": policy.Resource, "boundary": policy.Boundary,
	"session": policy.Session, "scp": policy.SCP, "rcp": policy.RCP, "endpoint": policy.Endpoint,
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
		f, err := checkFile(name, text, kind, c.ResourceType)
		if err != nil {
			return err
		}
		if f.errors() > 0 {
			failed++
		}
		files = append(files, f)
	}
	if err := c.print(out, files); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d policies have errors", failed, len(files))
	}
	return nil
}

func (c *PolicyCheckCmd) print(out streams, files []checkedFile) error {
	switch {
	case c.JSON:
		return writeJSON(out.out, files)
	case c.SARIF:
		return writeJSON(out.out, sarifOf(files))
	case c.JUnit:
		return writeJUnit(out.out, junitOf(files))
	}
	p := paintFor(out.out)
	for i := range files {
		f := &files[i]
		if len(f.Findings) == 0 {
			fmt.Fprintf(out.out, "%s: %s (%s)\n", printable(f.File), p.good("ok"), f.Type)
		}
		for j := range f.Findings {
			x := &f.Findings[j]
			word := p.faint(string(x.Severity))
			if x.Severity == policy.Error || x.Severity == policy.SecurityWarning {
				word = p.bad(string(x.Severity))
			}
			fmt.Fprintf(out.out, "%s:%d:%d: %s %s: %s (%s)\n", printable(f.File), x.Line, x.Column, word, x.Code, printable(x.Message), f.Type)
		}
	}
	return nil
}
