package policy

import (
	"strings"
	"testing"
)

// TestManagedPolicies: every AWS managed policy is taken, and decides an action
// that it names as the second evaluator does.
func TestManagedPolicies(t *testing.T) {
	t.Parallel()
	if len(managed(t)) < 1000 {
		t.Fatalf("%d policies", len(managed(t)))
	}
	for name, m := range managed(t) {
		d, err := Parse(m.Document, Identity)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := d.RequireCurrentVersion(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p := &Policies{Identity: []*Policy{Compile(d, m.ARN)}}
		for i := range d.Statements[:min(len(d.Statements), 3)] {
			action := strings.ReplaceAll(d.Statements[i].Actions[0], "*", "Thing")
			if !strings.Contains(action, ":") {
				action = "s3:GetObject"
			}
			resource := d.Statements[i].Resources[0]
			if resource != "*" {
				resource = strings.ReplaceAll(resource, "*", "thing")
			}
			c := &naiveCase{action: action, resource: resource, owner: home, principal: principalOf(alice), identity: []*Document{d}}
			r := &Request{Action: c.action, Resource: c.resource, ResourceAccount: c.owner, Principal: c.principal}
			if got, want := verdict(Decide(r, p)), c.decide(); got != want {
				t.Errorf("%s: %s = %s, the second evaluator says %s", name, action, got, want)
			}
		}
	}
}
