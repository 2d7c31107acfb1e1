package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/garrison-security/garrison/policy/scenario"
)

// PolicyExplainCmd decides one request, for a person.
type PolicyExplainCmd struct {
	Principal       string   `required:"" help:"An ARN, a service or identity provider by name, or anonymous."`
	Action          string   `required:"" help:"Such as s3:GetObject."`
	Resource        string   `default:"*" help:"An ARN; * for an action that names none."`
	ResourceAccount string   `help:"The account that owns the resource, if the ARN does not say."`
	Context         []string `short:"c" sep:"none" placeholder:"KEY=VALUE" help:"A condition key: KEY=VALUE, or KEY=[\"VALUE\",…] for a multivalued one."`
	Policies        string   `required:"" type:"path" placeholder:"DIR" help:"The folder of the policies that bear on the request."`
	JSON            bool     `name:"json" help:"Print JSON."`
}

// Help says what the folder holds.
func (PolicyExplainCmd) Help() string {
	return `DIR holds identity/, boundary/, session/ and endpoint/ with a JSON document a file; resource.json, the resource's own
policy, a key's key policy or a role's trust policy; scps/ and rcps/ with a folder a level, in the order of their names from
the organisation's root to the account. What is not there does not bear on the request. The exit status is 0, whatever the
decision.`
}

// Run implements the subcommand.
func (c *PolicyExplainCmd) Run(out streams) error {
	s := scenario.Scenario{Request: scenario.Request{Principal: c.Principal, Action: c.Action, Resource: c.Resource, ResourceAccount: c.ResourceAccount}}
	for _, pair := range c.Context {
		key, err := contextKey(pair)
		if err != nil {
			return usageError{err}
		}
		s.Request.Context = append(s.Request.Context, key)
	}
	var err error
	if s.Policies, err = readPolicyFolder(c.Policies); err != nil {
		return err
	}
	v, err := new(scenario.Judge).Explain(&s)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out.out, v)
	}
	explanation{out.out, paintFor(out.out)}.print(v)
	return nil
}

// contextKey reads KEY=VALUE or KEY=["VALUE",…].
func contextKey(pair string) (scenario.Key, error) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok || name == "" {
		return scenario.Key{}, fmt.Errorf("--context %q is not KEY=VALUE", pair)
	}
	if !strings.HasPrefix(value, "[") {
		return scenario.Key{Name: name, Values: []string{value}}, nil
	}
	key := scenario.Key{Name: name, List: true}
	if err := json.Unmarshal([]byte(value), &key.Values); err != nil {
		return scenario.Key{}, errors.New("--context " + name + `: a list is written ["a","b"]`)
	}
	return key, nil
}
