package main

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/garrison-security/garrison/policy/estate"
)

// PolicyWhoCmd lists who may do something, in exported accounts.
type PolicyWhoCmd struct {
	Action          string   `required:"" help:"Such as s3:GetObject."`
	Resource        string   `default:"*" help:"An ARN; * for an action that names none."`
	ResourceAccount string   `help:"The account that owns the resource, if neither the ARN nor resources/ says."`
	Context         []string `short:"c" sep:"none" placeholder:"KEY=VALUE" help:"A condition key that holds for every caller: KEY=VALUE, or KEY=[\"VALUE\",…] for a multivalued one."`
	Estate          string   `required:"" type:"path" placeholder:"DIR" help:"The folder of the exported accounts."`
	JSON            bool     `name:"json" help:"Print JSON."`
}

// Help says what the folder holds.
func (PolicyWhoCmd) Help() string {
	return `DIR holds accounts/ with what aws iam get-account-authorization-details writes, a file an account or page; resources/ with
{"arn", "account", "policy"} a file for buckets, keys, queues …; organization.json and guardrails/ for what binds accounts.
docs/policy-testing.md says more. A condition key that is not given, and that caller, resource and organisation do not tell,
is absent. The exit status is 0, whoever may.`
}

// Run implements the subcommand.
func (c *PolicyWhoCmd) Run(out streams) error {
	q := estate.Question{Action: c.Action, Resource: c.Resource, Account: c.ResourceAccount}
	for _, pair := range c.Context {
		key, err := contextKey(pair)
		if err != nil {
			return usageError{err}
		}
		q.Context = append(q.Context, key)
	}
	files, err := readEstate(c.Estate)
	if err != nil {
		return err
	}
	e, err := estate.New(files)
	if err != nil {
		return err
	}
	found, err := e.Who(&q)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out.out, found)
	}
	p := paintFor(out.out)
	for i := range found {
		a := &found[i]
		line := a.Principal
		for _, role := range a.Through {
			line += " → " + role
		}
		why := a.DecidedBy
		if a.Policy != "" {
			why += ", " + a.Policy
		}
		if a.Statement != nil {
			why += fmt.Sprintf(", statement %d", *a.Statement)
		}
		if a.IfItsAccountAllows {
			why += "; if its account allows it"
		}
		fmt.Fprintf(out.out, "%s %s\n", printable(line), p.faint("("+printable(why)+")"))
	}
	return nil
}

// Bounds on what is read of an estate.
const (
	maxEstateFiles = 20_000
	maxEstateBytes = 256 << 20
)

// readEstate reads the files of a folder, by their paths in it, but what begins with a dot.
func readEstate(dir string) (map[string][]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files, left := map[string][]byte{}, int64(maxEstateBytes)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case len(files) == maxEstateFiles:
			return fmt.Errorf("%s has more than %d files", dir, maxEstateFiles)
		}
		text, err := readIn(root, name, left)
		if err != nil {
			return err
		}
		left -= int64(len(text))
		files[name] = text
		return nil
	})
	return files, err
}
