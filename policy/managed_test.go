package policy

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// TestTablesFollowTheReference: the well-known keys hold every global key but
// tags, and the guardrails' services are those that AWS lists.
func TestTablesFollowTheReference(t *testing.T) {
	raw, err := os.ReadFile(shared.Path(t, "data/service-authorization.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		GlobalConditionKeys  map[string]string
		RCPSupportedServices []string
	}
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	for key := range reference.GlobalConditionKeys {
		if !strings.Contains(key, "/") && wellKnownID(hashFold(hashStart, key), key) == 0 {
			t.Errorf("%s is not well known", key)
		}
	}
	for _, service := range reference.RCPSupportedServices {
		if !rcpServices[service] {
			t.Errorf("RCPs reach %s", service)
		}
	}
	for service := range rcpServices {
		if !slices.Contains(reference.RCPSupportedServices, service) {
			t.Errorf("RCPs do not reach %s", service)
		}
	}
}

// TestManagedPolicies: every AWS managed policy is taken, and decides an action
// that it names as the second evaluator does.
func TestManagedPolicies(t *testing.T) {
	t.Parallel()
	if len(managed(t)) < 1000 {
		t.Fatalf("%d policies", len(managed(t)))
	}
	for name, m := range managed(t) {
		d, err := ParseCurrent(m.Document, Identity)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
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
