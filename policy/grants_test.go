package policy

import "testing"

// TestGrants: a grant on a KMS key stands for a key policy that names the caller.
func TestGrants(t *testing.T) {
	granted := func(name, who, want string, policies on) decideCase {
		return decideCase{name: name, who: who, action: "kms:Decrypt", resource: "arn:aws:kms:eu-west-1:111122223333:key/k", granted: true, on: policies, want: want}
	}
	key := func(effect, principal string) []string {
		return []string{`{'Effect':'` + effect + `','Principal':` + principal + `,'Action':'kms:*','Resource':'*'}`}
	}
	run(t, "kms grants", []decideCase{
		granted("a grant is enough in the key's account", alice, "allow", nil),
		granted("beside a key policy that names others", alice, "allow", on{Resource: key("Allow", awsNamed(stranger))}),
		granted("no boundary limits it", alice, "allow", on{Boundary: {allowGet}}),
		granted("nor a session policy", session, "allow", on{Session: {allowGet}}),
		granted("another account needs an identity policy besides", stranger, "implicit: identity-based policy", nil),
		granted("and has it", stranger, "allow", on{Identity: {allowAll}}),
		granted("a service needs the grant alone", "logs.amazonaws.com", "allow", nil),
		granted("a Deny in the key policy stands", alice, "explicit: resource-based policy", on{Resource: key("Deny", `'*'`)}),
		granted("a Deny in an identity policy stands", alice, "explicit: identity-based policy", on{Identity: {denyAll}}),
		granted("an SCP limits it", alice, "implicit: service control policy", on{SCP: {allowGet}}),
		granted("an RCP's Deny stands", stranger, "explicit: resource control policy", on{Identity: {allowAll}, RCP: key("Deny", `'*'`)}),
		granted("an endpoint's policy limits it", alice, "implicit: VPC endpoint policy", on{Endpoint: {allowGet}}),
	})
}
